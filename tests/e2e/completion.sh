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
mkdir -p "$work/runs/20260101-100000-leader-crash"
cp "$BASCULE_TREE/tests/screen/logs/leader-crash.jsonl" "$work/runs/20260101-100000-leader-crash/events.jsonl"
BASCULE_RUNS_DIR=$work/runs offers 20260101-100000-leader-crash 'report gives recorded runs' "$BASCULE" report 2026
offers last 'and the newest' "$BASCULE" report la
touch own.yaml
offers own.yaml 'check gives files' "$BASCULE" check ow
offers --follow 'logs has its options' "$BASCULE" logs --fo

# Every command of `bascule --help` is known, and no other.
commands_of_help() { "$BASCULE" --help | awk '/^  [a-z]+ / && $1 != "bascule" {print $1}' | sort; }
commands_offered() { tr ' ' '\n' <<<"$_bascule_commands" | sort; }
check 'its list of commands is the one of --help' diff <(commands_of_help) <(commands_offered)
