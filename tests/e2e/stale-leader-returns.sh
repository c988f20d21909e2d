#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 500
# A leader that returns with a stale view. With Patroni before 3.0.3 this may end as a known defect, which must then be coherent in all
# its numbers; with later versions only a pass will do.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
scenario=$BASCULE_TREE/scenarios/stale-leader-returns.yaml
code=0
"$BASCULE" run "$scenario" --runs-dir "$runs" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s >"$out" 2>&1 </dev/null ||
  code=$?
run=$(find "$runs" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort | tail -n 1)
check 'result.json keeps its schema' python3 "$BASCULE_TREE/tests/lib/result_schema.py" "$run/result.json"
result 'pass, or the known defect on a version that has it' \
  'r["verdict"] == "pass" or r["verdict"] == "known-defect" and r["known_defects"][0]["affected"] and r["known_defects"][0]["seen"]'
result "the exit status ($code) is that of the verdict" "$code == {'pass': 0, 'known-defect': 5}.get(r['verdict'])"
result 'the cut was verified' 'r["fault"]["verified"]'
result 'no other version has the defect' 'r["known_defects"][0]["affected"] == (tuple(map(int, r["versions"]["Patroni"].split(".")[:3])) < (3, 0, 3))'
result 'the leader and the standbys were read' 'sum(c["read"] for c in r["contents"]) >= 2 and sum(c["leader"] for c in r["contents"]) == 1'
result 'lost writes are what the leader lacks of the acknowledged ones' \
  'next(c["absent"] for c in r["contents"] if c["leader"]) == r["writes"]["lost"]'
result 'nodes that diverged are counted' 'r["diverged_nodes"] == sum(c["diverged"] for c in r["contents"])'
result 'the rows of a node and of the leader add up' \
  'all(c["rows"] - c["foreign"] + c["missing"] == next(l["rows"] for l in r["contents"] if l["leader"]) for c in r["contents"] if c["read"])'
result 'a pass has one history, and nothing is lost beyond the limit' \
  'r["verdict"] != "pass" or r["diverged_nodes"] == 0 and r["writes"]["lost"] <= 10 and not r["known_defects"][0]["seen"]'
result 'every failed expectation of a known defect is explained by it' \
  'r["verdict"] != "known-defect" or all(e["ok"] is not False or e["known_defect"] == "patroni-2693" for e in r["expectations"])'
says '(PASS|KNOWN DEFECT): ' 'the report ends with the verdict'
"$BASCULE" report --json "$run" >"$work/again.json" 2>/dev/null
check 'the report from the log alone is the same result' cmp "$run/result.json" "$work/again.json"
