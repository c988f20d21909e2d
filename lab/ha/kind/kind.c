// SPDX-License-Identifier: PostgreSQL
#include "lab/ha/kind/kind.h"

#include "lab/base/str.h"

static const struct ha_kind unknown = {
    .name = "",
    .title = "a system that this program does not know",
    .has = HA_AUTHORITY | HA_GRANT | HA_ARBITERS | HA_STORE,
    .manager = "",
    .api = "",
    .lead = "leader",
    .unseen = "who may lead has not been told yet",
    .nobody = "nobody may lead",
    .holds = "may lead",
    .still = "the leader is still",
    .lost = "another one led",
    .free = "the old leader to be given up",
    .phase =
        {
            .gone = "the old leader is given up",
            .given = "another node leads",
            .kept = "stayed the leader",
            .returns = "the leader, which stayed it, to take writes again",
            .quorum = "the arbiters to have a quorum again",
            .reached = "the new leader to reach the arbiters again",
            .choosing = "waiting until another node leads",
            .promoting = "the new leader's PostgreSQL becomes writable",
        },
    .alone = {"writable, does not lead", "WRITABLE, NO LEADER", "no leader!", "primary, does not lead"},
    .stuck = "leads, not writable",
    .stuck_row = "leads, read-only",
    .arbiters = "the arbiters",
};

const struct ha_kind *ha_kind_find(const char *name) {
    for (size_t i = 0; ha_kinds[i]; i++)
        if (str_eq(ha_kinds[i]->name, *name ? name : HA_FIRST))
            return ha_kinds[i];
    return &unknown;
}
