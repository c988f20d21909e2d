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

"$BASCULE" run leader-crash --hold --lab "$lab" --runs-dir "$runs" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s >"$work/run.out" 2>&1 &
run_pid=$!
check 'the lab is there' within 20 "$BASCULE" status
check 'the scenario begins' within 60 step_is begin started
held() { status '"held before step '"$1"' of 5" in s["waiting_for"] and s["stands"]'; }
check 'run --hold: it stands before its first step' within 10 held 1
check 'the cluster is up, the application writes' status 's["complete"] and s["client"]["writes_ok"] > 0'
sleep 5
if step_is crash started; then not_ok 'no step starts'; else ok 'no step starts'; fi
leader=$("$BASCULE" status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["leader"])')
exits 0 'status' "$BASCULE" status
says "^next +1 crash +node.power_off on the leader, which is $leader now" 'status says what comes next, and whom it will hit'
says '^to come  2 elected +waits until' 'and what comes after that'
check 'the terminal of the run says that it is held, and how to go on' grep -q 'held before its first step (--hold): .bascule next. takes a step' "$work/run.out"
check 'and before what' grep -q "held before step 1, 'crash': node.power_off on the leader, which is $leader now" "$work/run.out"
check 'it begins with the lesson' grep -q '^What to look at, and what to learn: bascule scenarios leader-crash$' "$work/run.out"
screen() { "$BASCULE" replay "$(dirname "$(find "$runs" -name events.jsonl)")" --to-text --view "$1" --at 10m --size 120x40; }
check 'the dashboard says it in the same words' grep -q "Next .*crash: node.power_off on the leader, which is $leader now" <(screen scenario)
check 'and shows the lesson' grep -q 'Look at' <(screen lesson)
exits 0 'next' "$BASCULE" next
says "^step 1 of 5, 'crash': node.power_off on (the leader, which is )?$leader" 'the reply says what has started'
check 'one step starts' within 15 step_is crash started
check 'and the next one waits' within 10 held 2
exits 0 'status' "$BASCULE" status
says "^done +1 crash +node.power_off on $leader" 'status says what was done to whom'
exits 0 'go' "$BASCULE" go
says '^the scenario goes on by itself: ' 'and what it waits for now'
exits 2 'next without hold is refused' "$BASCULE" next
says 'bascule hold' 'and says what comes first'
exits 0 'hold in between' "$BASCULE" hold
says "^held before step 2 of 5, 'elected': waits until" 'a wait that had begun stands still, too'
exits 0 'go' "$BASCULE" go
code=0
wait "$run_pid" || code=$?
check 'the run comes to its end by itself' test "$code" -lt 3
check 'and all its steps were done' step_is elected 'done'
