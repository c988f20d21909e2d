#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 240
# A supervisor that does not answer keeps nobody waiting: every command says so within seconds, with the way out, which works without root.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
by_itself "$0"
lab=mute-$$ other=talks-$$
export BASCULE_LAB=$lab
one=$BASCULE_TREE/tests/lib/one-node.yaml

exits 0 'a lab comes up' "$BASCULE" up "$one" --lab "$lab" --runs-dir "$runs" || exit 1
check 'it answers' status 's["state"] == "ready"'
pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["supervisor_pid"])' "$work/status.json")
kill -STOP "$pid"

# asks NAME ARGS...: one command in the background; all of them wait at the same time.
asks() {
  local name=$1
  shift
  (
    code=0
    timeout -k 5 60 "$BASCULE" "$@" </dev/null >"$work/ask.$name" 2>&1 || code=$?
    echo "$code" >"$work/code.$name"
  ) &
}
commands='status inject heal hold next go shell exec psql top down down-all'
asks status status
asks inject inject node.power_off n1
asks heal heal --all
for verb in hold next go; do asks "$verb" "$verb"; done
asks shell shell n1
asks exec exec n1 -- true
asks psql psql n1 -c 'select 1'
asks top top
asks down down
asks down-all down --all
asks list list
asks json list --json
asks logs logs n1 patroni
asks names list --names
wait
for name in $commands; do
  wanted=3
  check "$name ends by itself, with $wanted" grep -qx "$wanted" "$work/code.$name"
  check "$name says who does not answer, and the way out" \
    grep -qE "the supervisor of lab '$lab' \(pid $pid\) has not answered for [0-9]+ s: it is stopped .*bascule down --force $lab" "$work/ask.$name"
done
for name in list json names logs; do check "$name ends well" grep -qx 0 "$work/code.$name"; done
check 'list says it too' grep -qE "^$lab +no answer .*pid $pid.*it is stopped" "$work/ask.list"
check 'list --json: a state of its own' python3 -c \
  'import json, sys; l = next(l for l in json.load(open(sys.argv[1])) if l["lab"] == sys.argv[2]); sys.exit(l["state"] != "no answer" or l["supervisor_pid"] != int(sys.argv[3]))' \
  "$work/ask.json" "$lab" "$pid"
check 'list --names asks nobody' grep -qx "$lab" "$work/ask.names"
check 'the logs can be read: they are files' grep -q ' INFO: ' "$work/ask.logs"

kill -CONT "$pid"
check 'once it goes on it answers again' within 20 status 's["state"] == "ready"'
# It finds in its queue what those commands had asked: their senders were told that it did not answer.
check 'and has done nothing of what was asked meanwhile' status 'node("n1")["on"] and not s["faults"]'
kill -STOP "$pid"
exits 2 'a second one of this name is refused without asking' timeout 20 "$BASCULE" up "$one" --lab "$lab" --runs-dir "$runs"
says "a lab named '$lab' is running" 'and says so'
exits 0 'down --force ends it' timeout 30 "$BASCULE" down --force "$lab"
says "lab '$lab' was ended by force" 'and says what it did'
dead() { ! ps -o stat= -p "$pid" | grep -qv Z; }
check 'nothing of it is left' within 5 dead
exits 2 'down --force of a lab that is not there' "$BASCULE" down --force "$lab"

# The command that started it, too.
"$BASCULE" run "$BASCULE_TREE/scenarios/replica-crash.yaml" --lab "$other" --runs-dir "$runs" >"$work/run.out" 2>&1 </dev/null &
command=$!
check 'a run begins' within 60 grep -q 'the lab is ready' "$work/run.out"
pid=$(pgrep -x -P "$command" bascule-lab)
kill -STOP "$pid"
check 'it says that its supervisor is stopped' within 30 grep -q "the supervisor of lab '$other' (pid $pid) has not answered.*it is stopped" "$work/run.out"
kill -INT "$command"
check 'asked to end, it says that this can not be asked' within 30 grep -q 'the lab could not be asked to end' "$work/run.out"
kill -INT "$command"
ended() { ! kill -0 "$command" 2>/dev/null; }
check 'asked twice, it ends' within 30 ended
wait "$command"
check 'and that is no success' test $? != 0
check 'nor is anything left' within 5 dead
