// SPDX-License-Identifier: PostgreSQL
// The faults that are in the world now.
//
//   asked --verified--> bites --heal asked--> healing --healed--> healed --heal verified--> gone
//
// A fault that failed or could not be verified is a dud: it counts as biting, is healed for safety, and the run is
// worth nothing. A heal that is not answered, failed, or not verified is trouble: it is remembered, and the fault is
// given up as gone, since waiting longer would not end the run. Faults injected by hand are known from their events;
// they are healed with the others.
#include <stdio.h>

#include "lab/engine/internal.h"

static const size_t by_hand = SIZE_MAX;

struct live_fault *live_find(struct engine *e, const char *id) {
    for (size_t i = e->faults.n; i > 0; i--)
        if (str_eq(e->faults.items[i - 1].id, id))
            return &e->faults.items[i - 1];
    return NULL;
}

size_t live_active(const struct engine *e) {
    size_t n = 0;
    for (size_t i = 0; i < e->faults.n; i++)
        n += e->faults.items[i].phase != LIVE_GONE;
    return n;
}

bool live_timed(const struct engine *e) {
    for (size_t i = 0; i < e->faults.n; i++) {
        const struct live_fault *f = &e->faults.items[i];
        if (f->phase == LIVE_HEALING || f->phase == LIVE_HEALED || (f->phase == LIVE_BITES && f->heal_at != USEC_NEVER))
            return true;
    }
    return false;
}

static struct live_fault *live_add(struct engine *e, const char *id, size_t step) {
    struct live_fault *f = VEC_ADD(&e->faults);
    STR_COPY(f->id, id);
    f->step = step;
    f->phase = LIVE_ASKED;
    f->heal_at = USEC_NEVER;
    f->limit = step == by_hand ? USEC_NEVER : later_by(e->now, INJECT_MAX);
    return f;
}

void live_inject(struct engine *e, size_t step, const struct node_list *nodes) {
    const struct step *s = &e->plan->steps.items[step];
    struct effect *out = engine_effect(e, EFFECT_INJECT);
    out->step = s;
    STR_COPY(out->id, s->name);
    memcpy(out->nodes, nodes->names, sizeof out->nodes);
    out->n_nodes = nodes->n;
    (void)live_add(e, s->name, step);
}

// The injector heals in its own order, perhaps one after another: whoever comes behind others gets more time.
static usec_t heal_limit(const struct engine *e) {
    size_t ahead = 0;
    for (size_t i = 0; i < e->faults.n; i++)
        ahead += e->faults.items[i].phase == LIVE_HEALING;
    return later_by(e->now, HEAL_MAX * (ahead < HEAL_QUEUE_MAX ? ahead + 1 : HEAL_QUEUE_MAX));
}

void live_heal(struct engine *e, struct live_fault *f) {
    if (f->phase != LIVE_ASKED && f->phase != LIVE_BITES)
        return;
    struct effect *out = engine_effect(e, EFFECT_HEAL);
    STR_COPY(out->id, f->id);
    f->limit = f->dud ? later_by(e->now, HEAL_DUD_MAX) : heal_limit(e);
    f->phase = LIVE_HEALING;
    f->heal_at = USEC_NEVER;
}

void live_heal_all(struct engine *e) {
    for (size_t i = e->faults.n; i > 0; i--)
        live_heal(e, &e->faults.items[i - 1]);
}

// ---- what the world answers ----------------------------------------------------------------------------------------
static void give_up(struct live_fault *f, enum end_reason trouble, const char *detail) {
    if (!f->dud) // it never bit: nothing to be healed, nothing to complain of
        f->trouble = trouble;
    STR_COPY(f->detail, detail);
    f->phase = LIVE_GONE;
    f->limit = f->heal_at = USEC_NEVER;
}

static void on_verified(struct engine *e, struct live_fault *f) {
    if (f->phase != LIVE_ASKED)
        return;
    f->phase = LIVE_BITES;
    f->verified = true;
    f->limit = USEC_NEVER;
    usec_t duration = f->step == by_hand ? 0 : e->plan->steps.items[f->step].duration;
    if (duration) // counted from the effect, but never healed before it was verified
        f->heal_at = later_by(f->effective ? f->effective : e->now, duration);
}

static bool in_healing(const struct live_fault *f) {
    return f->phase == LIVE_HEALING || f->phase == LIVE_HEALED;
}

static void on_injection_failed(struct live_fault *f, const char *detail) {
    f->phase = LIVE_BITES;
    f->dud = true;
    f->limit = USEC_NEVER;
    STR_COPY(f->detail, detail);
}

