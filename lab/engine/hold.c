// SPDX-License-Identifier: PostgreSQL
// Stepping through a scenario by hand.
//
//   hold: no further step starts. The clocks of those that wait (delay, `within`) stand still, and so does the scenario's timeout.
//   next: the first step in the scenario's order whose turn has come may start: its delay is over at once, its `when` must still
//         become true, `within` counts from now. Said twice before a step could take it, it counts once.
//   go:   everything goes on where it stood.
//
// What has started goes on: injections are verified, `stays` is watched, durations of faults run out, since the world can't be held.
#include "lab/engine/internal.h"

bool engine_held(const struct engine *e) {
    return e->held;
}

bool hold_stops_clock(const struct engine *e, size_t i) {
    return e->held && !e->steps[i].released;
}

bool hold_stops(struct engine *e, size_t i) {
    if (!hold_stops_clock(e, i) || !step_not_started(e, i))
        return false;
    if (!e->permit)
        return true;
    struct step_state *st = &e->steps[i];
    e->permit = false;
    st->released = true;
    st->phase = STEP_WAITING;
    st->ready = e->now;
    st->held_since = USEC_NEVER;
    return false;
}

static void hold(struct engine *e) {
    if (e->held)
        return;
    e->held = true;
    e->held_since = e->now;
}

// Steps that stood in their delay or wait are as far as they were. Whether a condition has held meanwhile nobody looked.
static void go(struct engine *e) {
    if (!e->held)
        return;
    usec_t stood = e->now - e->held_since;
    for (size_t i = 0; i < e->plan->steps.n; i++) {
        struct step_state *st = &e->steps[i];
        bool stood_still = !st->released && (st->phase == STEP_DELAYED || st->phase == STEP_WAITING);
        st->released = false;
        if (!stood_still)
            continue;
        st->ready = later_by(st->ready, stood);
        st->held_since = USEC_NEVER;
    }
    e->held = e->permit = false;
    e->held_total += e->state == RUN_BEFORE ? 0 : stood; // the timeout counts the start of the cluster
    e->held_until = e->now;
}

void hold_on_command(struct engine *e, const char *verb) {
    if (str_eq(verb, "hold"))
        hold(e);
    else if (str_eq(verb, "go"))
        go(e);
    else if (str_eq(verb, "next"))
        e->permit = e->held;
}
