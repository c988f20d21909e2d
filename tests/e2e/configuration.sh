#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# The user's configuration file: where runs go and what every lab is given. The command line wins over the environment, that over the file.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=configured-$$
unset BASCULE_RUNS_DIR XDG_STATE_HOME
export HOME=$work/home XDG_CONFIG_HOME=$work/config
config=$work/config/bascule/config.yaml
mkdir -p "$HOME" "$work/config/bascule"
cp "$BASCULE_TREE/tests/lib/one-node.yaml" "$work/one.yaml"
cat >"$work/short.yaml" <<'YAML'
title: a second of nothing
topology: one.yaml
settle: 3s
observe: 0s
set: {patroni.ttl: 40s}
steps:
  - wait: {becomes: writes flow, within: 60s}
expect: {split_brain: no}
YAML
goes_to() { # FOLDER SENTENCE [COMMAND...]: `bascule runs`, which has nothing to list, names the folder
  exits 0 "$2" "${@:3}" "$BASCULE" runs
  says "no run yet in $1 " "it is $1"
}

# ---- which file, and who wins
goes_to "$HOME/.local/state/bascule/runs" 'without a file runs go where they always went'
"$BASCULE" doctor >"$out" 2>&1
says "configuration +none; it would be $config" 'doctor says where the file would be'
cat >"$config" <<'YAML'
# of a test
runs-dir: ~/my runs
set:
  patroni: {ttl: 25s, loop_wait: 5s, retry_timeout: 5s}
  settle: 0s
YAML
"$BASCULE" doctor >"$out" 2>&1
says "configuration +$config: runs-dir $HOME/my runs; set patroni.ttl=25s, patroni.loop_wait=5s, patroni.retry_timeout=5s, settle=0s\$" 'doctor says what is in force'
says "runs go to $HOME/my runs" 'runs go where it says'
goes_to "$HOME/my runs" 'the file is asked'
goes_to "$work/env" 'the environment wins over it' env BASCULE_RUNS_DIR="$work/env"
exits 0 'and the command line over both' env BASCULE_RUNS_DIR="$work/env" "$BASCULE" runs --runs-dir "$work/line"
says "no run yet in $work/line " 'it is that of the command line'
goes_to "$HOME/.local/state/bascule/runs" 'a relative XDG_CONFIG_HOME is none' env XDG_CONFIG_HOME=config
mkdir -p "$HOME/.config"
cp -r "$work/config/bascule" "$HOME/.config/bascule"
goes_to "$HOME/my runs" 'and ~/.config stands for it' env -u XDG_CONFIG_HOME

# ---- what a run makes of it
exits 0 'a run' "$BASCULE" run "$work/short.yaml" --lab "$lab" --set patroni.ttl=20s
says "^settings of $config: patroni.loop_wait=5s, patroni.retry_timeout=5s, settle=0s\$" 'says which settings come from the file: not the one that the command line has'
run=$(find "$HOME/my runs" -mindepth 1 -maxdepth 1 -type d)
check 'its folder lies where the file says' test -f "$run/events.jsonl"
check 'the settings are recorded, those of the file first' diff <(printf '%s\n' patroni.loop_wait=5s patroni.retry_timeout=5s settle=0s patroni.ttl=20s) "$run/overrides.txt"
check 'and in force' python3 - "$run/plan.json" <<'PYTHON'
import json, sys
patroni = json.load(open(sys.argv[1]))["topology"]["patroni"]
assert (patroni["ttl_us"], patroni["loop_wait_us"]) == (20_000_000, 5_000_000), patroni
PYTHON
exits 0 'report finds the run by its place' "$BASCULE" report last

# ---- the dashboard's colours
cat >"$work/colours.py" <<'PYTHON'
"""colours.py PROGRAM RUN [OPTION...]: the colour codes of a dashboard's first seconds."""
import os, pty, re, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm-256color", COLORFGBG="15;0")
    os.execv(sys.argv[1], [sys.argv[1], "replay", "--at", "20s", *sys.argv[2:]])
seen, end, asked = b"", time.monotonic() + 20, False
while time.monotonic() < end:
    try:
        seen += os.read(fd, 65536) if select.select([fd], [], [], 0.3)[0] else b""
    except OSError:
        break
    if not asked and b"leader" in seen and not select.select([fd], [], [], 1)[0]:
        asked = True
        os.write(fd, b"q")
os.waitpid(pid, 0)
print(*sorted(set(re.findall(rb"\x1b\[38;5;(\d+)m", seen))))
PYTHON
colours() { python3 "$work/colours.py" "$BASCULE" "$run" "$@"; }
dark=$(colours --theme dark) light=$(colours --theme light)
check 'the two themes have colours' test "${#dark}" -gt 9 -a "${#light}" -gt 9 -a "$dark" != "$light"
check 'without a word of the file the terminal is asked' test "$(colours)" = "$dark"
echo 'theme: light' >>"$config"
check 'the file decides' test "$(colours)" = "$light"
check 'unless the command line does' test "$(colours --theme dark)" = "$dark"

# ---- a lab by hand
exits 0 'up' "$BASCULE" up "$work/one.yaml" --lab "$lab"
says "^settings of $config: patroni.ttl=25s, patroni.loop_wait=5s, patroni.retry_timeout=5s\$" 'takes what concerns a cluster, and says so'
exits 0 'its Patroni' "$BASCULE" exec --lab "$lab" n1 -- patronictl -c /etc/patroni/config.yml show-config
says '^ttl: 25$' 'has it'
goes_down '0 1' "$lab"

# ---- a run again
printf 'runs-dir: ~/my runs\nset: {patroni.ttl: 50s}\n' >"$config"
exits 0 'a run is repeated' "$BASCULE" run --replay "${run##*/}" --lab "$lab"
again=$(find "$HOME/my runs" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)
check 'with the settings that it had, whatever the file says by now' cmp "$run/overrides.txt" "$again/overrides.txt"

# ---- what can't be used
printf 'runs-dir: ~/my runs\nthema: dark\nset: {patroni.ttl: soon}\n' >"$config"
for command in 'runs' 'report last' "run $work/short.yaml" 'up' 'matrix leader-crash'; do
  # shellcheck disable=SC2086
  exits 2 "$command with a bad file" "$BASCULE" $command
  says "^$config:2:1: error: unknown key 'thema' .*did you mean 'theme'" 'tells its first mistake at its place'
  says "^$config:3:20: error: 'soon' is not a duration" 'and its second'
  says "error: the configuration file '$config' has mistakes: mend it, or move it away" 'and the way out'
done
"$BASCULE" doctor >"$out" 2>&1
says "(✗|NO) configuration +the configuration file '$config' has mistakes" 'doctor finds it'
exits 0 'what needs no folder of runs does not read it' "$BASCULE" report "$run"
rm "$config" && mkfifo "$config"
exits 2 'a pipe in its place' timeout 20 "$BASCULE" runs
says "'$config': it is a device, not a file" 'is not waited for'
rm "$config" && printf 'theme: dark\n' >"$config"
chmod 777 "$work/config/bascule"
exits 2 'a folder that everybody may write to' "$BASCULE" runs
says "'$work/config/bascule'" 'is not trusted, and it is named'
