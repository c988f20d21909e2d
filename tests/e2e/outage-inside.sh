#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# `write_outage: inside` is no word that always holds: candidates that nobody lets run make the outage longer than the settings allow, and where a phase has no
# law nobody claims anything. The scenario leader-crash shows that it holds.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

cat >"$work/outside.yaml" <<'YAML'
title: The leader's machine loses power, and then the candidates' Patronis are frozen
needs: [rejoin, lease]
topology: patroni-3-etcd-3
set: {patroni.ttl: 20s, patroni.loop_wait: 5s, patroni.retry_timeout: 5s}
steps:
  - {name: crash, inject: node.power_off, target: leader} # first: it alone can be what the outage belongs to
  - {name: freeze, inject: process.pause, target: replica, with: {service: patroni}, after: 1s}
  - {name: expired, wait: {becomes: key leader gone, within: 60s}}
  # What the settings allow after the lease is at most 9.5 s, and 5.5 s for each race that nobody won, of which there can be one or two.
  - {name: thaw, heal: freeze, after: 25s}
  - {name: flowing, wait: {becomes: writes flow, for: 2s, within: 60s}}
expect:
  write_outage: inside
  recovery: {at_most: 80s, inside: yes}
YAML
cat >"$work/lawless.yaml" <<'YAML'
title: Nobody knows how long a shutdown checkpoint takes
needs: [switchover]
topology: patroni-3
steps:
  - {name: handover, do: cluster.switchover}
  - {name: changed, wait: {becomes: leader changed and a leader exists, within: 60s}}
  - {name: flowing, wait: {becomes: writes flow, for: 2s, within: 30s}}
expect:
  write_outage: {inside: yes, at_most: 30s}
YAML

"$BASCULE" run "$work/lawless.yaml" --lab lawless --runs-dir "$work/lawless" >"$work/lawless.out" 2>&1 </dev/null &
"$BASCULE" run "$work/outside.yaml" --lab outside --runs-dir "$runs" >"$out" 2>&1 </dev/null
run=$(newest_run "$runs")
says 'FAILED +the application could not write for [0-9.]+ s; the settings' 'an outage that the settings do not allow is told with what they allow'
result 'both expectations failed, and the other limit is not why' 'oks["write_outage"] is False and oks["recovery"] is False and r["recovery_ms"] < 80000'
result 'it is longer than the sum' 'r["write_outage_ms"] > expected("write_outage")["bounds"]["max_ms"] + expected("write_outage")["bounds"]["error_ms"]'
law='expected("write_outage")["bounds"]["max_ms"]' phases='sum(p["bound_max_ms"] for p in r["phases"] if p["name"] != "rejoin")'
result 'which is that of the bounds of its phases, counted from the last write before it' \
  "abs($law - $phases - (r['fault']['effective_ms'] - r['outage_start_ms'])) < 0.01"
result 'the run failed; where the machine is too noisy for times it is invalid' 'r["verdict"] == ("invalid" if r["host"]["noisy"] else "fail")'
check 'its result.json keeps its schema' python3 "$BASCULE_TREE/tests/lib/result_schema.py" "$run/result.json"
wait
cp "$work/lawless.out" "$out"
run=$(newest_run "$work/lawless")
says_unfolded 'whether the settings allow that is not known: the phase [a-z]+ has no bound \(no law' 'without a law nothing is claimed, and it says why'
result 'which is no pass' 'oks["write_outage"] is None and expected("write_outage")["bounds"] is None and r["verdict"] == "invalid"'
result 'though the number beside it holds' 'r["write_outage_ms"] <= 30000'
check 'its result.json keeps its schema' python3 "$BASCULE_TREE/tests/lib/result_schema.py" "$run/result.json"
