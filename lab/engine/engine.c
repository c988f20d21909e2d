// SPDX-License-Identifier: PostgreSQL
// The run as a whole.
//
//   before:  the cluster has been complete for `settle` and the application's writes are acknowledged -> "begin"
//   steps:   each in its own time (step.c), until all have ended and no fault waits for the end of its duration
//   observe: the measures go on
//   heal:    everything still injected is healed, newest first
//   rejoin:  every member comes back, so that the final read sees all of them
//   finish
//
// Any failure, the scenario's timeout and an abort lead from wherever the run is to heal, and from there to finish
// without the wait for the members. No state needs the world to answer: each has its own patience (internal.h).
#include "lab/engine/engine.h"

#include <stdio.h>

#include "lab/engine/internal.h"
#include "lab/model/watch.h"

struct engine *engine_new(const struct plan *plan) {
    struct engine *e = xcalloc(1, sizeof *e);
    e->plan = plan;
    e->model = model_new();
    e->steps = xcalloc(plan->steps.n + 1, sizeof *e->steps);
    e->complete_since = e->heal_limit = USEC_NEVER;
    return e;
}

void engine_free(struct engine *e) {
    if (!e)
        return;
    model_free(e->model);
    free(e->steps);
    VEC_DONE(&e->faults);
    free(e);
}

const struct model *engine_model(const struct engine *e) {
    return e->model;
}

bool engine_finished(const struct engine *e) {
    return e->state == RUN_FINISHED;
}

struct scope engine_scope(const struct engine *e) {
    return (struct scope){.model = e->model, .plan = e->plan, .old_leader = e->old_leader, .now = e->now};
}

// ---- effects -------------------------------------------------------------------------------------------------------
struct effect *engine_effect(struct engine *e, enum effect_kind kind) {
    struct effect *out = VEC_ADD(e->out);
    out->kind = kind;
    return out;
}

void engine_record(struct engine *e, int64_t index, const char *name, enum step_status state, const char *detail) {
    struct event *ev = &engine_effect(e, EFFECT_RECORD)->event;
    ev->kind = EVENT_STEP;
    ev->t = e->stamp;
    ev->u.STEP.index = index;
    STR_COPY(ev->u.STEP.name, name);
    ev->u.STEP.state = state;
    STR_COPY(ev->u.STEP.detail, detail);
}

// ---- states --------------------------------------------------------------------------------------------------------
static void set_state(struct engine *e, enum run_state state) {
    e->state = state;
    e->state_since = e->now;
    switch (state) {
    case RUN_BEFORE:
    case RUN_OBSERVE:
        break;
    case RUN_STEPS:
        e->began = e->held_since = e->now; // held_since: if it is held
        STR_COPY(e->old_leader, e->model->leader);
        engine_record(e, -1, "begin", STEP_STATUS_STARTED, "the cluster is complete and the application writes");
        break;
    case RUN_HEAL:
        next_tell(e); // that no step is left, before the scenario is over
        e->healed_something = live_active(e) > 0;
        live_heal_all(e);
        break;
    case RUN_REJOIN:
        e->complete_since = USEC_NEVER;
        break;
    case RUN_FINISHED: {
        struct effect *out = engine_effect(e, EFFECT_FINISH);
        out->reason = e->reason;
        STR_COPY(out->detail, e->detail);
        break;
    }
    }
}

static void add_detail(struct engine *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add_detail(struct engine *e, const char *fmt, ...) {
    size_t at = strlen(e->detail);
    va_list ap;
    if (at)
        at += (size_t)snprintf(e->detail + at, sizeof e->detail - at, "; ");
    if (at >= sizeof e->detail)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(e->detail + at, sizeof e->detail - at, fmt, ap);
    va_end(ap);
}

static bool is_ending(const struct engine *e) {
    return e->state == RUN_HEAL || e->state == RUN_REJOIN || e->state == RUN_FINISHED;
}

void engine_end(struct engine *e, enum end_reason reason, const char *fmt, ...) {
    if (is_ending(e))
        return;
    e->reason = reason;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->detail, sizeof e->detail, fmt, ap);
    va_end(ap);
    steps_close(e);
    set_state(e, RUN_HEAL);
}

// ---- before the scenario -------------------------------------------------------------------------------------------
static usec_t timeout_at(const struct engine *e) { // 0: none
    if (!e->plan->timeout ||
        (e->held && e->state != RUN_BEFORE)) // it waits for its trainer; a cluster starts by itself
        return USEC_NEVER;
    return later_by(later_by(e->first_event, e->plan->timeout), e->held_total + e->unwatched);
}

