#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# Faults of the DCS and acts on the cluster on a lab that is up: each bites, is seen from outside, and heals. Then the negative controls:
# what can't be done is refused or fails, with the reason.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=dcs-$$
export BASCULE_LAB=$lab

exits 0 'a lab comes up' "$BASCULE" up patroni-3 --lab "$lab" --runs-dir "$runs" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s || exit 1
etcd() { "$BASCULE" exec n1 -- env ETCDCTL_API=3 etcdctl "$@"; }
bites() { exits 0 "$* bites" "$BASCULE" inject "$@"; }
heals() { exits 0 "$1 heals" "$BASCULE" heal --all; }
does() { exits 0 "$* is done" "$BASCULE" inject "$@"; }
complete() { check 'the cluster is complete' within "${1:-60}" status 's["complete"]'; }

leader_revision() { etcd get /service/demo/leader -w json | python3 -c 'import json, sys; print(json.load(sys.stdin)["kvs"][0]["create_revision"])'; }
before=$(leader_revision)
bites dcs.delete_key key=leader
heals dcs.delete_key
check 'the leader key is another one than before' test "$(leader_revision)" != "$before"
bites dcs.delete_key key=config
check 'the configuration is back' within 15 etcd get /service/demo/config
heals dcs.delete_key
bites dcs.revoke_lease
heals dcs.revoke_lease
bites dcs.nospace
check 'etcdctl sees the alarm' bash -c "'$BASCULE' exec n1 -- env ETCDCTL_API=3 etcdctl alarm list | grep -q NOSPACE"
check 'and can put nothing' bash -c "! '$BASCULE' exec n1 -- env ETCDCTL_API=3 etcdctl put /x y"
heals dcs.nospace
check 'now it can' etcd put /x y
does dcs.compact
does dcs.defragment n2
leads() { "$BASCULE" exec "$1" -- env ETCDCTL_ENDPOINTS=http://127.0.0.1:2379 etcdctl endpoint status -w json | python3 -c 'import json, sys; s = json.load(sys.stdin)[0]["Status"]; sys.exit(s["leader"] != s["header"]["member_id"])'; }
for n in n3 n1 n1; do # the last one leads already
    does dcs.move_leader "$n"
    check "etcd's leader is on $n" leads "$n"
done
exits 0 'etcd on n3 is killed' "$BASCULE" inject process.kill n3 service=etcd
exits 1 'negative control: a dead member does not take the lead' "$BASCULE" inject dcs.move_leader n3
check "etcd's leader is still on n1" leads n1
exits 0 'etcd on n3 is back' "$BASCULE" heal --all
# etcd refuses to change its members while one of them has been connected for less than 5 s: the fault asks again.
check 'and it follows' within 10 "$BASCULE" exec n3 -- env ETCDCTL_API=3 etcdctl endpoint health
bites dcs.remove_member n3
check 'etcdctl sees two members' bash -c "test \$('$BASCULE' exec n1 -- env ETCDCTL_API=3 etcdctl member list | wc -l) = 2"
heals dcs.remove_member
check 'and three again' bash -c "test \$('$BASCULE' exec n1 -- env ETCDCTL_API=3 etcdctl member list | grep -cw started) = 3"
does dcs.save_snapshot n1
check 'a key that the snapshot does not know' etcd put /later 1
bites dcs.restore_snapshot
heals dcs.restore_snapshot
check 'that key is gone' bash -c "test -z \"\$('$BASCULE' exec n1 -- env ETCDCTL_API=3 etcdctl get /later)\""
complete 90
bites dcs.put_key key=initialize
check 'nobody leads' within 20 status 's["leader"] == "" or not s["healthy"]'
sleep 8
heals dcs.put_key
complete 120

does patroni.pause # its old name
says '^cluster.pause done' 'by the name of today'
grep -E '"ev":"(action|command)"' "$(find "$runs" -name events.jsonl)" >"$work/acts"
check 'which the log has' grep -q '"action":"cluster\.pause"' "$work/acts"
check 'and not the old one' bash -c "! grep -q 'patroni\.pause' '$work/acts'"
does cluster.resume
does cluster.edit_config key=postgresql.parameters.work_mem value=8MB
check 'PostgreSQL has it' within 20 bash -c "'$BASCULE' psql n2 -Atc 'show work_mem' | grep -qx 8MB"
does cluster.reload n2
# Who leads by now is not said: faults above may have moved the leader.
status True
replicas() { python3 -c 'import json, sys; print(*[n["name"] for n in json.load(open(sys.argv[1]))["nodes"] if n.get("streaming")])' "$work/status.json"; }
read -r heir _ <<<"$(replicas)"
does cluster.set_tags "$heir" tag=nofailover value=yes
exits 1 "negative control: a failover to $heir is refused" "$BASCULE" inject cluster.failover "candidate=$heir"
says 'no good candidates' 'with the reason'
does cluster.set_tags "$heir" tag=nofailover value=no
does cluster.failover "candidate=$heir"
check "$heir leads" within 20 status "s['leader'] == '$heir'"
complete
does cluster.restart n1
complete
read -r copy _ <<<"$(replicas)"
does cluster.reinit "$copy"
complete

exits 4 'negative control: a key that is not there' "$BASCULE" inject dcs.delete_key key=nothing
exits 4 'negative control: a key without a lease' "$BASCULE" inject dcs.revoke_lease key=config
exits 1 'negative control: a restart of a node without power' bash -c "'$BASCULE' inject node.power_off n2 && '$BASCULE' inject cluster.restart n2"
exits 0 'heal' "$BASCULE" heal --all
check 'the log says why' grep -q 'there is no key /service/demo/nothing' "$(find "$runs" -name events.jsonl)"
complete 120 # without its power n2 may have led: until somebody leads nothing is known of the table
goes_down '0 1' # a leader that lost its key may lose a round trip
