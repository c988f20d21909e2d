// SPDX-License-Identifier: PostgreSQL
// The application: its ticks and errors, and what its rows were at the end. Its outages are lab/model/outages.h.
#include "dashboard/history_fold.h"

static uint16_t fit_uint16(int64_t n) {
    return (uint16_t)(n < 0 ? 0 : n > UINT16_MAX ? UINT16_MAX : n);
}

static uint32_t fit_uint32(int64_t us) {
    return (uint32_t)(us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : us);
}

// Part i of n.
static uint16_t share(int64_t sum, int64_t i, int64_t n) {
    return fit_uint16(sum / n + (i < sum % n));
}

static void add_tick(struct history *h, const struct event *ev, int64_t i, int64_t n) {
    TRIM_OLDEST(&h->ticks, KEEP_TICKS, TRIM_NOTHING);
    struct tick t = {
        .at = ev->u.CLIENT_TICK.from + (usec_t)i * OUTAGES_BUCKET,
        .w_ok = share(ev->u.CLIENT_TICK.w_ok, i, n),
        .w_bad = share(ev->u.CLIENT_TICK.w_failed + ev->u.CLIENT_TICK.w_unknown, i, n),
        .r_ok = share(ev->u.CLIENT_TICK.r_ok, i, n),
        .r_bad = share(ev->u.CLIENT_TICK.r_failed, i, n),
        .w_max_us = fit_uint32(ev->u.CLIENT_TICK.w_max_us),
        .r_max_us = fit_uint32(ev->u.CLIENT_TICK.r_max_us),
    };
    if (h->ticks.n && h->ticks.items[h->ticks.n - 1].at > t.at) // a list in order of time is what every screen searches
        t.at = h->ticks.items[h->ticks.n - 1].at;
    VEC_PUSH(&h->ticks, t);
}

// The columns of every screen are made of 100 ms: a merged tick is drawn as the mean of its time, in which each of them went the same way.
void fold_tick(struct fold *f, const struct event *ev) {
    int64_t n = (int64_t)((event_tick_end(ev) - ev->u.CLIENT_TICK.from) / OUTAGES_BUCKET);
    for (int64_t i = 0; i < n; i++)
        add_tick(&f->h, ev, i, n);
}

void fold_client_error(struct fold *f, const struct event *ev) {
    TRIM_OLDEST(&f->h.client_errors, KEEP_KEYS, TRIM_NOTHING);
    struct client_error *e = VEC_ADD(&f->h.client_errors);
    e->t = ev->t;
    e->phase = ev->u.CLIENT_ERROR.phase;
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
