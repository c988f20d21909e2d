// SPDX-License-Identifier: PostgreSQL
// One step, from the end of the step it hangs on to its own end.
//
//   pending -> delayed (`delay` runs) -> waiting (`when` must hold for `hold`, at most `within`) -> started -> ended
//
// Started means: a wait ends at once, or stays (`stays` must hold until its end); an injection, a heal and an action
// are busy until the world has answered. Whatever goes wrong ends the run, with words that say what was seen instead.
#include <stdio.h>

#include "lab/engine/internal.h"

static const struct step *step_at(const struct engine *e, size_t i) {
    return &e->plan->steps.items[i];
}

static void step_done(struct engine *e, size_t i, const char *detail) {
    struct step_state *st = &e->steps[i];
    st->phase = STEP_ENDED;
    st->ended = e->now;
    engine_record(e, (int64_t)i, step_at(e, i)->name, STEP_STATUS_DONE, detail);
}

static void step_failed(struct engine *e, size_t i, enum end_reason reason, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void step_failed(struct engine *e, size_t i, enum end_reason reason, const char *fmt, ...) {
    char text[EVENT_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    e->steps[i].phase = STEP_CLOSED;
    e->steps[i].failed = true;
    engine_record(e, (int64_t)i, step_at(e, i)->name, STEP_STATUS_FAILED, text);
    engine_end(e, reason, "step '%s': %s", step_at(e, i)->name, text);
}

// ---- start ---------------------------------------------------------------------------------------------------------
static const char *target_list(const struct node_list *nodes, char *buf, size_t size) {
    size_t at = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < nodes->n && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? "," : "", nodes->names[i]);
    return buf;
}

int step_resolve(const struct engine *e, size_t i, size_t k, struct node_list *nodes, struct err *err) {
    const uint64_t streams_per_step = 64;
    struct scope scope = engine_scope(e);
    if (!e->injected && step_at(e, i)->kind == STEP_INJECT && *e->model->leader)
        scope.old_leader = e->model->leader;
    return target_resolve(&scope, &step_at(e, i)->targets.items[k], i * streams_per_step + k, nodes, err);
}

static int resolve_targets(struct engine *e, size_t i, struct node_list *nodes, struct err *err) {
    for (size_t k = 0; k < step_at(e, i)->targets.n; k++) {
        int r = step_resolve(e, i, k, nodes, err);
        if (r < 0)
            return r;
    }
    (void)target_list(nodes, e->steps[i].whom, sizeof e->steps[i].whom);
    return 0;
}

static void start_inject(struct engine *e, size_t i) {
    if (!e->injected && *e->model->leader)
        STR_COPY(e->old_leader, e->model->leader);
    e->injected = true;
    struct node_list nodes = {0};
    struct err err = {0};
    if (resolve_targets(e, i, &nodes, &err) < 0) {
        step_failed(e, i, END_REASON_EXPECTATION, "%s has no target: %s", step_at(e, i)->mechanism, err.msg);
        return;
    }
    engine_record(e, (int64_t)i, step_at(e, i)->name, STEP_STATUS_STARTED, e->steps[i].whom);
    live_inject(e, i, &nodes);
    e->steps[i].phase = STEP_BUSY;
}

static void start_action(struct engine *e, size_t i) {
    struct node_list nodes = {0};
    struct err err = {0};
    if (resolve_targets(e, i, &nodes, &err) < 0) {
        step_failed(e, i, END_REASON_EXPECTATION, "%s has no target: %s", step_at(e, i)->mechanism, err.msg);
        return;
    }
    engine_record(e, (int64_t)i, step_at(e, i)->name, STEP_STATUS_STARTED, e->steps[i].whom);
    struct effect *out = engine_effect(e, EFFECT_ACTION);
    out->step = step_at(e, i);
    STR_COPY(out->id, step_at(e, i)->name);
    memcpy(out->nodes, nodes.names, sizeof out->nodes);
    out->n_nodes = nodes.n;
    e->steps[i].phase = STEP_BUSY;
}

static void start_heal(struct engine *e, size_t i) {
    int heals = step_at(e, i)->heals;
    const char *what = heals < 0 ? "everything" : step_at(e, (size_t)heals)->name;
    engine_record(e, (int64_t)i, step_at(e, i)->name, STEP_STATUS_STARTED, what);
    e->steps[i].heal_until = e->faults.n;
    e->steps[i].phase = STEP_BUSY;
    if (heals >= 0 && !live_find(e, what))
        step_failed(e, i, END_REASON_EXPECTATION, "there is nothing to heal: '%s' has not been injected", what);
}

static void step_start(struct engine *e, size_t i) {
    struct step_state *st = &e->steps[i];
    const struct step *s = step_at(e, i);
    st->started = st->watched_since = e->now;
    st->changes = USEC_NEVER;
    switch (s->kind) {
    case STEP_WAIT:
        st->phase = STEP_STAYING;
        engine_record(e, (int64_t)i, s->name, STEP_STATUS_STARTED, s->stays.text ? s->stays.text : "");
        break;
    case STEP_INJECT:
        start_inject(e, i);
        break;
    case STEP_HEAL:
        start_heal(e, i);
        break;
    case STEP_ACTION:
        start_action(e, i);
        break;
    }
}

// ---- before the start ----------------------------------------------------------------------------------------------
static bool turn_has_come(const struct engine *e, size_t i) {
    int after = step_at(e, i)->after;
    return after < 0 || ((size_t)after < e->plan->steps.n && e->steps[after].phase == STEP_ENDED);
}

bool step_not_started(const struct engine *e, size_t i) {
    enum step_phase p = e->steps[i].phase;
    return (p == STEP_PENDING && turn_has_come(e, i)) || p == STEP_DELAYED || p == STEP_WAITING;
}

static bool advance_pending(struct engine *e, size_t i) {
    struct step_state *st = &e->steps[i];
    const struct step *s = step_at(e, i);
    if (!turn_has_come(e, i))
        return false;
    usec_t from = s->after >= 0 ? e->steps[s->after].ended : e->began;
    if (from < e->held_until)
        from = e->held_until;
    st->phase = STEP_DELAYED;
    st->ready = later_by(from, s->delay);
    if (st->ready > e->now) {
        char wait[USEC_TEXT_MAX], text[120];
        (void)snprintf(text, sizeof text, "starts in %s", usec_format(wait, st->ready - e->now));
        engine_record(e, (int64_t)i, s->name, STEP_STATUS_WAITING, text);
    }
    return true;
}

static bool advance_delayed(struct engine *e, size_t i) {
    struct step_state *st = &e->steps[i];
    if (e->now < st->ready)
        return false;
    st->phase = STEP_WAITING;
    st->held_since = USEC_NEVER;
    return true;
}

static usec_t wait_limit(const struct engine *e, size_t i) { // 0: only the scenario's own timeout
    const struct step *s = step_at(e, i);
    return s->within ? later_by(later_by(e->steps[i].ready, s->within), e->steps[i].unwatched) : USEC_NEVER;
}

// Met, but only with the time that nobody watched: whether it was in time is not known.
static bool met_too_late(struct engine *e, size_t i) {
    const struct step_state *st = &e->steps[i];
    const struct step *s = step_at(e, i);
    char words[200], took[USEC_TEXT_MAX], blind[USEC_TEXT_MAX], within[USEC_TEXT_MAX];
    if (!st->unwatched || !s->when.atoms.n || !s->within || e->now <= later_by(st->ready, s->within))
        return false;
    step_failed(
        e, i, END_REASON_UNWATCHED,
        "'%s' was seen after %s, of which %s could not be judged, for nobody watched: whether within %s is not known",
        condition_words(&s->when, words, sizeof words), usec_format(took, e->now - st->ready),
        usec_format(blind, st->unwatched), usec_format(within, s->within));
    return true;
}

static void wait_failed(struct engine *e, size_t i, const struct judgement *j) {
    const struct step *s = step_at(e, i);
    char words[200], within[USEC_TEXT_MAX], hold[USEC_TEXT_MAX], held[USEC_TEXT_MAX];
    (void)condition_words(&s->when, words, sizeof words);
    (void)usec_format(within, s->within);
    if (e->steps[i].unwatched)
        step_failed(e, i, END_REASON_UNWATCHED,
                    "waited %s for '%s': %s; for another %s nobody watched, it may have been so then", within, words,
                    j->holds ? "it did not hold for long enough" : j->why, usec_format(hold, e->steps[i].unwatched));
    else if (!j->holds)
        step_failed(e, i, END_REASON_EXPECTATION, "waited %s for '%s': %s", within, words, j->why);
    else
        step_failed(e, i, END_REASON_EXPECTATION, "waited %s for '%s' to hold for %s: it has held for %s only", within,
                    words, usec_format(hold, s->hold), usec_format(held, e->now - e->steps[i].held_since));
}

static void tell_waiting(struct engine *e, size_t i, const struct judgement *j) {
    char words[200], text[EVENT_TEXT_MAX];
    if (e->steps[i].told)
        return;
    e->steps[i].told = true;
    (void)condition_words(&step_at(e, i)->when, words, sizeof words);
    if (!step_at(e, i)->when.atoms.n) {
        char wait[USEC_TEXT_MAX];
        (void)snprintf(text, sizeof text, "starts in %s", usec_format(wait, step_at(e, i)->hold));
    } else if (j->holds)
        (void)snprintf(text, sizeof text, "for '%s' to hold long enough", words);
    else
        (void)snprintf(text, sizeof text, "for '%s': %s", words, j->why);
    engine_record(e, (int64_t)i, step_at(e, i)->name, STEP_STATUS_WAITING, text);
}

static bool advance_waiting(struct engine *e, size_t i) {
    struct step_state *st = &e->steps[i];
    const struct step *s = step_at(e, i);
    struct scope scope = engine_scope(e);
    struct judgement j = condition_judge(&scope, &s->when);
    st->changes = j.changes;
    if (!j.holds)
        st->held_since = USEC_NEVER;
    else if (st->held_since == USEC_NEVER)
        st->held_since = e->now;
    if (j.holds && e->now >= later_by(st->held_since, s->hold)) {
        if (!met_too_late(e, i))
            step_start(e, i);
        return true;
    }
    if (e->now >= wait_limit(e, i)) {
        wait_failed(e, i, &j);
        return true;
    }
    tell_waiting(e, i, &j);
    return false;
}

// ---- after the start -----------------------------------------------------------------------------------------------
static bool advance_staying(struct engine *e, size_t i) {
    struct step_state *st = &e->steps[i];
    const struct step *s = step_at(e, i);
    struct scope scope = engine_scope(e);
    struct judgement j = condition_judge(&scope, &s->stays);
    st->changes = j.changes;
    if (!j.holds) {
        char words[200], after[USEC_TEXT_MAX], whole[USEC_TEXT_MAX];
        step_failed(e, i, END_REASON_EXPECTATION, "'%s' should have stayed for %s but ended after %s: %s",
                    condition_words(&s->stays, words, sizeof words), usec_format(whole, s->stays_for),
                    usec_format(after, e->now - st->started), j.why);
        return true;
    }
    if (e->now < later_by(st->watched_since, s->stays_for))
        return false;
    char text[120] = "", blind[USEC_TEXT_MAX];
    if (st->unwatched)
        (void)snprintf(text, sizeof text, "watched anew, for nobody had watched for %s",
                       usec_format(blind, st->unwatched));
    step_done(e, i, text);
    return true;
}

static bool advance_inject(struct engine *e, size_t i) {
    const struct live_fault *f = live_find(e, step_at(e, i)->name);
    if (f->verified) {
        step_done(e, i, f->detail);
        return true;
    }
    if (f->dud)
        step_failed(e, i, END_REASON_UNVERIFIED, "%s is not known to bite: %s", step_at(e, i)->mechanism, f->detail);
    else if (f->phase != LIVE_ASKED)
        step_failed(e, i, END_REASON_UNVERIFIED, "%s was healed before it was verified", step_at(e, i)->mechanism);
    else
        return false;
    return true;
}

// A fault that is still being verified is left alone until it is, or its own step would never end well.
static bool advance_heal(struct engine *e, size_t i) {
    int heals = step_at(e, i)->heals;
    size_t open = 0;
    for (size_t k = e->steps[i].heal_until; k > 0; k--) {
        struct live_fault *f = &e->faults.items[k - 1];
        if (heals >= 0 && f->step != (size_t)heals)
            continue;
        if (f->phase == LIVE_BITES)
            live_heal(e, f);
        open += f->phase != LIVE_GONE;
    }
    if (open)
        return false;
    step_done(e, i, "");
    return true;
}

static bool advance_action(struct engine *e, size_t i) {
    struct step_state *st = &e->steps[i];
    if (st->answer == ACTION_NONE)
        return false;
    if (st->answer == ACTION_DONE)
        step_done(e, i, st->detail);
    else
        step_failed(e, i, END_REASON_EXPECTATION, "%s failed: %s", step_at(e, i)->mechanism, st->detail);
    return true;
}

static bool advance_busy(struct engine *e, size_t i) {
    switch (step_at(e, i)->kind) {
    case STEP_WAIT:
        return false;
    case STEP_INJECT:
        return advance_inject(e, i);
    case STEP_HEAL:
        return advance_heal(e, i);
    case STEP_ACTION:
        return advance_action(e, i);
    }
    return false;
}

static bool step_advance(struct engine *e, size_t i) {
    if (unwatched_stops(e, i) || hold_stops(e, i))
        return false;
    switch (e->steps[i].phase) {
    case STEP_PENDING:
        return advance_pending(e, i);
    case STEP_DELAYED:
        return advance_delayed(e, i);
    case STEP_WAITING:
        return advance_waiting(e, i);
    case STEP_STAYING:
        return advance_staying(e, i);
    case STEP_BUSY:
        return advance_busy(e, i);
    case STEP_ENDED:
    case STEP_CLOSED:
        return false;
    }
    return false;
}

// ---- all of them ---------------------------------------------------------------------------------------------------
bool steps_advance(struct engine *e) {
    bool moved = false;
    for (size_t i = 0; i < e->plan->steps.n && e->state == RUN_STEPS; i++)
        moved |= step_advance(e, i);
    return moved;
}

bool steps_ended(const struct engine *e) {
    for (size_t i = 0; i < e->plan->steps.n; i++)
        if (e->steps[i].phase != STEP_ENDED)
            return false;
    return true;
}

void steps_close(struct engine *e) {
    for (size_t i = 0; i < e->plan->steps.n; i++) {
        struct step_state *st = &e->steps[i];
        if (st->phase == STEP_ENDED || st->phase == STEP_CLOSED)
            continue;
        bool under_way = st->phase == STEP_STAYING || st->phase == STEP_BUSY;
        char text[EVENT_TEXT_MAX] = "the run ended before";
        if (under_way)
            (void)snprintf(text, sizeof text, "not over when the run ended: %s", e->detail);
        engine_record(e, (int64_t)i, step_at(e, i)->name, under_way ? STEP_STATUS_FAILED : STEP_STATUS_SKIPPED, text);
        st->phase = STEP_CLOSED;
        st->failed = under_way;
    }
}

void steps_on_action(struct engine *e, const struct event *ev) {
    for (size_t i = 0; i < e->plan->steps.n; i++) {
        struct step_state *st = &e->steps[i];
        if (step_at(e, i)->kind != STEP_ACTION || st->phase != STEP_BUSY ||
            !str_eq(step_at(e, i)->name, ev->u.ACTION.id))
            continue;
        if (ev->u.ACTION.phase == ACTION_PHASE_DONE)
            st->answer = ACTION_DONE;
        else if (ev->u.ACTION.phase == ACTION_PHASE_FAILED)
            st->answer = ACTION_FAILED;
        STR_COPY(st->detail, ev->u.ACTION.detail);
    }
}

static usec_t step_deadline(const struct engine *e, size_t i) {
    const struct step_state *st = &e->steps[i];
    const struct step *s = step_at(e, i);
    if (unwatched_stops(e, i))
        return e->sees_from;
    if (st->phase == STEP_STAYING)
        return earlier(st->changes, later_by(st->watched_since, s->stays_for));
    if (hold_stops_clock(e, i))
        return USEC_NEVER;
    if (st->phase == STEP_DELAYED)
        return st->ready;
    if (st->phase != STEP_WAITING)
        return USEC_NEVER;
    usec_t held = st->held_since == USEC_NEVER ? USEC_NEVER : later_by(st->held_since, s->hold);
    return earlier(earlier(held, st->changes), wait_limit(e, i));
}

usec_t steps_deadline(const struct engine *e) {
    usec_t d = USEC_NEVER;
    for (size_t i = 0; i < e->plan->steps.n; i++)
        d = earlier(d, step_deadline(e, i));
    return d;
}
