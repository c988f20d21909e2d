// SPDX-License-Identifier: PostgreSQL
// The application: its ticks, and the outages it felt. docs/measures.md defines the write outage of a finished run; this is the
// same thing while it happens: a stopwatch that starts at the last acknowledged write as soon as 250 ms have passed without another one
// although one was tried, and stops at the next.
#include "dashboard/history_fold.h"

#define BUCKET (100 * MSEC)
#define HICCUP (250 * MSEC) // shorter pauses are slow, not down

static uint16_t small(int64_t n) {
    return (uint16_t)(n < 0 ? 0 : n > UINT16_MAX ? UINT16_MAX : n);
}

static uint32_t small_time(int64_t us) {
    return (uint32_t)(us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : us);
}

static void note_tick(struct history *h, const struct event *ev) {
    TRIM_OLDEST(&h->ticks, KEEP_TICKS, TRIM_NOTHING);
    struct tick t = {
        .at = ev->u.CLIENT_TICK.from,
        .w_ok = small(ev->u.CLIENT_TICK.w_ok),
        .w_bad = small(ev->u.CLIENT_TICK.w_failed + ev->u.CLIENT_TICK.w_unknown),
        .r_ok = small(ev->u.CLIENT_TICK.r_ok),
        .r_bad = small(ev->u.CLIENT_TICK.r_failed),
        .w_max_us = small_time(ev->u.CLIENT_TICK.w_max_us),
        .r_max_us = small_time(ev->u.CLIENT_TICK.r_max_us),
    };
    if (h->ticks.n && h->ticks.items[h->ticks.n - 1].at > t.at) // a list in order of time is what every screen searches
        t.at = h->ticks.items[h->ticks.n - 1].at;
    VEC_PUSH(&h->ticks, t);
}

static void outage_begin(struct fold *f) {
    TRIM_OLDEST(&f->h.outages, KEEP_POINTS, TRIM_NOTHING);
    VEC_PUSH(&f->h.outages, ((struct outage){.from = f->w_last_ok, .to = USEC_NEVER}));
    f->outage_open = true;
}

static void on_good_write(struct fold *f, const struct event *ev) {
    usec_t end = ev->u.CLIENT_TICK.from + BUCKET;
    usec_t first = ev->u.CLIENT_TICK.w_first_ok ? ev->u.CLIENT_TICK.w_first_ok : end;
    usec_t last = ev->u.CLIENT_TICK.w_last_ok ? ev->u.CLIENT_TICK.w_last_ok : end;
    if (!f->outage_open && f->w_last_ok && f->tried_since && first > f->w_last_ok + HICCUP)
        outage_begin(f);
    if (f->outage_open)
        f->h.outages.items[f->h.outages.n - 1].to = first > f->w_last_ok ? first : f->w_last_ok;
    f->outage_open = f->tried_since = false;
    f->w_last_ok = last;
}

void fold_tick(struct fold *f, const struct event *ev) {
    note_tick(&f->h, ev);
    if (ev->u.CLIENT_TICK.w_ok > 0) {
        on_good_write(f, ev);
        return;
    }
    f->tried_since |= ev->u.CLIENT_TICK.w_tried > 0 || ev->u.CLIENT_TICK.w_failed > 0 ||
                      ev->u.CLIENT_TICK.w_unknown > 0 || ev->u.CLIENT_TICK.in_flight > 0;
    if (f->w_last_ok && !f->outage_open && f->tried_since && ev->u.CLIENT_TICK.from + BUCKET > f->w_last_ok + HICCUP)
        outage_begin(f);
}

void fold_client_error(struct fold *f, const struct event *ev) {
    TRIM_OLDEST(&f->h.client_errors, KEEP_KEYS, TRIM_NOTHING);
    struct client_error *e = VEC_ADD(&f->h.client_errors);
    e->t = ev->t;
    STR_COPY(e->phase, ev->u.CLIENT_ERROR.phase);
    STR_COPY(e->node, ev->u.CLIENT_ERROR.node);
    STR_COPY(e->text, ev->u.CLIENT_ERROR.text);
}

void fold_final(struct fold *f, const struct event *ev) {
    TRIM_OLDEST(&f->h.finals, NODES_MAX, TRIM_NOTHING);
    struct final_entry *e = VEC_ADD(&f->h.finals);
    STR_COPY(e->node, ev->u.FINAL_READ.node);
    e->ok = ev->u.FINAL_READ.ok;
    e->leader = ev->u.FINAL_READ.leader;
    e->rows = ev->u.FINAL_READ.rows;
}
