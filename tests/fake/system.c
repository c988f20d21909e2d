// SPDX-License-Identifier: PostgreSQL
// What fakeha does. Each standby's manager asks the leader's server every fakeha.interval seconds; after fakeha.tries silent answers in a row it promotes its
// own. There is one law: the silence begins between two questions, so the election takes from (tries - 1) to tries intervals, and a second for the rest.
#include <stdio.h>

#include "lab/base/str.h"
#include "lab/ha/ha.h"
#include "lab/ha/patroni/patroni.h"
#include "lab/model/blame.h"
#include "tests/fake/fake.h"

static enum ha_said said(const char *service, const char *line, const char **ret_words) {
    (void)service, (void)line, (void)ret_words;
    return HA_SAID_NOTHING;
}

static bool names_leader(const char *mechanism) {
    return str_eq(mechanism, "cluster.switchover");
}

static enum ha_effect effect(const struct ha_fault *f) {
    return *f->leader && str_list_has(f->nodes, f->leader) ? HA_LOSES : HA_NONE;
}

static usec_t interval(const struct leadership *l, usec_t t) {
    return leadership_setting(l, "fakeha.interval", t, SEC, 0);
}

static usec_t explains_until(const struct ha_fault *f, usec_t bite, usec_t over, const struct leadership *l) {
    usec_t until = usec_add(over, BLAME_AFTERMATH), asked = usec_add(bite, 4 * interval(l, bite));
    return effect(f) == HA_LOSES && asked > until ? asked : until;
}

static const char *waited_for(const struct ha_fault *f) {
    (void)f;
    return "another node to take the lead";
}

static void set(struct phase *p, usec_t min, usec_t max, const char *why) {
    p->bounded = true;
    p->bound_min = min;
    p->bound_max = max;
    p->inside = (p->open || p->duration + p->error >= min) && p->duration <= max + p->error;
    STR_COPY(p->why, why);
}

static void bounds(const struct leadership *l, const struct model *m, const struct bound_case *c,
                   struct phase phases[PHASE_COUNT]) {
    (void)m;
    char why[EVENT_TEXT_MAX];
    usec_t each = interval(l, c->bite), tries = leadership_setting(l, "fakeha.tries", c->bite, 1, 0);
    if (effect(&c->fault) != HA_LOSES || !each || !tries || tries > 100 || each > MINUTE)
        return;
    (void)snprintf(why, sizeof why, "asked every %.0f s, promoted after %u silent answers", (double)each / 1e6,
                   (unsigned)tries);
    if (phases[PHASE_ELECT].present)
        set(&phases[PHASE_ELECT], (tries - 1) * each, tries * each + SEC, why);
    if (phases[PHASE_PROMOTE].present)
        set(&phases[PHASE_PROMOTE], 0, 3 * SEC, "the end of recovery: up to 3 s");
}

static const struct ha_system fakeha_system = {
    .kind = &fakeha_kind,
    .said = said,
    .names_leader = names_leader,
    .effect = effect,
    .explains_until = explains_until,
    .waited_for = waited_for,
    .bounds = bounds,
};

const struct ha_system *const ha_systems[] = {&patroni_system, &fakeha_system, NULL};
