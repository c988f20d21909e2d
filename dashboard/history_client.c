// SPDX-License-Identifier: PostgreSQL
// The application: its ticks and errors, and what its rows were at the end. Its outages are lab/model/outages.h.
#include "dashboard/history_fold.h"

static uint16_t small(int64_t n) {
    return (uint16_t)(n < 0 ? 0 : n > UINT16_MAX ? UINT16_MAX : n);
}

static uint32_t small_time(int64_t us) {
    return (uint32_t)(us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : us);
}

void fold_tick(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
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
