// SPDX-License-Identifier: PostgreSQL
// A standstill of the observer (lab/model/watch.h). Nothing is concluded from time that nobody watched:
//
//   - what the clock alone would have decided in it is decided after it, never at its own time (engine.c, catch_up);
//   - for BLIND after it no step starts and no `stays` is judged: by then each probe has its answer, or has told that it got none;
//   - `for`, `stays`, the settling of the cluster and the observation begin anew, or go on where they stood;
//   - deadlines (`within`, the scenario's timeout, answers of the world) get the time back. A wait that was met only with it, or not
//     at all, is not known: the run ends as "unwatched", which is neither pass nor fail.
#include "lab/engine/internal.h"

// A question of the observer may go unanswered for 2 s before that is told (lab/observe/internal.h, NO_ANSWER); its beat is 0.5 s at most.
#define BLIND (2 * SEC + SEC / 2)

bool unwatched_now(const struct engine *e) {
    return e->now < e->sees_from;
}

bool unwatched_stops(const struct engine *e, size_t i) {
    return unwatched_now(e) && (step_not_started(e, i) || e->steps[i].phase == STEP_STAYING);
}

static void note_step(struct engine *e, size_t i, usec_t from) {
    struct step_state *st = &e->steps[i];
    if (st->phase == STEP_DELAYED || st->phase == STEP_WAITING) {
        usec_t since = st->ready > from ? st->ready : from;
        st->unwatched += e->sees_from > since ? e->sees_from - since : 0;
        st->held_since = USEC_NEVER;
    } else if (st->phase == STEP_STAYING) {
        st->unwatched += e->sees_from - from;
        st->watched_since = e->sees_from;
    }
}

void unwatched_note(struct engine *e, usec_t from, usec_t to) {
    from = from > e->sees_from ? from : e->sees_from; // a second one, before the first is over
    usec_t sees = later_by(to, BLIND);
    if (sees <= from)
        return;
    e->sees_from = sees;
    e->unwatched += sees - from;
    e->complete_since = USEC_NEVER;
    if (e->state == RUN_OBSERVE || e->state == RUN_REJOIN)
        e->state_since = later_by(e->state_since, sees - from);
    for (size_t i = 0; i < e->plan->steps.n; i++)
        note_step(e, i, from);
    VEC_FOREACH (&e->faults, f)
        f->limit = later_by(f->limit, sees - from);
}
