// SPDX-License-Identifier: PostgreSQL
// Ticks for the page. A short run keeps its 100 ms. A long one is summed up to wider buckets, except where something happened:
// around a fault and the outage every 100 ms stays, so that zooming in shows what was measured.
#include "lab/base/count.h"
#include "lab/report/html_fold.h"

enum {
    PLAIN_MAX = 6000,  // ten minutes of 100 ms: drawn as they are
    DETAIL_MAX = 6000, // buckets of 100 ms that a long run may keep
};
#define BEFORE (10 * SEC)
#define AFTER  (60 * SEC)

static bool within(usec_t t, usec_t from, usec_t to) {
    return t + BEFORE >= from && t <= to + BEFORE;
}

bool html_interesting(const struct measures *m, usec_t t) {
    if (m->outage.present && within(t, m->outage.start, m->outage.end))
        return true;
    VEC_FOREACH (&m->faults, f) {
        usec_t at = f->effective ? f->effective : f->asked;
        if (within(t, at, at + AFTER) || (f->healed && within(t, f->healed, f->healed + AFTER)))
            return true;
    }
    return false;
}

static usec_t choose_step(const struct html_page *p) {
    static const usec_t steps[] = {SEC, 2 * SEC, 5 * SEC, 10 * SEC, 30 * SEC, 60 * SEC, 600 * SEC};
    if (p->ticks.n <= PLAIN_MAX)
        return 100 * MSEC;
    usec_t span = p->ticks.items[p->ticks.n - 1].from - p->ticks.items[0].from;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (span / steps[i] <= PLAIN_MAX)
            return steps[i];
    return 3600 * SEC;
}

static void sum_up(struct html_tick *into, const struct html_tick *k) {
    into->w_ok = count_add(into->w_ok, k->w_ok);
    into->w_failed = count_add(into->w_failed, k->w_failed);
    into->w_unknown = count_add(into->w_unknown, k->w_unknown);
    into->r_ok = count_add(into->r_ok, k->r_ok);
    into->r_failed = count_add(into->r_failed, k->r_failed);
    into->w_max_us = k->w_max_us > into->w_max_us ? k->w_max_us : into->w_max_us;
    into->r_max_us = k->r_max_us > into->r_max_us ? k->r_max_us : into->r_max_us;
    into->w_low = k->w_low < into->w_low ? k->w_low : into->w_low;
}

void html_ticks(const struct html_page *p, const struct measures *m, tick_list *out, usec_t *ret_step) {
    usec_t step = choose_step(p);
    size_t detailed = 0;
    *ret_step = step;
    VEC_FOREACH (&p->ticks, k) {
        bool fine = step == 100 * MSEC || (detailed < DETAIL_MAX && html_interesting(m, k->from));
        struct html_tick *last = out->n ? &out->items[out->n - 1] : NULL;
        detailed += fine;
        if (!fine && last && last->length == step && last->from / step == k->from / step) {
            sum_up(last, k);
            continue;
        }
        struct html_tick n = *k;
        if (!fine) { // a whole bucket; where it would run into detailed ones it begins late or ends early
            n.length = step;
            n.from = k->from / step * step;
            if (last && last->from + last->length > n.from)
                n.from = k->from;
        }
        if (last && last->from + last->length > n.from && n.from > last->from)
            last->length = n.from - last->from;
        VEC_PUSH(out, n);
    }
}