// "failed" speaks of the injection as long as that has not been answered, even when its heal was asked meanwhile.
static void on_failed(struct engine *e, struct live_fault *f, const char *detail) {
    if (f->phase == LIVE_ASKED) {
        on_injection_failed(f, detail);
    } else if (in_healing(f) && !f->verified && !f->dud) {
        f->dud = true; // what was half done is being undone
        f->limit = later_by(e->now, HEAL_DUD_MAX);
    } else if (in_healing(f)) {
        give_up(f, END_REASON_BROKEN, detail);
    } else if (f->phase == LIVE_BITES && !f->dud) { // it bit, and stopped by itself: what follows is no test of it
        f->broke = true;
        f->trouble = END_REASON_UNVERIFIED;
        STR_COPY(f->detail, detail);
    }
}

static void on_heal_asked(struct engine *e, struct live_fault *f) {
    if (f->phase != LIVE_ASKED && f->phase != LIVE_BITES)
        return;
    f->phase = LIVE_HEALING; // by hand
    f->heal_at = USEC_NEVER;
    f->limit = later_by(e->now, HEAL_MAX);
}

static void on_healed(struct engine *e, struct live_fault *f) {
    if (f->phase == LIVE_GONE)
        return;
    f->phase = LIVE_HEALED;
    f->heal_at = USEC_NEVER;
    f->limit = later_by(e->now, HEAL_VERIFY_MAX);
}

static bool is_step(const struct engine *e, const char *id) {
    for (size_t i = 0; i < e->plan->steps.n; i++)
        if (str_eq(e->plan->steps.items[i].name, id))
            return true;
    return false;
}

void live_on_event(struct engine *e, const struct event *ev) {
    enum fault_phase phase = ev->u.FAULT.phase;
    const char *detail = ev->u.FAULT.detail;
    if (!e->plan->steps.n) // `bascule up`: people inject and heal by hand, nothing ends by itself
        return;
    struct live_fault *f = live_find(e, ev->u.FAULT.id);
    bool again = f && f->step == by_hand && f->phase == LIVE_GONE;
    if (phase == FAULT_PHASE_ASKED && (again || (!f && !is_step(e, ev->u.FAULT.id)))) // a step's id is the step's alone
        f = live_add(e, ev->u.FAULT.id, by_hand);
    if (!f)
        return;
    switch (phase) {
    case FAULT_PHASE_EFFECTIVE:
        f->effective = ev->t;
        break;
    case FAULT_PHASE_VERIFIED:
        on_verified(e, f);
        break;
    case FAULT_PHASE_UNVERIFIED:
        if (f->phase == LIVE_ASKED)
            on_injection_failed(f, detail);
        break;
    case FAULT_PHASE_HEAL_ASKED:
        on_heal_asked(e, f);
        break;
    case FAULT_PHASE_HEALED:
        on_healed(e, f);
        break;
    case FAULT_PHASE_HEAL_VERIFIED:
        give_up(f, END_REASON_NONE, detail);
        break;
    case FAULT_PHASE_HEAL_UNVERIFIED:
        if (f->phase != LIVE_GONE)
            give_up(f, END_REASON_UNVERIFIED, detail);
        break;
    case FAULT_PHASE_FAILED:
        on_failed(e, f, detail);
        break;
    case FAULT_PHASE_NONE:
    case FAULT_PHASE_UNKNOWN:
    case FAULT_PHASE_ASKED:
        break;
    }
}

// ---- the clock -----------------------------------------------------------------------------------------------------
static void out_of_patience(struct live_fault *f) {
    char text[120];
    if (f->phase == LIVE_ASKED) {
        (void)snprintf(text, sizeof text, "not verified within %d s", (int)(INJECT_MAX / SEC));
        on_injection_failed(f, text);
    } else if (f->phase == LIVE_HEALED) {
        (void)snprintf(text, sizeof text, "healed, but not seen to be gone within %d s", (int)(HEAL_VERIFY_MAX / SEC));
        give_up(f, END_REASON_UNVERIFIED, text);
    } else {
        (void)snprintf(text, sizeof text, "no answer to the heal in time");
        give_up(f, END_REASON_BROKEN, text);
    }
}

bool live_advance(struct engine *e) {
    bool moved = false;
    for (size_t i = e->faults.n; i > 0; i--) { // newest first, as at the end
        struct live_fault *f = &e->faults.items[i - 1];
        if (f->limit <= e->now) {
            out_of_patience(f);
            moved = true;
        }
        if (f->phase == LIVE_BITES && f->heal_at <= e->now) {
            live_heal(e, f);
            moved = true;
        }
    }
    return moved;
}

usec_t live_deadline(const struct engine *e) {
    usec_t d = USEC_NEVER;
    for (size_t i = 0; i < e->faults.n; i++)
        d = earlier(d, earlier(e->faults.items[i].limit, e->faults.items[i].heal_at));
    return d;
}
