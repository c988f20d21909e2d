#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# alone
# Labs at the same time, same addresses inside, each crashing its leader and failing over on its own: one for each processor, two at least,
# four at most.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
labs=$(nproc)
labs=$((labs < 2 ? 2 : labs > 4 ? 4 : labs))
pids=()
for ((i = 1; i <= labs; i++)); do
  "$BASCULE" run "$BASCULE_TREE/scenarios/leader-crash.yaml" --lab "many-$i" --runs-dir "$runs/$i" >"$work/$i.out" 2>&1 </dev/null &
  pids+=($!)
done
all_listed() { [ "$("$BASCULE" list | grep -c '^many-')" = "$labs" ]; }
check 'bascule list shows them all' within 30 all_listed
for ((i = 1; i <= labs; i++)); do
  code=0
  wait "${pids[i - 1]}" || code=$?
  run=$(newest_run "$runs/$i")
  result "lab $i failed over to another node" 'expected("new_leader")["ok"] and expected("split_brain")["ok"] is not False'
  # Labs side by side are more than some machines bear: what such a run says of itself is invalid, and no word of the others.
  if [ "$code" = 4 ] && too_noisy "$run"; then
    skip "lab $i: its verdict" "$labs labs at once make this machine too noisy to judge times"
    continue
  fi
  check "lab $i ends with exit status 0 (with $code)" eval 'tail -n 25 "$work/$i.out"; [ "$code" = 0 ]'
  result "lab $i: its outage is within what was expected" 'r["verdict"] == "pass" and 0 < r["write_outage_ms"] <= 34000'
done
for ((i = 1; i <= labs; i++)); do check "lab $i is not left" not_listed "many-$i"; done