// A scenario without writes has reads to show that the application runs, or no application at all.
static bool application_works(const struct engine *e, char *why, size_t size) {
    struct condition_atom atom = {.kind = e->plan->workload.writes_per_s > 0 ? CONDITION_WRITES_FLOW
                                                                             : CONDITION_READS_FLOW};
    struct condition c = {.atoms = {.items = &atom, .n = 1}};
    if (e->plan->workload.writes_per_s <= 0 && e->plan->workload.reads_per_s <= 0)
        return true;
    struct scope scope = engine_scope(e);
    struct judgement j = condition_judge(&scope, &c);
    (void)str_copy(why, size, j.why);
    return j.holds;
}

static bool complete_for(struct engine *e, usec_t hold) {
    if (unwatched_now(e)) {
        STR_COPY(e->why, "nobody watched for a while, everything is looked at anew");
        return false;
    }
    if (!model_complete(e->model, e->why, sizeof e->why)) {
        e->complete_since = USEC_NEVER;
        return false;
    }
    if (e->complete_since == USEC_NEVER)
        e->complete_since = e->now;
    return e->now >= later_by(e->complete_since, hold);
}

static bool advance_before(struct engine *e) {
    if (complete_for(e, e->plan->settle) && application_works(e, e->why, sizeof e->why)) {
        set_state(e, RUN_STEPS);
        return true;
    }
    if (e->now < timeout_at(e))
        return false;
    char limit[USEC_TEXT_MAX];
    engine_end(e, END_REASON_BROKEN, "the cluster was not ready within %s: %s", usec_format(limit, e->plan->timeout),
               *e->why ? e->why : "it did not settle");
    return true;
}

// ---- during the scenario -------------------------------------------------------------------------------------------
static const char *trouble_words(const struct live_fault *f) {
    return f->broke ? "ended by itself while it was in force" : "could not be healed";
}

// A heal that went wrong, of a step or at the end of a duration, or a fault that is no more: what follows would not be
// what the scenario says.
static bool end_on_trouble(struct engine *e) {
    for (size_t i = 0; i < e->faults.n; i++) {
        struct live_fault *f = &e->faults.items[i];
        if (!f->trouble || f->step == SIZE_MAX)
            continue;
        f->told = true;
        engine_end(e, f->trouble, "'%s' %s: %s", f->id, trouble_words(f), f->detail);
        return true;
    }
    return false;
}

static bool end_on_timeout(struct engine *e) {
    char limit[USEC_TEXT_MAX], waiting[200];
    if (e->now < timeout_at(e))
        return false;
    (void)engine_waiting_for(e, waiting, sizeof waiting);
    engine_end(e, e->unwatched ? END_REASON_UNWATCHED : END_REASON_EXPECTATION,
               "the scenario was not over within %s, %s", usec_format(limit, e->plan->timeout), waiting);
    return true;
}

static bool advance_steps(struct engine *e) {
    bool moved = live_advance(e);
    if (end_on_trouble(e) || steps_advance(e))
        return true;
    if (steps_ended(e) && !live_timed(e)) {
        set_state(e, RUN_OBSERVE);
        return true;
    }
    return end_on_timeout(e) || moved;
}

static bool advance_observe(struct engine *e) {
    bool moved = live_advance(e);
    bool cut = e->now >= timeout_at(e);
    if (e->now < later_by(e->state_since, e->plan->observe) && !cut)
        return moved;
    engine_end(e, END_REASON_COMPLETED, "%s", cut ? "observation was cut short by the scenario's timeout" : "");
    return true;
}

// ---- the end -------------------------------------------------------------------------------------------------------
static void note_trouble(struct engine *e) {
    for (size_t i = 0; i < e->faults.n; i++) {
        struct live_fault *f = &e->faults.items[i];
        if (!f->trouble || f->told)
            continue;
        f->told = true;
        if (e->reason == END_REASON_COMPLETED)
            e->reason = END_REASON_BROKEN;
        add_detail(e, "'%s' %s: %s", f->id, trouble_words(f), f->detail);
    }
}

static bool advance_heal(struct engine *e) {
    live_heal_all(e); // somebody may still be injecting by hand
    bool moved = live_advance(e), given_up = e->now >= e->heal_limit;
    if (live_active(e) && !given_up)
        return moved;
    if (live_active(e))
        add_detail(e, "%zu faults were not seen healed within %d s", live_active(e), (int)(ABORT_MAX / SEC));
    note_trouble(e);
    set_state(e, e->reason == END_REASON_COMPLETED && !e->aborted ? RUN_REJOIN : RUN_FINISHED);
    return true;
}

usec_t engine_rejoin_max(const struct engine *e) {
    return model_divergence(e->model, NULL, 0) ? REJOIN_DIVERGED : REJOIN_MAX;
}

static bool advance_rejoin(struct engine *e) {
    live_heal_all(e);
    usec_t most = engine_rejoin_max(e);
    bool moved = live_advance(e), in_time = e->now < later_by(e->state_since, most);
    bool complete = complete_for(e, e->healed_something ? REJOIN_HOLD : 0) && !live_active(e);
    if (!complete && in_time)
        return moved;
    if (!complete)
        add_detail(e, "not every member came back within %d s: %s", (int)(most / SEC), e->why);
    set_state(e, RUN_FINISHED);
    return true;
}

