#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# The README's first quarter of an hour on patroni-3: cut the leader off, heal it, look, go down. Whether the known defect strikes is a race; what is
# told must fit what happened, at the moment and at the end. The same for a lab that nobody touched, and for one without an application.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=lost-$$
export BASCULE_LAB=$lab

exits 0 'up' "$BASCULE" up patroni-3 --runs-dir "$runs" --lab "$lab" --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s || exit 1
exits 0 'the leader is cut off' "$BASCULE" inject net.drop leader
check 'another node leads and the application writes there' within 60 status "s['leader'] not in ('', 'n1') and s['client']['writes_per_s'] > 0"
sleep 5 # of acknowledged writes that are at stake
exits 0 'heal --all' "$BASCULE" heal --all
check 'all is well, or the divergence is told' within 90 status "s['diverged'] or (s['complete'] and s['leader'] != 'n1')"
if status "s['diverged']" >"$out" 2>&1; then
  check 'the known defect is named, and nothing is called healthy' status \
    "s['known_defect']['id'] == 'patroni-2693' and not s['healthy'] and not s['complete'] and 'another history' in s['why']"
  exits 0 'status' "$BASCULE" status
  says '^cluster: DIVERGED: .* follow another history than the leader n1 \(patroni-2693\)' 'says so'
  goes_down 5
  says_unfolded ' DATA LOST: [0-9]+ acknowledged writes are lost; n2 and n3 follow another history' 'and says what is lost'
  says_unfolded 'the known defect patroni-2693 of' 'by which defect'
  says 'patroni/pull/2693' 'and where to read about it'
else
  # What the old leader had acknowledged in its last round trip may be lost: replication is asynchronous.
  goes_down '0 1'
  if [ "$down_code" = 1 ]; then says '^DATA LOST: ([1-9]|10) acknowledged writes? (is|are) lost$' 'a round trip is lost at most'; else
    says_unfolded ' NOTHING LOST: all [1-9][0-9]* acknowledged writes are in the table of n[23]' 'and says that nothing is lost'
  fi
fi
run=$(dirname "$(find "$runs" -name events.jsonl | head -n 1)")
report_agrees

exits 0 'a lab that nobody touches' "$BASCULE" up patroni-3 --runs-dir "$runs" --lab "$lab"
goes_down 0 # whether the application has come to write anything by now is a race
exits 0 'one without an application' "$BASCULE" up patroni-3 --runs-dir "$runs" --lab "$lab" --no-workload
goes_down 0 "$lab"
says '^NOTHING TO LOSE' 'there was nothing to lose'
