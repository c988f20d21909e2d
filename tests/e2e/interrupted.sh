#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 120
# Ctrl-C in a run: what was measured is told as invalid, the scenarios that would have come next are not run, nothing is left.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
by_itself "$0"
export BASCULE_RUNS_DIR=$runs
cp "$BASCULE_TREE/tests/lib/one-node.yaml" "$work/one.yaml"
cat >"$work/long.yaml" <<'YAML'
title: a minute of waiting
topology: one.yaml
steps:
  - wait: 60s
expect: {split_brain: no}
YAML
cp "$work/long.yaml" "$work/next.yaml"

"$BASCULE" run "$work/long.yaml" "$work/next.yaml" >"$out" 2>&1 </dev/null &
pid=$!
check 'the first of two is being run' within 60 grep -q 'healthy' "$out"
kill -INT "$pid"
code=0
wait "$pid" || code=$?
check 'one that is interrupted ends with 4' test "$code" = 4
says 'interrupted: healing everything and ending the lab' 'it says what it does'
says 'INVALID|invalid' 'and that it proves nothing'
says 'interrupted: 1 more scenario is not run' 'the other one is not begun'
check 'it has left no run folder' test "$(find "$runs" -mindepth 1 -maxdepth 1 | wc -l)" = 1
check 'no lab is left' not_listed long
