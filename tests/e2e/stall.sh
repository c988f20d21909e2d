#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# Nobody watched: the lab's supervisor stands still for a part of an outage, and beside it, in another lab, the application's process does
# for a part of a switchover. Neither run may claim what it did not see.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=stall-$$ other=stalled-app-$$
# logged RUN KEY=VALUE...: there is an event with exactly these texts.
logged() {
  python3 - "$runs/$1" "${@:2}" <<'PYTHON'
import json, pathlib, sys
wanted = dict(word.split("=", 1) for word in sys.argv[2:])
log = next(pathlib.Path(sys.argv[1]).glob("*/events.jsonl"))
events = [json.loads(line) for line in log.read_text().splitlines(True) if line.endswith("\n")]
sys.exit(not any(all(e.get(key) == value for key, value in wanted.items()) for e in events))
PYTHON
}
stands_still() { grep -q '^State:.T' "/proc/$1/status"; }

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

check 'the switchover begins' within 120 logged app ev=step name=handover state=started
app=$(application "$(supervisor "$other")")
check 'the application has a process of its own' test -n "$app"
kill -STOP "$app"
check 'and stands still' within 2 stands_still "$app"
sleep 4
kill -CONT "$app"

check 'the crash is verified' within 120 logged blind ev=fault mechanism=node.power_off phase=verified
boss=$(supervisor "$lab")
sleep 2
kill -STOP "$boss"
check "the crash's supervisor stands still" within 2 stands_still "$boss"
sleep 8
kill -CONT "$boss"

rows='"unexpected_writes": True, "duplicated_writes": True, "foreign_rows": True'
code=0
wait "$app_run_pid" || code=$?
check 'a run whose application stood still is invalid' test "$code" = 4
run=$(find "$runs/app" -mindepth 1 -maxdepth 1 -type d)
result 'it has one hole, of the application' '[h["source"] for h in r["holes"]] == ["application"] and 3000 < r["holes"][0]["to_ms"] - r["holes"][0]["from_ms"] < 6500'
result 'of what is expected only this is not known: lost writes, and perhaps the outage that it may have slept through' \
  'oks.pop("write_outage") is not False and oks == {"new_leader": True, "lost_writes": None, "split_brain": True, '"$rows}"
result 'lost writes are not called none' '"the application stood still from" in expected("lost_writes")["text"]'
result 'the probes looked all the time' 'expected("split_brain")["watched"]["longest_hole_ms"] == 0'

code=0
wait "$blind_pid" || code=$?
check 'a run that nobody watched for eight seconds is invalid' test "$code" = 4
run=$(find "$runs/blind" -mindepth 1 -maxdepth 1 -type d)
check 'its result.json keeps the schema' python3 "$BASCULE_TREE/tests/lib/result_schema.py" "$run/result.json"
result 'the verdict names the hole' 'r["verdict"] == "invalid" and ("nobody watched from" in r["reason"] or r["host"]["noisy"])'
result 'there is one hole, of the observer' '[h["source"] for h in r["holes"]] == ["observer"] and r["holes"][0]["to_ms"] - r["holes"][0]["from_ms"] > 7000'
result 'of what is expected it is not known whether outage and phases were inside their bounds, and whether there was a split brain' \
  'oks == {"write_outage": None, "phases": None, "new_leader": True, "lost_writes": True, "split_brain": None, "rejoin": True, '"$rows}"
result 'for as long as nobody watched' 'expected("split_brain")["watched"]["longest_hole_ms"] > 7000'
exits 4 'the report from the log alone has the same verdict' "$BASCULE" report "$run"
says 'not watched +nobody watched from' 'and says when nobody watched'
says 'NOBODY WATCHES from here on' 'so does the story'
says_unfolded ' split brain none was seen; not known for ([789]|1[0-9])\.[0-9]+ s in which nobody watched' 'and what is not known of a split brain'
"$BASCULE" down "$other" >/dev/null 2>&1 || true
