#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# A power cut of the leader at 30/10/10: what a newcomer sees first.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
run_scenario leader-crash
says 'detect' 'the story tells the phases'
says "$runs" 'the story tells where the run folder is'
result 'the write outage is inside 20 to 34 s' '20000 <= r["write_outage_ms"] <= 34000'
result 'its resolution is 20 ms or better, where the machine lets the application try as often' '0 < r["resolution_ms"] <= (20 if r["host"]["late_max_ms"] < 10 else 20 + 2 * r["host"]["late_max_ms"])'
result 'every phase from detect to reroute was seen' 'all(phase(p) and ms(p) is not None for p in ("detect", "elect", "promote", "reroute"))'
result 'the phases add up to the recovery time' \
  'abs(sum(ms(p) for p in ("detect", "elect", "promote", "reroute")) - r["recovery_ms"]) <= 2 * r["resolution_ms"] + 4'
result 'each phase with a bound is inside it' 'all(p["inside"] for p in r["phases"] if p["bound_max_ms"] is not None)'
result 'at least one phase has a bound' 'any(p["bound_max_ms"] is not None for p in r["phases"])'
result 'the fault was verified and its moment seen' 'r["fault"]["verified"] and r["fault"]["effective_ms"] >= r["fault"]["asked_ms"]'
result 'lost writes were counted' 'r["writes"]["lost"] is not None and r["writes"]["attempted"] > 1000'
result 'nothing unexpected or twice' 'r["writes"]["unexpected"] == 0 and r["writes"]["duplicated"] == 0'
result 'no split brain' 'r["split_brain_ms"] == 0'
for file in events.jsonl ledger.bin result.json scenario.yaml plan.json; do
  check "the run folder holds $file" test -s "$run/$file"
done
result 'versions of the daemons and the kernel are in it' '{"PostgreSQL", "Patroni", "etcd"} <= set(r["versions"]) and r["host"]["kernel"]'
check 'and the logs of the daemons' test -n "$(find "$run/nodes" -name '*.log' -size +0 2>/dev/null | head -n 1)"
check 'no line of the promotion comes before its cause: the fault, and the end of the lease' python3 - "$run/events.jsonl" <<'PYTHON'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
fault = next(e["t"] for e in events if e["ev"] == "fault" and e["phase"] == "effective")
gone = next(e["t"] for e in events if e["ev"] == "authority" and e.get("gone") and e["t"] > fault)
words = "promoted self to leader", "received promote request", "selected new timeline", "archive recovery complete"
lines = [e for e in events if e["ev"] == "log" and any(w in e["text"] for w in words)]
print(fault, gone, [(e["t"], e["text"]) for e in lines])
sys.exit(0 if len(lines) >= 4 and all(e["t"] > gone > fault for e in lines) else 1)
PYTHON
for log in "$BASCULE_TREE"/tests/screen/logs/*.jsonl; do
  check "the log lines of the recorded $(basename "$log") have possible times" python3 "$BASCULE_TREE/tests/lib/log_times.py" "$log"
done
exits 0 'the list of runs' "$BASCULE" runs --runs-dir "$(dirname "$run")"
says "^$(basename "$run") .* pass\$" 'shows its verdict'
sed -i '0,/"ok":true/s//"ok":null/' "$run/events.jsonl" # as many bytes
exits 0 'with one word of the events changed' "$BASCULE" runs --runs-dir "$(dirname "$run")"
says "^$(basename "$run") .* \(changed since\)\$" 'a verdict that was given for other events is not shown'
exits 4 'and the report' "$BASCULE" report "$run"
says 'INVALID' 'judges the record anew'
