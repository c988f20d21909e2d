// SPDX-License-Identifier: PostgreSQL
#include "lab/ha/ha.h"

#include "lab/base/str.h"
#include "lab/model/blame.h"

// ---- a system of a later program
static enum ha_said no_words(const char *service, const char *line, const char **ret_words) {
    (void)service, (void)line, (void)ret_words;
    return HA_SAID_NOTHING;
}
static bool no_act(const char *mechanism) {
    (void)mechanism;
    return false;
}
static enum ha_effect no_effect(const struct ha_fault *f) {
    (void)f;
    return HA_NONE;
}
static usec_t aftermath(const struct ha_fault *f, usec_t bite, usec_t over, const struct leadership *l) {
    (void)f, (void)bite, (void)l;
    return usec_add(over, BLAME_AFTERMATH);
}
static const char *leadership_words(const struct ha_fault *f) {
    (void)f;
    return "the old leader to be given up";
}
static void no_bounds(const struct leadership *l, const struct model *m, const struct bound_case *c,
                      struct phase phases[PHASE_COUNT]) {
    (void)l, (void)m, (void)c;
    for (int i = 0; i < PHASE_COUNT; i++)
        if (phases[i].present)
            STR_COPY(phases[i].why, "no law: this program does not know the system of this run");
}
static const struct ha_system unknown = {
    .said = no_words,
    .names_leader = no_act,
    .effect = no_effect,
    .explains_until = aftermath,
    .waited_for = leadership_words,
    .bounds = no_bounds,
};

const struct ha_system *ha_find(const char *name) {
    const struct ha_kind *kind = ha_kind_find(name);
    for (size_t i = 0; ha_systems[i]; i++)
        if (ha_systems[i]->kind == kind)
            return ha_systems[i];
    return &unknown;
}

void ha_leadership_event(struct leadership *l, const struct model *m, const struct event *ev) {
    if (ev->kind == EVENT_RUN_BEGIN || !l->system)
        l->system = ha_find(ev->kind == EVENT_RUN_BEGIN ? ev->u.RUN_BEGIN.stack : "");
    leadership_event(l, m, ev);
}
