#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 600
# alone
# Clusters of 5, 9 and 16 nodes (the most there can be): every standby streams, also after a failover of the largest.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=many-$$
export BASCULE_LAB=$lab

topology() { # NODES: one of them the application, etcd on the first three
  echo 'stack: patroni'
  echo 'nodes:'
  for ((i = 1; i < $1; i++)); do
    echo "  n$i: {services: [postgres$([ "$i" -gt 3 ] || echo ', etcd')], address: 10.77.0.$((10 + i))}"
  done
  echo '  app: {services: [app], address: 10.77.0.100}'
  echo 'patroni: {ttl: 20s, loop_wait: 5s, retry_timeout: 5s, use_slots: true, use_pg_rewind: true}'
  echo 'postgresql: {shared_buffers: 16MB}'
}
leader() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["leader"])' "$work/status.json"; }
streams() { # STANDBYS: what the leader's own server says, not bascule
  status 's["leader"]' &&
    [ "$("$BASCULE" psql "$(leader)" -Atc "select count(*) from pg_stat_replication where state = 'streaming'")" = "$1" ]
}
pending() { "$BASCULE" exec n1 -- patronictl -c /etc/patroni/config.yml list | grep -qi 'pending'; }

for nodes in 5 9 16; do
  topology "$nodes" >"$work/many-$nodes.yaml"
  exits 0 "$nodes nodes come up" "$BASCULE" up "$work/many-$nodes.yaml" --lab "$lab" --runs-dir "$runs" || exit 1
  check "$nodes nodes: status says complete" status 's["complete"]'
  check "$nodes nodes: the leader's server has $((nodes - 2)) streaming standbys" within 30 streams $((nodes - 2))
  check "$nodes nodes: each has its slot" test "$("$BASCULE" psql "$(leader)" -Atc 'select count(*) from pg_replication_slots')" = $((nodes - 2))
  check "$nodes nodes: none waits for a restart, Patroni's settings are the servers'" eval '! pending'
  if [ "$nodes" = 16 ]; then
    old=$(leader)
    exits 0 'the leader of fifteen servers loses its power' "$BASCULE" inject node.power_off leader
    check 'another one leads' within 90 status "s['leader'] not in ('', '$old')"
    check 'and the other thirteen stream from it' within 120 streams 13
    exits 0 'the old one gets its power back' "$BASCULE" heal --all
    check 'and streams as well' within 120 streams 14
  fi
  # Replication is asynchronous: a power cut may take the last round trip of acknowledged writes.
  if [ "$nodes" = 16 ]; then goes_down '0 1'; else goes_down 0; fi
done
