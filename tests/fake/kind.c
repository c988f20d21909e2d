// SPDX-License-Identifier: PostgreSQL
// fakeha, a system that is in no program: no authority says who may lead, nothing is granted for a time, nobody decides by majority, nothing is shared. Like
// repmgr it has a manager on each node, and whoever is promoted says so. It shows what the neutral rooms take for granted.
#include "tests/fake/fake.h"

#include <stddef.h>

static const struct log_mark marks[] = {
    {"takes the lead", LOG_PROMOTES, TOLD_EVENT, MOOD_NEUTRAL, "fakeha on ", " takes the lead"},
    {.words = NULL},
};

const struct ha_kind fakeha_kind = {
    .name = "fakeha",
    .title = "fakeha",
    .has = 0,
    .manager = "fakeha",
    .api = "",
    .lead = "leader",
    .unseen = "no manager has said yet who leads",
    .nobody = "nobody says that it leads",
    .holds = "leads by its last word",
    .still = "the leader is still",
    .lost = "another one led",
    .phase =
        {
            .gone = "the old leader no longer says that it leads",
            .given = "another node says that it leads",
            .kept = "stayed the leader",
            .returns = "the leader, which stayed it, to take writes again",
            .quorum = "",
            .reached = "",
            .choosing = "waiting until another node says that it leads",
            .promoting = "the new leader's PostgreSQL becomes writable",
        },
    .alone = {"writable, does not lead", "WRITABLE, NO LEAD", "no lead!", "primary, does not lead"},
    .stuck = "leads, not writable",
    .stuck_row = "leads, read-only",
    .arbiters = "",
    .marks = marks,
};

const struct ha_kind *const ha_kinds[] = {&ha_kind_patroni, &fakeha_kind, NULL};
