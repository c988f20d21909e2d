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
    .arbiter_follows = "arbiter",
    .arbiter_leads = "LEADING ARBITER",
};

const struct ha_kind *ha_kind_known(const char *name) {
    for (size_t i = 0; ha_kinds[i]; i++)
        if (str_eq(ha_kinds[i]->name, name))
            return ha_kinds[i];
    return NULL;
}

const struct ha_kind *ha_kind_find(const char *name) {
    const struct ha_kind *k = ha_kind_known(*name ? name : HA_FIRST);
    return k ? k : &unknown;
}

static unsigned abilities(const struct ha_kind *k) {
    return k->can | (k->has & HA_GRANT ? CAN_LEASE : 0) | (k->has & HA_ARBITERS && k->has & HA_STORE ? CAN_DCS : 0);
}

int ha_kind_check_needs(const struct ha_kind *k, unsigned needs, struct err *err) {
    unsigned lacks = needs & ~abilities(k);
    cleanup_strbuf struct strbuf list = {0};
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (lacks & 1U << i)
            strbuf_addf(&list, "%s%s (%s)", list.len ? ", " : "", ability_word(i), ability_about(i));
    return lacks ? err_set(err, ENOTSUP, "the scenario needs what %s does not have: %s", k->title, strbuf_str(&list))
                 : 0;
}
