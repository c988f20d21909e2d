// SPDX-License-Identifier: PostgreSQL
#include "dashboard/replay.h"

#include <stdio.h>
#include <unistd.h>

// An event is folded when the cursor has reached everything that stands before it in the log.
static usec_t place(const struct replay *r, const struct event *ev) {
    return ev->t > r->feed.latest ? ev->t : r->feed.latest;
}

static bool peek(struct replay *r) {
    if (!r->have_next)
        r->have_next = feed_pull(&r->feed, &r->next) == 1;
    return r->have_next;
}

static bool fold_next(struct replay *r) {
    r->have_next = false;
    return feed_apply(&r->feed, &r->next);
}

// ---- marks ----------------------------------------------------------------------------------------------------------

static void add_mark(struct replay *r, usec_t t, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void add_mark(struct replay *r, usec_t t, const char *fmt, ...) {
    struct mark *m = VEC_ADD(&r->marks);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(m->text, sizeof m->text, fmt, ap);
    va_end(ap);
    m->t = t;
}

static void mark_fault(struct replay *r, const struct event *ev) {
    enum fault_phase phase = ev->u.FAULT.phase;
    if (phase == FAULT_PHASE_EFFECTIVE || phase == FAULT_PHASE_HEALED || phase == FAULT_PHASE_FAILED)
        add_mark(r, place(r, ev), "%s %s %s: %s", fault_phase_name(phase), ev->u.FAULT.id, ev->u.FAULT.mechanism,
                 ev->u.FAULT.nodes);
}

static void mark_leader(struct replay *r, const struct event *ev) {
    const struct model *m = r->feed.model;
    char nobody[160];
    if (m->kind->has & HA_AUTHORITY)
        add_mark(r, place(r, ev), *m->leader ? "the leader key is %s's" : "the leader key is gone", m->leader);
    else if (*m->leader)
        add_mark(r, place(r, ev), "%s %s", m->leader, m->kind->holds);
    else
        add_mark(r, place(r, ev), "%s", model_nobody(m, nobody, sizeof nobody));
}

// After the event was folded; `leader` is who held the key before.
static void mark_event(struct replay *r, const struct event *ev, const char *leader) {
    const struct model *m = r->feed.model;
    if (ev->kind == EVENT_FAULT)
        mark_fault(r, ev);
    else if (ev->kind == EVENT_LAB_STATE)
        add_mark(r, place(r, ev), "the lab is %s", lab_state_name(ev->u.LAB_STATE.state));
    else if (ev->kind == EVENT_RUN_END)
        add_mark(r, place(r, ev), "the run ends: %s", end_reason_name(ev->u.RUN_END.reason));
    else if (!str_eq(leader, m->leader))
        mark_leader(r, ev);
}

static int by_time(const void *a, const void *b) {
    const struct mark *x = a, *y = b;
    return x->t < y->t ? -1 : x->t > y->t;
}

static void mark_outages(struct replay *r) {
    const struct history *h = r->feed.history;
    char text[USEC_TEXT_MAX];
    VEC_FOREACH (&h->felt.writes, o) {
        add_mark(r, o->from, "%s",
                 outages_unserved(&h->felt, o->from) ? "the first write is tried" : "the last write before the outage");
        if (o->to != USEC_NEVER)
            add_mark(r, o->to, "the first write after an outage of %s", usec_format(text, o->to - o->from));
    }
    VEC_SORT(&r->marks, by_time);
}

// ---- opening --------------------------------------------------------------------------------------------------------

static void begin_again(struct replay *r) {
    feed_rewind(&r->feed);
    r->have_next = false;
    r->cursor = 0;
}

int replay_open(struct replay *r, const char *run_dir, struct err *err) {
    *r = (struct replay){.feed.fd = -1};
    int code = feed_open(&r->feed, run_dir, err);
    if (code < 0)
        return code;
    while (peek(r)) {
        char leader[NODE_NAME_MAX];
        STR_COPY(leader, r->feed.model->leader);
        (void)fold_next(r);
        mark_event(r, &r->next, leader);
    }
    r->end = r->feed.latest;
    r->unclear = r->feed.unclear;
    r->cut = r->feed.have > r->feed.at || r->feed.overlong;
    if (r->feed.events == 0) {
        replay_close(r);
        return err_set(err, EINVAL, "'%s' holds no event", run_dir);
    }
    mark_outages(r);
    begin_again(r);
    return 0;
}

void replay_close(struct replay *r) {
    feed_close(&r->feed);
    VEC_DONE(&r->marks);
}

// ---- moving ---------------------------------------------------------------------------------------------------------

void replay_seek(struct replay *r, usec_t t) {
    r->target = t < r->end ? t : r->end;
    if (r->target < r->cursor)
        begin_again(r);
}

bool replay_run(struct replay *r, usec_t budget, bool *urgent) {
    enum { LOOK_EVERY = 64 };
    usec_t until = usec_now() + budget;
    for (int n = 1; peek(r) && place(r, &r->next) <= r->target; n++) {
        bool news = fold_next(r);
        if (urgent)
            *urgent |= news;
        if (n % LOOK_EVERY == 0 && usec_now() >= until) {
            r->cursor = r->feed.latest;
            return false;
        }
    }
    r->cursor = r->target;
    return true;
}

const struct event *replay_step(struct replay *r) {
    if (!peek(r))
        return NULL;
    usec_t at = place(r, &r->next);
    (void)fold_next(r);
    r->cursor = r->target = at > r->cursor ? at : r->cursor;
    return &r->next;
}

const struct mark *replay_mark(const struct replay *r, bool forward) {
    const struct mark *before = NULL;
    VEC_FOREACH (&r->marks, m) {
        if (forward && m->t > r->cursor)
            return m;
        if (!forward && m->t < r->cursor)
            before = m;
    }
    return before;
}
