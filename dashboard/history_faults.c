// SPDX-License-Identifier: PostgreSQL
// Faults as bands on the time axis. A band exists from the moment a fault bites until it is healed; what is only asked for waits in
// f->asked.
#include "dashboard/history_fold.h"

static struct fault_band *find_asked(struct fold *f, const char *id) {
    VEC_FOREACH (&f->asked, b)
        if (str_eq(b->id, id))
            return b;
    return NULL;
}

static struct fault_band *find_open(struct history *h, const char *id) {
    for (size_t i = h->faults.n; i > 0; i--)
        if (str_eq(h->faults.items[i - 1].id, id) && h->faults.items[i - 1].to == USEC_NEVER)
            return &h->faults.items[i - 1];
    return NULL;
}

static void drop_asked(struct fold *f, struct fault_band *b) {
    *b = f->asked.items[--f->asked.n];
}

static void note_text(struct fault_band *b, const struct event *ev) {
    if (*ev->u.FAULT.mechanism)
        STR_COPY(b->mechanism, ev->u.FAULT.mechanism);
    if (*ev->u.FAULT.target)
        STR_COPY(b->target, ev->u.FAULT.target);
    if (*ev->u.FAULT.nodes)
        STR_COPY(b->nodes, ev->u.FAULT.nodes);
    if (*ev->u.FAULT.params)
        STR_COPY(b->params, ev->u.FAULT.params);
    if (*ev->u.FAULT.detail)
        STR_COPY(b->detail, ev->u.FAULT.detail);
}

static struct fault_band *note_asked(struct fold *f, const struct event *ev) {
    struct fault_band *b = find_asked(f, ev->u.FAULT.id);
    TRIM_OLDEST(&f->asked, KEEP_KEYS, TRIM_NOTHING);
    b = b ? b : VEC_ADD(&f->asked);
    memset(b, 0, sizeof *b);
    STR_COPY(b->id, ev->u.FAULT.id);
    b->asked = ev->t;
    return b;
}

static struct fault_band *begin_band(struct fold *f, const struct event *ev) {
    TRIM_OLDEST(&f->h.faults, KEEP_KEYS, TRIM_NOTHING);
    struct fault_band *b = VEC_ADD(&f->h.faults), *asked = find_asked(f, ev->u.FAULT.id);
    if (asked) {
        *b = *asked;
        drop_asked(f, asked);
    } else // a log that begins in the middle
        STR_COPY(b->id, ev->u.FAULT.id);
    b->from = ev->t;
    b->to = USEC_NEVER;
    return b;
}

void fold_fault_phase(struct fold *f, const struct event *ev) {
    enum fault_phase phase = ev->u.FAULT.phase;
    bool bites = phase == FAULT_PHASE_EFFECTIVE || phase == FAULT_PHASE_VERIFIED;
    bool over = phase == FAULT_PHASE_HEALED || phase == FAULT_PHASE_HEAL_VERIFIED || phase == FAULT_PHASE_FAILED;
    struct fault_band *b = find_open(&f->h, ev->u.FAULT.id), *asked = find_asked(f, ev->u.FAULT.id);
    if (over && asked && !b) { // it never bit
        drop_asked(f, asked);
        return;
    }
    if (phase == FAULT_PHASE_ASKED)
        b = note_asked(f, ev);
    else if (!b && bites)
        b = begin_band(f, ev);
    else if (!b)
        b = asked;
    if (!b)
        return;
    note_text(b, ev);
    b->verified |= phase == FAULT_PHASE_VERIFIED;
    if (over)
        b->to = ev->t > b->from ? ev->t : b->from;
}

// An act works from the moment it is asked for.
void fold_act(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    if (ev->u.ACTION.phase == ACTION_PHASE_ASKED) {
        TRIM_OLDEST(&h->acts, KEEP_KEYS, TRIM_NOTHING);
        struct fault_band *b = VEC_ADD(&h->acts);
        STR_COPY(b->id, ev->u.ACTION.id);
        STR_COPY(b->mechanism, ev->u.ACTION.action);
        b->asked = b->from = ev->t;
        b->to = USEC_NEVER;
        b->act = true;
        return;
    }
    for (size_t i = h->acts.n; i > 0; i--)
        if (str_eq(h->acts.items[i - 1].id, ev->u.ACTION.id) && h->acts.items[i - 1].to == USEC_NEVER) {
            h->acts.items[i - 1].to = ev->t > h->acts.items[i - 1].from ? ev->t : h->acts.items[i - 1].from;
            return;
        }
}
