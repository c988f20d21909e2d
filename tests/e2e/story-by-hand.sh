#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 200
# What a person does inside a machine is part of the story: who came in, what died there, and that no fault of the run did it.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=told-$$
export BASCULE_LAB=$lab

exits 0 'up patroni-3 comes up' "$BASCULE" up patroni-3 --lab "$lab" --runs-dir "$runs" || exit 1
leader=n1
exits 0 'a person kills Patroni on a replica' "$BASCULE" exec n2 -- pkill -9 -f bin/patroni
exits 0 'a fault kills etcd on another node' "$BASCULE" inject process.kill n3 service=etcd
exits 0 'and is healed' "$BASCULE" heal --all
exits 0 'a person looks around' bash -c "echo hostname | '$BASCULE' shell $leader"
exits 0 'down' "$BASCULE" down
run=$(dirname "$(find "$runs" -name events.jsonl | head -n 1)")
"$BASCULE" report "$run" >"$work/report.txt"
tells() { tr -s ' \n' ' ' <"$work/report.txt" | grep -q -F -- "$1"; }
check 'the report knows the first leader' tells "$leader takes the leader key: the first leader"
check 'it knows who came in, and what for' tells 'somebody enters n2 (bascule exec) pkill -9 -f bin/patroni'
check 'it knows a shell too' tells "somebody enters $leader (bascule shell)"
check 'it knows that Patroni died, by no fault' tells 'patroni on n2 has ended: killed by signal 9 no fault and no act of this run explains it; somebody was inside the machine'
check 'it knows the fault by hand' tells 'fault by hand: process.kill on n3'
check 'and blames nobody else for it' bash -c '! tr -s " \n" " " <"$1" | grep -q "etcd on n3 has ended.*no fault"' _ "$work/report.txt"
check 'and the healing' tells 'somebody heals everything by hand'
check 'the end is told' tells 'somebody takes the lab down'
