#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# A trainer holds a scenario and takes it step by step.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=step-$$
export BASCULE_LAB=$lab

log() { find "$runs" -name events.jsonl -exec cat {} + 2>/dev/null; }
step_is() { log | grep '"ev":"step"' | grep "\"name\":\"$1\"" | grep -q "\"state\":\"$2\""; }

"$BASCULE" run leader-crash --lab "$lab" --runs-dir "$runs" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s >"$work/run.out" 2>&1 &
run_pid=$!
check 'the lab is there' within 20 "$BASCULE" status
exits 2 'next without hold is refused' "$BASCULE" next
says 'bascule hold' 'and says what comes first'
exits 0 'hold' "$BASCULE" hold
check 'the scenario begins' within 60 step_is begin started
held() { status '"held before" in s["waiting_for"]'; }
check 'status says that it is held, and before which step' within 10 held
sleep 5
if step_is crash started; then not_ok 'no step starts'; else ok 'no step starts'; fi
exits 0 'next' "$BASCULE" next
check 'one step starts' within 5 step_is crash started
check 'and the next one waits' within 10 held
exits 0 'go' "$BASCULE" go
code=0
wait "$run_pid" || code=$?
check 'the run comes to its end by itself' test "$code" -lt 3
check 'and all its steps were done' step_is elected 'done'
