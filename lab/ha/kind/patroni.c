// SPDX-License-Identifier: PostgreSQL
#include "lab/ha/kind/kind.h"

#include <stddef.h>

// Patroni with etcd: the leader key is the authority, its lease the grant, etcd's members are the arbiters and the store.
const struct ha_kind ha_kind_patroni = {
    .name = "patroni",
    .title = "Patroni",
    .has = HA_AUTHORITY | HA_GRANT | HA_ARBITERS | HA_STORE,
    // rejoin: pg_rewind, else a new base backup; fencing: it demotes itself when it can't renew its lock (ha.py, run_cycle)
    .can = CAN_SWITCHOVER | CAN_REJOIN | CAN_SYNC | CAN_PAUSE | CAN_FENCING | CAN_WATCHDOG,
    .manager = "patroni",
    .api = " its REST API",
    .lead = "leader key",
    .unseen = "the leader key has not been seen yet",
    .nobody = "nobody holds the leader key",
    .holds = "holds the leader key",
    .still = "the leader key is still held by",
    .lost = "it had lost the leader key",
    .phase =
        {
            .gone = "the leader key is gone",
            .given = "a new leader key",
            .kept = "kept its key",
            .returns = "the leader, which kept its key, to take writes again",
            .quorum = "etcd to have a quorum again",
            .reached = "Patroni to reach etcd again",
            .choosing = "the key is free: the replicas choose a new leader",
            .promoting = "the new leader holds the key: PostgreSQL becomes writable",
        },
    .alone = {"writable without the key", "WRITABLE, NO KEY", "no key!", "primary without the key"},
    .stuck = "has the key, not writable",
    .stuck_row = "key, read-only",
    .arbiters = "etcd",
    .arbiter_follows = "etcd member",
    .arbiter_leads = "ETCD LEADER",
    .entry = "leader",
    .members = "members/",
};
