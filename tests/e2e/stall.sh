#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# Nobody watched: the lab's supervisor stands still for a part of an outage, and beside it, in another lab, the application's process does
# for a part of a switchover. Neither run may claim what it did not see.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=stall-$$ other=stalled-app-$$
log() { find "$runs/$1" -name events.jsonl -exec cat {} + 2>/dev/null; }
fault_is() { log blind | grep '"ev":"fault"' | grep -q "\"phase\":\"$1\""; }
handed_over() { log app | grep '"ev":"step"' | grep '"name":"handover"' | grep -q '"state":"started"'; }

"$BASCULE" run leader-crash --lab "$lab" --runs-dir "$runs/blind" --set patroni.ttl=20s --set patroni.loop_wait=5s \
  --set patroni.retry_timeout=5s >"$work/blind.out" 2>&1 &
blind_pid=$!
"$BASCULE" run switchover --lab "$other" --runs-dir "$runs/app" >"$work/app.out" 2>&1 &
app_run_pid=$!

supervisor() { "$BASCULE" status --json --lab "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["supervisor_pid"])'; }
# The application's process of a lab: named bascule-app, a descendant of its supervisor.
application() {
  python3 - "$1" <<'PYTHON'
import os, sys
parent, name = {}, {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        stat = open(f"/proc/{pid}/stat").read()
    except OSError:
        continue
    name[pid], rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
    parent[pid] = rest[1]
for pid in name:
    above = pid
    while above in parent and above != sys.argv[1]:
        above = parent[above]
    if above == sys.argv[1] and name[pid] == "bascule-app":
        print(pid)
PYTHON
}

check 'the switchover begins' within 120 handed_over
app=$(application "$(supervisor "$other")")
check 'the application has a process of its own' test -n "$app"
kill -STOP "$app"
sleep 4
kill -CONT "$app"

check 'the crash is verified' within 120 fault_is verified
boss=$(supervisor "$lab")
sleep 2
kill -STOP "$boss"
sleep 8
kill -CONT "$boss"

code=0
wait "$app_run_pid" || code=$?
check 'a run whose application stood still is invalid' test "$code" = 4
run=$(find "$runs/app" -mindepth 1 -maxdepth 1 -type d)
result 'its hole is named' '[h for h in r["holes"] if h["source"] == "application" and h["to_ms"] - h["from_ms"] > 3000]'
result 'no write was seen lost, and that is not called none' '[e for e in r["expectations"] if e["kind"] == "lost_writes" and e["ok"] is None and "the application stood still from" in e["text"]]'
result 'an outage it may have slept through is not judged, or it is within the limit anyhow' '[e for e in r["expectations"] if e["kind"] == "write_outage" and e["ok"] is not False]'
result 'the probes looked all the time: no split brain stands' '[e for e in r["expectations"] if e["kind"] == "split_brain" and e["ok"] and e["watched"]["longest_hole_ms"] == 0]'

code=0
wait "$blind_pid" || code=$?
check 'a run that nobody watched for eight seconds is invalid' test "$code" = 4
run=$(find "$runs/blind" -mindepth 1 -maxdepth 1 -type d)
check 'its result.json keeps the schema' python3 "$BASCULE_TREE/tests/lib/result_schema.py" "$run/result.json"
result 'the verdict names the hole' 'r["verdict"] == "invalid" and "nobody watched from" in r["reason"]'
result 'there is one hole, of the observer' '[h["source"] for h in r["holes"]] == ["observer"] and r["holes"][0]["to_ms"] - r["holes"][0]["from_ms"] > 7000'
result 'no split brain is not claimed' '[e for e in r["expectations"] if e["kind"] == "split_brain" and e["ok"] is None and e["watched"]["longest_hole_ms"] > 7000]'
result 'nor that the phases were inside their bounds' '[e for e in r["expectations"] if e["kind"] == "phases" and e["ok"] is None]'
result 'what the application saw for itself stands' '[e for e in r["expectations"] if e["kind"] == "lost_writes" and e["ok"] is not None]'
exits 4 'the report from the log alone has the same verdict' "$BASCULE" report "$run"
says 'not watched +nobody watched from' 'and says when nobody watched'
says 'NOBODY WATCHES from here on' 'so does the story'
if grep -qE 'split brain +none$' "$out"; then not_ok 'and does not say "split brain none"'; else ok 'and does not say "split brain none"'; fi
"$BASCULE" down "$other" >/dev/null 2>&1 || true
