// SPDX-License-Identifier: PostgreSQL
// Which injection the outage belongs to: the latest one that had taken effect when the outage began. A fault that
// prepares the ground (cut replication, then kill the leader) is then not blamed for what the second one did.
#include "lab/measure/fold.h"

static usec_t effect_of(const struct fault_measure *f) {
    return f->effective ? f->effective : f->asked;
}

const char *leader_at(const struct measure *m, usec_t t) {
    const char *holder = "";
    VEC_FOREACH (&m->keys, k)
        if (k->t <= t || (k->initial && k == m->keys.items)) // what the first read found was there before
            holder = k->value;
    return holder;
}

static int first_fault(const struct measure *m) {
    int best = -1;
    for (size_t i = 0; i < m->out.faults.n; i++) {
        usec_t t = effect_of(&m->out.faults.items[i]);
        if (t && (best < 0 || t < effect_of(&m->out.faults.items[best])))
            best = (int)i;
    }
    return best;
}

// It bites somewhere between the order and the moment at which the effect was seen (a power-off cuts the link, then kills and reaps),
// so one that was ordered in time and seen a tenth of a second late had bitten.
static bool had_bitten(const struct fault_measure *f, usec_t limit) {
    usec_t t = effect_of(f);
    return t && (t <= limit || (f->asked && f->asked <= limit && t <= limit + SEC / 10));
}

static int last_fault_before(const struct measure *m, usec_t limit) {
    int best = -1;
    for (size_t i = 0; i < m->out.faults.n; i++) {
        const struct fault_measure *f = &m->out.faults.items[i];
        if (had_bitten(f, limit) && (best < 0 || effect_of(f) >= effect_of(&m->out.faults.items[best])))
            best = (int)i;
    }
    return best;
}

// Without an outage: the moment the leader's key went, or changed hands.
static usec_t first_key_loss(const struct measure *m, usec_t since) {
    const char *holder = leader_at(m, since);
    VEC_FOREACH (&m->keys, k)
        if (k->t > since && !str_eq(k->value, holder))
            return k->t;
    return 0;
}

static void note_leaders(struct measure *m, usec_t since) {
    struct measures *o = &m->out;
    STR_COPY(o->old_leader, leader_at(m, since));
    VEC_FOREACH (&m->keys, k) {
        if (k->t <= since || k->gone)
            continue;
        o->leader_changed = o->leader_changed || (*o->old_leader && !str_eq(k->value, o->old_leader));
        STR_COPY(o->new_leader, k->value);
    }
    if (!*o->new_leader)
        STR_COPY(o->new_leader, m->keys.n ? m->keys.items[m->keys.n - 1].value : "");
}

void cause_choose(struct measure *m) {
    struct measures *o = &m->out;
    int first = first_fault(m);
    if (first < 0) {
        note_leaders(m, m->first_try);
        return;
    }
    usec_t since = effect_of(&o->faults.items[first]);
    // An effect is seen a moment after it bites, and the last acknowledgement may be on its way then.
    usec_t limit = o->outage ? o->outage_start + o->resolution : first_key_loss(m, since);
    o->cause = last_fault_before(m, limit);
    if (o->cause < 0)
        o->cause = first;
    note_leaders(m, since);
    usec_t effect = effect_of(&o->faults.items[o->cause]);
    if (o->outage && !o->outage_open && o->outage_end > effect)
        o->recovery = o->outage_end - effect;
}
