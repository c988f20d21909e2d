#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 600
# Random mode: a drawn schedule runs, the cluster converges, and the same run folder gives the same schedule again.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

exits 2 'a duration below its least' "$BASCULE" run --random --duration 5s
says 'not between 30s and' 'is refused with the limits'
exits 2 'random mode and a file' "$BASCULE" run --random leader-crash
says 'exclude each other' 'exclude each other'
exits 2 'a duration without random mode' "$BASCULE" run --duration 1m leader-crash
exits 2 'a run folder that is none' "$BASCULE" run --replay "$work"
says 'no run folder' 'is told so'
exits 2 'an unknown topology' "$BASCULE" run --random --set topology=patroni-9
says 'patroni-9' 'is named'

newest() { find "$runs" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1; }
schedule() { # what was injected on whom, in order
  python3 - "$1/events.jsonl" <<'PYTHON'
import json, sys
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["ev"] == "fault" and e["phase"] == "asked":
        print(e["id"], e["mechanism"], e["nodes"])
PYTHON
}

exits 0 'a random run passes' "$BASCULE" run --random --seed 11 --duration 30s --runs-dir "$runs"
run=$(newest)
result 'its verdict is pass' 'r["verdict"] == "pass" and r["seed"] == 11'
result 'nothing acknowledged was lost, and that was checked' 'r["writes"]["lost"] == 0 and r["writes"]["checked"]'
schedule "$run" >"$work/first"
check 'faults were injected' test -s "$work/first"
sleep 1 # folders are named by the second
exits 0 'the same run once more' "$BASCULE" run --replay "$run" --runs-dir "$runs"
again=$(newest)
check 'is another run' test "$run" != "$again"
check 'of the same scenario' cmp "$run/scenario.yaml" "$again/scenario.yaml"
schedule "$again" >"$work/second"
check 'with the same faults on the same nodes in the same order' cmp "$work/first" "$work/second"
