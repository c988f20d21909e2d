#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# alone
# Four labs at the same time, same addresses inside, each crashing its leader and failing over on its own.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
pids=()
for i in 1 2 3 4; do
  "$BASCULE" run "$BASCULE_TREE/scenarios/leader-crash.yaml" --lab "four-$i" --runs-dir "$runs/$i" >"$work/$i.out" 2>&1 </dev/null &
  pids+=($!)
done
all_listed() { [ "$("$BASCULE" list | grep -c '^four-')" = 4 ]; }
check 'bascule list shows all four' within 30 all_listed
for i in 1 2 3 4; do
  wait "${pids[i - 1]}"
  code=$?
  if [ "$code" = 0 ]; then ok "lab $i ends with exit status 0"; else
    not_ok "lab $i ends with exit status 0" "it was $code:"
    tail -n 25 "$work/$i.out" | sed 's/^/#   /'
  fi
  run=$(find "$runs/$i" -mindepth 1 -maxdepth 1 -type d | head -n 1)
  result "lab $i failed over to another node" 'r["verdict"] == "pass" and 0 < r["write_outage_ms"] <= 34000'
done
for i in 1 2 3 4; do check "lab $i is not left" not_listed "four-$i"; done
