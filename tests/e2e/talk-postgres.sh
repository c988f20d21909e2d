#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# Faults of PostgreSQL and of traffic on a lab that is up: each bites and heals. Then the negative controls: something takes the effect
# away in the same moment, and the verification must say so.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=pg-$$
export BASCULE_LAB=$lab

exits 0 'a lab comes up' "$BASCULE" up patroni-3 --lab "$lab" --runs-dir "$runs" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s \
  --set postgresql.archive_mode=on --set postgresql.archive_command=true || exit 1
sql() { "$BASCULE" psql n1 -Atqc "$1" app; }

bites() { exits 0 "$* bites" "$BASCULE" inject "$@"; }
heals() { exits 0 "$1 heals" "$BASCULE" heal --all; }
# Exit status 4 of inject: not verified, or refused.
not_verified() { exits 4 "negative control: $1" "$BASCULE" inject "${@:2}" && "$BASCULE" heal --all >/dev/null; }
writes() { status 's["client"]["writes_per_s"] > 0'; }

for f in postgres.long_transaction postgres.abandoned_slot postgres.rotate_password postgres.archive_failing postgres.recovery_conflict \
  postgres.bad_hba traffic.blocking_ddl traffic.connection_storm traffic.slow_query traffic.bulk_load; do
  case $f in
    postgres.abandoned_slot | postgres.rotate_password) bites "$f" ;;
    postgres.recovery_conflict) bites "$f" n2 ;;
    *) bites "$f" n1 ;;
  esac
  heals "$f"
done
check 'the application writes' within 20 writes
bites postgres.long_transaction n1 lock=share
check 'and does not under a SHARE lock' within 10 status 's["client"]["writes_per_s"] == 0'
heals postgres.long_transaction
check 'and does again' within 20 writes
bites traffic.connection_storm n1 connections=150
check 'a new session of the application is refused' bash -c "! '$BASCULE' exec app -- psql 'host=n1 user=app dbname=app password=bascule-app' -c 'select 1'"
heals traffic.connection_storm
exits 0 'replay is paused on a standby' "$BASCULE" inject postgres.pause_replay n2
check 'and Patroni lets it go on at its next loop' within 15 bash -c "'$BASCULE' psql n2 -Atqc 'select pg_is_wal_replay_paused()' | grep -qx f"
exits 1 'a leader replays nothing' "$BASCULE" inject postgres.pause_replay n1
bites postgres.promote n3
heals postgres.promote
check 'the cluster is complete' within 60 status 's["complete"]'

# What takes the effect away: sessions that the server ends, a door that stands open, a standby that says what it needs.
sql "ALTER ROLE app SET idle_in_transaction_session_timeout = '1ms'"
not_verified 'the transaction of the migration is ended at once' traffic.blocking_ddl n1
sql 'ALTER ROLE app RESET ALL'
sql "ALTER ROLE postgres SET idle_in_transaction_session_timeout = '1ms'"
not_verified 'the open transaction is ended at once' postgres.long_transaction n1
sql 'ALTER ROLE postgres RESET ALL'
sql "ALTER ROLE app SET idle_session_timeout = '1ms'"
not_verified 'the storm is sent away' traffic.connection_storm n1 connections=20
sql 'ALTER ROLE app RESET ALL'
sql "ALTER ROLE app SET statement_timeout = '50ms'"
not_verified 'the slow query is not slow' traffic.slow_query n1
sql 'ALTER ROLE app RESET ALL'
"$BASCULE" exec n1 -- sed -i '1i host replication replicator 127.0.0.1/32 trust' /var/lib/postgresql/data/pg_hba.conf
sql 'SELECT pg_reload_conf()' >/dev/null
sleep 0.5
not_verified 'the password is not asked for' postgres.rotate_password
"$BASCULE" exec n2 -- sh -c "echo \"hot_standby_feedback = on\" >>/var/lib/postgresql/data/postgresql.auto.conf"
"$BASCULE" psql n2 -Atqc 'SELECT pg_reload_conf()' >/dev/null
check 'hot_standby_feedback is on' within 10 bash -c "'$BASCULE' psql n2 -Atc 'show hot_standby_feedback' | grep -qx on"
sleep 1.5
not_verified 'the standby has told what it needs' postgres.recovery_conflict n2
exits 4 'negative control: the leader is no standby that could be promoted' "$BASCULE" inject postgres.promote n1
exits 1 'negative control: nobody waits for a synchronous standby' "$BASCULE" inject postgres.cancel_sync_wait
# n3 took writes beside the leader for a moment, and has followed it since. Whether that is proven depends on when the probes came.
goes_down '0 1'
[ "$down_code" = 0 ] || says_unfolded ' NOT AS IT SHOULD BE: n1, n3 accepted writes at the same time, proven for' 'and tells of the promotion'
