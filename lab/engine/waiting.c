// SPDX-License-Identifier: PostgreSQL
// What the engine waits for, in one line for people.
#include <stdio.h>

#include "lab/engine/internal.h"

static const char *spent(const struct engine *e, usec_t since, usec_t limit, char *buf, size_t size) {
    char done[USEC_TEXT_MAX], whole[USEC_TEXT_MAX];
    (void)usec_format(done, e->now > since ? e->now - since : 0);
    if (limit && limit != USEC_NEVER)
        (void)snprintf(buf, size, "%s of %s", done, usec_format(whole, limit));
    else
        (void)snprintf(buf, size, "%s", done);
    return buf;
}

static void step_words(const struct engine *e, size_t i, char *buf, size_t size) {
    const struct step_state *st = &e->steps[i];
    const struct step *s = &e->plan->steps.items[i];
    char time[80], words[200];
    if (st->phase == STEP_DELAYED)
        (void)snprintf(buf, size, "waiting for '%s' to start (in %s)", s->name, usec_format(time, st->ready - e->now));
    else if (st->phase == STEP_WAITING && s->when.atoms.n)
        (void)snprintf(buf, size, "waiting for '%s' (%s)", condition_words(&s->when, words, sizeof words),
                       spent(e, st->ready, s->within, time, sizeof time));
    else if (st->phase == STEP_WAITING)
        (void)snprintf(buf, size, "waiting for '%s' to start (%s)", s->name,
                       spent(e, st->ready, s->hold, time, sizeof time));
    else if (st->phase == STEP_STAYING)
        (void)snprintf(buf, size, "watching that '%s' stays (%s)", condition_words(&s->stays, words, sizeof words),
                       spent(e, st->watched_since, s->stays_for, time, sizeof time));
    else if (s->kind == STEP_HEAL)
        (void)snprintf(buf, size, "waiting for the heal of '%s' (%s)", s->name,
                       spent(e, st->started, 0, time, sizeof time));
    else
        (void)snprintf(buf, size, "waiting for '%s', %s (%s)", s->name, s->mechanism,
                       spent(e, st->started, 0, time, sizeof time));
}

static void held_words(const struct engine *e, char *buf, size_t size) {
    size_t next = (size_t)engine_next_step(e);
    (void)snprintf(buf, size,
                   "held before step %zu of %zu, '%s' (`bascule next` takes it, `bascule go` goes on by itself)",
                   next + 1, e->plan->steps.n, e->plan->steps.items[next].name);
}

// The first step in the scenario's order that waits for something.
static void steps_words(const struct engine *e, char *buf, size_t size) {
    if (engine_stands(e)) {
        held_words(e, buf, size);
        return;
    }
    for (size_t i = 0; i < e->plan->steps.n; i++) {
        enum step_phase p = e->steps[i].phase;
        bool waits = (p == STEP_DELAYED || p == STEP_WAITING) && !hold_stops_clock(e, i);
        if (waits || p == STEP_STAYING || p == STEP_BUSY) {
            step_words(e, i, buf, size);
            return;
        }
    }
    (void)snprintf(buf, size,
                   steps_ended(e) ? "waiting for the end of a fault's duration" : "waiting: no step can start");
}

static void before_words(const struct engine *e, char *buf, size_t size) {
    char time[80];
    bool settling = e->complete_since != USEC_NEVER && e->now < later_by(e->complete_since, e->plan->settle);
    if (settling)
        (void)snprintf(buf, size, "waiting for the cluster to settle (%s)",
                       spent(e, e->complete_since, e->plan->settle, time, sizeof time));
    else
        (void)snprintf(buf, size, "waiting for the cluster: %s (%s)", *e->why ? e->why : "nothing was seen yet",
                       spent(e, e->first_event, e->plan->timeout, time, sizeof time));
}

static void heal_words(const struct engine *e, char *buf, size_t size) {
    for (size_t i = e->faults.n; i > 0; i--) {
        const struct live_fault *f = &e->faults.items[i - 1];
        if (f->phase != LIVE_GONE) {
            char time[80];
            (void)snprintf(buf, size, "waiting for the heal of '%s' (%s)", f->id,
                           spent(e, e->state_since, e->aborted ? ABORT_MAX : HEAL_MAX, time, sizeof time));
            return;
        }
    }
    (void)snprintf(buf, size, "healing");
}

char *engine_waiting_for(const struct engine *e, char *buf, size_t size) {
    char time[80];
    if (!size)
        return buf;
    switch (e->state) {
    case RUN_BEFORE:
        before_words(e, buf, size);
        break;
    case RUN_STEPS:
        steps_words(e, buf, size);
        break;
    case RUN_OBSERVE:
        (void)snprintf(buf, size, "observing (%s)", spent(e, e->state_since, e->plan->observe, time, sizeof time));
        break;
    case RUN_HEAL:
        heal_words(e, buf, size);
        break;
    case RUN_REJOIN:
        (void)snprintf(buf, size, "waiting for every member to be back: %s (%s)", *e->why ? e->why : "not seen yet",
                       spent(e, e->state_since, engine_rejoin_max(e), time, sizeof time));
        break;
    case RUN_FINISHED:
        (void)snprintf(buf, size, "nothing: the scenario is over");
        break;
    }
    return buf;
}
