#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 600
# alone
# The dashboard in a real terminal (tmux): over a recorded log, then on a real lab.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
command -v tmux >/dev/null || skip_all 'tmux is not installed'
lab=top-$$
export BASCULE_LAB=$lab
log=$BASCULE_TREE/tests/screen/logs/leader-crash.jsonl

told() { # the lines of a Python story become checks of this one, and its exit status is one more: an exception is no end
  local line status='none' before=$checks
  while IFS= read -r line; do
    case $line in
    'ok - '*) ok "${line#ok - }" ;;
    'not ok - '*) not_ok "${line#not ok - }" ;;
    'exit status '*) status=${line#exit status } ;;
    *) echo "$line" ;;
    esac
  done < <(TMPDIR=$work python3 "$BASCULE_TREE/tests/screen/$1" "${@:2}" 2>&1; echo "exit status $?")
  check "$1 has come to its end" test "$status" = 0
  check "$1 has checked something" test "$checks" -gt $((before + 1))
}

exits 0 'a frame as text needs nothing but a log' "$BASCULE" replay "$log" --to-text --at 30s
says 'OUTAGE' 'and shows what was then'
exits 2 'a view that is not there' "$BASCULE" replay "$log" --to-text --view clutser
says 'cluster' 'is answered with those that are'
exits 2 'without a terminal' "$BASCULE" replay "$log"
says 'needs a terminal' 'the dashboard says so'
told tui_replay.py "$log"
told tui_terminal.py

exits 0 'up' "$BASCULE" up patroni-3 --lab "$lab" --runs-dir "$runs" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s || exit 1
check 'the cluster is complete' within 60 status 's["complete"]'
told tui_live.py "$lab"
exits 2 'top without a lab says so' "$BASCULE" top
