#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# The assertions of this scenario are its own expectations; what is common to all is in tests/lib/e2e.sh.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
run_scenario clock-set-back
result 'every fault was verified' 'r["fault"] is None or r["fault"]["verified"]'
result 'the application wrote before and after' 'r["writes"]["acknowledged"] > 300'
# Their own stamps are wrong by the offset: such lines have the time at which they were read, and say so.
check 'lines of the daemons whose clock was shifted have the time of reading' python3 - "$run/events.jsonl" <<'PYTHON'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
nodes, since, until = set(), None, None
for e in events:
    if e["ev"] == "fault" and e["mechanism"] == "clock.skew":
        if e["phase"] == "effective":
            nodes, since = set(e["nodes"].split(",")), e["t"]
        if e["phase"] == "heal_asked":
            until = e["t"]
lines = [e for e in events if e["ev"] == "log" and e["node"] in nodes and e["service"] in ("patroni", "postgresql")
         and since < e["t"] < (until or 1e18)]
print(len(lines), "lines of", nodes, "between", since, until)
sys.exit(0 if lines and all(e["t"] == e["read"] for e in lines) else 1)
PYTHON
