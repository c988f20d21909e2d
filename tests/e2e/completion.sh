#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 60
# Pressing TAB: the words that bash would offer.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=../../completion/bascule.bash
. "$BASCULE_TREE/completion/bascule.bash"
mkdir "$work/cwd"
cd "$work/cwd" || exit 1

# offers WORD SENTENCE COMMAND-LINE...: WORD is among what is offered after the last (perhaps empty) word.
offers() {
  local wanted=$1 sentence=$2
  shift 2
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _bascule 2>/dev/null
  check "$sentence" grep -qxF -- "$wanted" <(printf '%s\n' "${COMPREPLY[@]:-}")
}
offers run 'ru gives run' "$BASCULE" ru
offers leader-crash 'run lea gives a shipped scenario' "$BASCULE" run lea
offers --runs-dir 'run --ru gives an option' "$BASCULE" run --ru
offers patroni-3-sync 'up gives a topology' "$BASCULE" up patroni-3
offers net.drop 'inject gives a fault' "$BASCULE" inject net.d
offers etcd_leader 'then a target by role' "$BASCULE" inject net.drop etcd_
offers process.kill 'faults gives a fault' "$BASCULE" faults process.
offers build 'image gives its commands' "$BASCULE" image bui
offers debian-13 'image build gives the known releases' "$BASCULE" image build deb
offers --mirror 'image build has its options' "$BASCULE" image build --mi
offers leader-crash 'matrix gives a shipped scenario' "$BASCULE" matrix lea
offers host 'matrix --image gives images' "$BASCULE" matrix --image ho
offers patroni.watchdog= 'run --set gives settings' "$BASCULE" run --set patroni.watch
offers required 'and the words of a choice' "$BASCULE" run --set patroni.watchdog = re
offers patroni-3-sync 'topology is one of them' "$BASCULE" run --set topology = patroni-3-s
offers leader-crash 'a setting does not count as the scenario' "$BASCULE" run --set patroni.ttl = 20s leader-c
offers pareto 'inject gives the words of a parameter' "$BASCULE" inject net.delay n1 distribution = pa
offers storage 'settings gives settings' "$BASCULE" settings sto
offers lesson 'top --view gives a screen' "$BASCULE" top --view le
offers network 'and replay, too' "$BASCULE" replay --view net
mkdir -p "$work/runs/20260101-100000-leader-crash"
cp "$BASCULE_TREE/tests/screen/logs/leader-crash.jsonl" "$work/runs/20260101-100000-leader-crash/events.jsonl"
BASCULE_RUNS_DIR=$work/runs offers 20260101-100000-leader-crash 'report gives recorded runs' "$BASCULE" report 2026
offers last 'and the newest' "$BASCULE" report la
# Who presses TAB does not wait for a disk that hangs.
printf '#!/bin/sh\nexec sleep 20\n' >"$work/slow" && chmod +x "$work/slow"
begun=$SECONDS
offers last 'a program that does not answer: what is known without it' "$work/slow" report la
check 'at once' test $((SECONDS - begun)) -lt 5
touch own.yaml
offers own.yaml 'check gives files' "$BASCULE" check ow
offers --follow 'logs has its options' "$BASCULE" logs --fo

# Every command of `bascule --help` is known, and no other.
commands_of_help() { "$BASCULE" --help | awk '/^  [a-z]+ / && $1 != "bascule" {print $1}' | sort; }
commands_offered() { tr ' ' '\n' <<<"$_bascule_commands" | sort; }
check 'its list of commands is the one of --help' diff <(commands_of_help) <(commands_offered)

# So are its options, and its row in README.md.
options_of_help() { "$BASCULE" "$1" --help | grep -oE '^ +(-.,? +)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -vxE -- '--(usage|version)' | sort; }
options_offered() { words='' && _bascule_options "$1" | tr ' ' '\n' | sort; }
readme_names() { awk -F' \\| ' '/^\| `bascule / {print $1}' "$BASCULE_TREE/README.md" | grep -qw -- "$1"; }
for command in $(commands_of_help); do
  [ "$command" = image ] || check "the options of $command are those of its --help" diff <(options_of_help "$command") <(options_offered "$command")
  check "README.md has $command" readme_names "$command"
done

# The other shells ask the same list.
words() { PATH=$(dirname "$BASCULE"):$PATH bash "$BASCULE_TREE/completion/bascule.bash" "$@"; }
check 'as a program it answers for other shells' test "$(words bascule run leader-crash-s)" = leader-crash-sync
check 'with key=value as one word' test "$(words bascule run --set patroni.watchdog=au)" = patroni.watchdog=automatic
if command -v fish >/dev/null; then
  asked() { PATH=$(dirname "$BASCULE"):$PATH fish --no-config -c "source $BASCULE_TREE/completion/bascule.fish; complete -C 'bascule run leader-crash-s'"; }
  check 'fish offers it' test "$(asked | cut -f1)" = leader-crash-sync
else
  skip 'fish offers it' 'fish is not installed'
fi
if command -v zsh >/dev/null; then
  check 'zsh offers it' python3 - "$BASCULE" "$BASCULE_TREE" <<'PYTHON'
import os, pty, select, sys, time
program, tree = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(PATH=os.path.dirname(program) + ":" + os.environ["PATH"], TERM="dumb", PS1="> ")
    os.execvp("zsh", ["zsh", "-f"])
def until(text, seconds=20):
    seen, end = "", time.monotonic() + seconds
    while text not in seen and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 65536).decode(errors="replace")
    assert text in seen, seen
os.write(fd, f"fpath+=({tree}/completion); autoload -Uz compinit; compinit -u -D; echo rea''dy\n".encode())
until("ready")
os.write(fd, b"bascule run leader-crash-s\t")
until("leader-crash-sync")
os.close(fd)
os.waitpid(pid, 0)
PYTHON
else
  skip 'zsh offers it' 'zsh is not installed'
fi
