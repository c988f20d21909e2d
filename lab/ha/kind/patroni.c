// SPDX-License-Identifier: PostgreSQL
#include "lab/ha/kind/kind.h"

#include <stddef.h>

// patroni/ha.py, patroni/postgresql/rewind.py, patroni/postgresql/bootstrap.py; 2.1 to 4.x
static const struct log_mark marks[] = {
    {"demoting self", LOG_DEMOTES, TOLD_MAIN, MOOD_WARN, "Patroni on ", " demotes its PostgreSQL"},
    {"demoted self", LOG_DEMOTED, TOLD_DETAIL, MOOD_NEUTRAL, "Patroni on ", " has demoted its PostgreSQL"},
    {"promoted self to leader", LOG_PROMOTES, TOLD_DETAIL, MOOD_NEUTRAL, "Patroni on ", " promotes its PostgreSQL"},
    {"Error communicating with DCS", LOG_NO_STORE, TOLD_EVENT, MOOD_WARN, "Patroni on ", " can't reach etcd"},
    {"DCS is not accessible", LOG_NO_STORE, TOLD_EVENT, MOOD_WARN, "Patroni on ", " can't reach etcd"},
    {"failsafe mode", LOG_SAYS, TOLD_EVENT, MOOD_WARN, "Patroni on ", " acts in failsafe mode"},
    {"running pg_rewind from", LOG_SAYS, TOLD_EVENT, MOOD_NEUTRAL, "pg_rewind begins on ",
     ": what only this node wrote goes"},
    {"pg_rewind exit code=0", LOG_SAYS, TOLD_EVENT, MOOD_GOOD, "pg_rewind on ", " is done"},
    {"pg_rewind exit code=", LOG_SAYS, TOLD_MAIN, MOOD_BAD, "pg_rewind on ", " has failed"},
    {"trying to bootstrap from", LOG_SAYS, TOLD_EVENT, MOOD_NEUTRAL, "", " fetches a base backup anew"},
    {"Removing data directory", LOG_SAYS, TOLD_MAIN, MOOD_WARN, "Patroni removes the data directory of ", ""},
    {"doing crash recovery", LOG_SAYS, TOLD_EVENT, MOOD_NEUTRAL, "Patroni on ",
     " runs crash recovery in single-user mode"},
    {"Watchdog device is not usable", LOG_SAYS, TOLD_EVENT, MOOD_WARN, "Patroni on ",
     " may not lead: its watchdog is not usable"},
    {"switchover: demoting myself", LOG_DEMOTES, TOLD_EVENT, MOOD_NEUTRAL, "Patroni on ",
     " gives its role up for a switchover"},
    {"Could not activate", LOG_SAYS, TOLD_EVENT, MOOD_WARN, "Patroni on ", " could not activate its watchdog"},
    {.words = NULL},
};

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
    .marks = marks,
};
