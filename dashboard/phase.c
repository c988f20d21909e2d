// SPDX-License-Identifier: PostgreSQL
#include "dashboard/phase.h"

#include "lab/model/blame.h"

static const struct fault_band *nth_band(const struct history *h, size_t i) {
    return i < h->faults.n ? &h->faults.items[i] : &h->acts.items[i - h->faults.n];
}

static struct ha_fault ha_fault_of(const struct history *h, const struct fault_band *f) {
    return (struct ha_fault){f->mechanism, f->params, f->nodes, leadership_holder(&h->leadership, f->from)};
}

static const struct fault_band *find_cause(const struct history *h, const struct outage *o) {
    const usec_t resolution = 20 * MSEC; // a period and the way of a write, at the usual load
    VEC(struct blame_candidate) list = {0};
    for (size_t i = 0; i < h->faults.n + h->acts.n; i++) {
        const struct fault_band *f = nth_band(h, i);
        struct ha_fault done = ha_fault_of(h, f);
        usec_t until = h->leadership.system->explains_until(&done, f->from, f->to, &h->leadership);
        VEC_PUSH(&list, ((struct blame_candidate){f->asked, f->from, until}));
    }
    int best = blame_choose(list.items, list.n, o->from, o->to, resolution);
    VEC_DONE(&list);
    return best < 0 ? NULL : nth_band(h, (size_t)best);
}

static void tell_bounds(const struct model *m, const struct history *h, const struct fault_band *f,
                        struct recovery *r) {
    const struct bound_case c = {
        .fault = ha_fault_of(h, f),
        .id = f->id,
        .asked = f->asked,
        .bite = f->from,
        .healed = f->act ? USEC_NEVER : f->to,
        .now = h->now,
        .no_quorum = r->no_quorum,
        .quorum_lost = r->quorum_lost,
    };
    h->leadership.system->bounds(&h->leadership, m, &c, r->phases);
}

void outage_tell(const struct model *m, const struct history *h, const struct outage *o, usec_t now,
                 struct outage_story *ret) {
    *ret = (struct outage_story){
        .open = o->to == USEC_NEVER, .from = o->from, .to = outages_until(&h->felt, o, now), .cause = find_cause(h, o)};
    struct ha_fault done = ret->cause ? ha_fault_of(h, ret->cause) : (struct ha_fault){0};
    const struct recovery_case asked = {
        .start = ret->cause ? ret->cause->from : o->from,
        .now = now,
        .served = !ret->open,
        .end = ret->open ? 0 : o->to,
        .pause = ret->open ? 0 : o->to - o->from,
        .effect = ret->cause ? h->leadership.system->effect(&done) : HA_NONE,
        .live = true,
    };
    recovery_tell(&h->leadership, &asked, &ret->recovery);
    if (ret->cause)
        tell_bounds(m, h, ret->cause, &ret->recovery);
}
