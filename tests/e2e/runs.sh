#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 60
# Recorded runs are things with names: listed, found, compared, removed. Needs no lab: the runs are recorded ones.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
export BASCULE_RUNS_DIR=$runs
logs=$BASCULE_TREE/tests/screen/logs

exits 0 'no run yet is no mistake' "$BASCULE" runs
says 'no run yet' 'and says how to make one'
exits 2 'last of nothing' "$BASCULE" report last
says 'holds no run yet' 'is told as such'

keep_run() { # NAME LOG
  mkdir -p "$runs/$1"
  cp "$logs/$2.jsonl" "$runs/$1/events.jsonl"
  "$BASCULE" report --json "$runs/$1" >"$runs/$1/result.json"
}
keep_run 20260101-100000-leader-crash leader-crash
keep_run 20260102-100000-partition-leader partition-leader
keep_run 20260103-100000-leader-crash leader-crash
sed -i '1s/"seed":[0-9]*/"seed":424242/; s/\("key":"patroni.ttl","value":\)"[0-9]*"/\1"77"/' "$runs/20260103-100000-leader-crash/events.jsonl"
mkdir "$runs/no-run" && touch "$runs/no-run/something"

exits 0 'runs lists them' "$BASCULE" runs
says '^20260101-100000-leader-crash +patroni-3[^ ]* +[0-9.]+ s +[0-9-]+ +[a-z-]+$' 'a line each: name, topology, outage, lost, verdict'
check 'oldest first, and nothing that is no run' diff <(printf '%s\n' 20260101-100000-leader-crash 20260102-100000-partition-leader 20260103-100000-leader-crash) <(awk 'NR > 1 {print $1}' "$out")
exits 0 'one scenario alone' "$BASCULE" runs partition-leader
check 'has its runs only' test "$(grep -c . "$out")" = 2
exits 2 'a scenario without a run' "$BASCULE" runs switchover
exits 0 'as JSON' "$BASCULE" runs --json
check 'with the numbers of result.json' python3 - "$out" "$runs" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema_version"] == 1 and len(d["runs"]) == 3, d
for r in d["runs"]:
    result = json.load(open(f"{sys.argv[2]}/{r['name']}/result.json"))
    assert r["write_outage_ms"] == result["write_outage_ms"] and r["verdict"] == result["verdict"] and r["live"] is False, r
PYTHON

# takes SENTENCE WORD NAME: WORD means the run NAME.
takes() { check "$1" diff <("$BASCULE" report --json "$2") <("$BASCULE" report --json "$runs/$3"); }
takes 'last is the newest' last 20260103-100000-leader-crash
takes 'a name' 20260102-100000-partition-leader 20260102-100000-partition-leader
takes 'the beginning of one name' 20260102 20260102-100000-partition-leader
takes 'a scenario is its newest run' leader-crash 20260103-100000-leader-crash
exits 2 'the beginning of several' "$BASCULE" report 2026
says "3 runs begin with '2026': 20260101-100000-leader-crash, " 'names them'
exits 2 'a misspelt name' "$BASCULE" report leader-crsh
says "did you mean 'leader-crash'" 'gets a suggestion'
exits 0 'replay knows the same words' "$BASCULE" replay partition-leader --to-text --ascii
exits 2 'a path stays a path' "$BASCULE" report "$work/nowhere/"
says 'nowhere//?events.jsonl' 'and is told as one'

exits 0 'compare' "$BASCULE" compare 20260101 last
says '^A  20260101-100000-leader-crash' 'names its runs'
says '^  patroni.ttl +30 +77$' 'the setting that differs'
says '^  seed +[0-9]+ +424242$' 'and the seed'
check 'no setting that is the same' test "$(grep -c loop_wait "$out")" = 0
says '^ +! the record: DAMAGED, and without a seal: ' 'a log without its run folder is told as damaged'
says '^Measured +A! +B! +B - A$' 'and marked where its numbers stand'
says '^  detect +[0-9.]+ s +[0-9.]+ s +no result$' 'phases beside each other; their difference is no result then'
check 'the dashboard says it, too, above whatever it shows' grep -q '^ bascule .* !DAMAGED REPLAY' <("$BASCULE" replay 20260101 --to-text --at 5s)
check 'by the log itself just as well' grep -q '^ bascule .* !DAMAGED REPLAY' <("$BASCULE" replay "$runs/20260101-100000-leader-crash/events.jsonl" --to-text --at 5s)
check 'a log that is no run folder has no seal' grep -q '^ bascule .* !UNSEALED REPLAY' <("$BASCULE" replay "$logs/leader-crash.jsonl" --to-text --at 5s)
says '^  A  D+E+' 'and over one time axis'
check 'before the measured numbers stands what differs' test "$(grep -nE '^(What differs|Measured)' "$out" | cut -d: -f2 | awk '{print $1}' | paste -sd' ')" = 'What Measured'
exits 0 'a run with itself' "$BASCULE" compare last last
says 'are the same' 'differs in nothing'
exits 0 'as JSON' "$BASCULE" compare --json 20260101 20260102 last
check 'three values a row' python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema_version"] == 1 and len(d["runs"]) == 3
assert d["result"] is False and all(r["result"] is False and r["record"]["missing"] for r in d["runs"]), d
assert all(len(row["values"]) == 3 for row in d["differ"] + d["numbers"]), d
assert any(row["name"] == "patroni.ttl" for row in d["differ"])' "$out"
exits 2 'one run is nothing to compare' "$BASCULE" compare last

exits 2 'prune alone removes nothing' "$BASCULE" runs prune
exits 0 'a dry run' "$BASCULE" runs prune --keep 1 --dry-run
says '2 of 3 runs would go' 'says what would go'
check 'and removes nothing' test -e "$runs/20260101-100000-leader-crash"
# A run that somebody records (a lock on its log) stays.
python3 - "$runs/20260101-100000-leader-crash/events.jsonl" <<'PYTHON' &
import fcntl, sys, time
f = open(sys.argv[1])
fcntl.flock(f, fcntl.LOCK_EX)
open(sys.argv[1] + ".held", "w")
time.sleep(60)
PYTHON
holder=$!
check 'somebody records the first run' within 10 test -e "$runs/20260101-100000-leader-crash/events.jsonl.held"
mv "$runs/20260101-100000-leader-crash/result.json" "$work/"
exits 0 'the list' "$BASCULE" runs
says '20260101-100000-leader-crash .*\(runs now\)' 'says that it runs'
exits 0 'prune' "$BASCULE" runs prune --keep 1 --older 1d
check 'spares it' test -e "$runs/20260101-100000-leader-crash"
check 'removes the other' test ! -e "$runs/20260102-100000-partition-leader"
check 'keeps the newest' test -e "$runs/20260103-100000-leader-crash"
check 'and what is no run' test -e "$runs/no-run/something"
kill "$holder"
wait "$holder" 2>/dev/null
exits 0 'once nobody records it' "$BASCULE" runs prune --keep 1
check 'it goes' test ! -e "$runs/20260101-100000-leader-crash"