static bool advance_once(struct engine *e) {
    switch (e->state) {
    case RUN_BEFORE:
        return advance_before(e);
    case RUN_STEPS:
        return advance_steps(e);
    case RUN_OBSERVE:
        return advance_observe(e);
    case RUN_HEAL:
        return advance_heal(e);
    case RUN_REJOIN:
        return advance_rejoin(e);
    case RUN_FINISHED:
        return false;
    }
    return false;
}

static void advance(struct engine *e) {
    while (advance_once(e))
        ;
}

// ---- from outside --------------------------------------------------------------------------------------------------
static usec_t next_deadline(const struct engine *e) {
    usec_t settled = e->complete_since, sees = unwatched_now(e) ? e->sees_from : USEC_NEVER;
    switch (e->state) {
    case RUN_BEFORE:
        settled = settled == USEC_NEVER ? USEC_NEVER : later_by(settled, e->plan->settle);
        return earlier(earlier(settled > e->now ? settled : USEC_NEVER, sees), timeout_at(e));
    case RUN_STEPS:
        return earlier(earlier(steps_deadline(e), live_deadline(e)), timeout_at(e));
    case RUN_OBSERVE:
        return earlier(earlier(later_by(e->state_since, e->plan->observe), live_deadline(e)), timeout_at(e));
    case RUN_HEAL:
        return earlier(live_deadline(e), e->heal_limit);
    case RUN_REJOIN:
        settled = settled == USEC_NEVER ? USEC_NEVER : later_by(settled, REJOIN_HOLD);
        return earlier(earlier(earlier(settled > e->now ? settled : USEC_NEVER, sees), live_deadline(e)),
                       later_by(e->state_since, engine_rejoin_max(e)));
    case RUN_FINISHED:
        return USEC_NEVER;
    }
    return USEC_NEVER;
}

usec_t engine_deadline(const struct engine *e) {
    return e->started ? next_deadline(e) : USEC_NEVER;
}

// Everything the clock alone decides before `t` is decided at its own time, in order, with the model as it was then.
// With time that nobody watched before it: only what lies before that.
static void catch_up(struct engine *e, usec_t t) {
    for (usec_t d = engine_deadline(e); d < t && d > e->now; d = engine_deadline(e)) {
        e->now = d;
        advance(e);
    }
}

static void begin_call(struct engine *e, usec_t t, usec_t watched_until, effect_list *out) {
    e->out = out;
    if (!e->started) {
        e->started = true;
        e->now = e->first_event = e->state_since = t;
    }
    e->stamp = t > e->now ? t : e->now;
    catch_up(e, earlier(e->stamp, watched_until));
    e->now = e->stamp;
}

void engine_step(struct engine *e, const struct event *ev, effect_list *out) {
    usec_t from, to;
    bool stood_still = watch_standstill(ev, &from, &to);
    begin_call(e, ev->t, stood_still ? from : USEC_NEVER, out);
    if (stood_still)
        unwatched_note(e, from, e->now);
    model_apply(e->model, ev);
    if (ev->kind == EVENT_FAULT)
        live_on_event(e, ev);
    else if (ev->kind == EVENT_ACTION)
        steps_on_action(e, ev);
    else if (ev->kind == EVENT_COMMAND)
        hold_on_command(e, ev->u.COMMAND.verb);
    advance(e);
    next_tell(e);
    e->out = NULL;
}

void engine_abort(struct engine *e, usec_t now, enum end_reason reason, const char *detail, effect_list *out) {
    begin_call(e, now, USEC_NEVER, out);
    if (!e->aborted && e->state != RUN_FINISHED) {
        e->aborted = true;
        e->heal_limit = later_by(e->now, ABORT_MAX);
        if (e->reason == END_REASON_COMPLETED) { // a failure found before it stays the reason
            e->reason = reason;
            STR_COPY(e->detail, detail);
        }
        engine_end(e, reason, "%s", detail);
        if (e->state == RUN_REJOIN)
            set_state(e, RUN_HEAL);
        advance(e);
        next_tell(e);
    }
    e->out = NULL;
}

int engine_resolve(struct engine *e, const struct selector *sel, char (*nodes)[NODE_NAME_MAX], struct err *err) {
    const uint64_t by_hand =
        UINT64_C(1) << 63; // streams of their own: a draw by hand does not change those of the steps
    struct scope scope = engine_scope(e);
    struct node_list list = {0};
    int r = target_resolve(&scope, sel, by_hand + e->draws, &list, err);
    if (r < 0)
        return r;
    e->draws++;
    memcpy(nodes, list.names, list.n * sizeof list.names[0]);
    return (int)list.n;
}
