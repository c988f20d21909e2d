// SPDX-License-Identifier: PostgreSQL
// Which injection the outage belongs to: the latest one that had taken effect when the outage began and may explain it (lab/model/blame.h). A fault that
// prepares the ground (cut replication, then kill the leader) is then not blamed for what the second one did, and one that was healed long
// before is blamed for nothing: no cause is an answer.
#include "lab/measure/fold.h"
#include "lab/model/blame.h"

static usec_t effect_of(const struct fault_measure *f) {
    return f->effective ? f->effective : f->asked;
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

static usec_t explains_until(const struct measure *m, const struct fault_measure *f) {
    usec_t bite = effect_of(f);
    struct ha_fault done = {f->mechanism, f->params, f->nodes, leadership_holder(&m->leadership, bite)};
    return m->leadership.system->explains_until(&done, bite, f->over ? f->over : USEC_NEVER, &m->leadership);
}

static int who_explains(const struct measure *m, usec_t began, usec_t ended, usec_t resolution) {
    VEC(struct blame_candidate) list = {0};
    VEC_FOREACH (&m->out.faults, f)
        VEC_PUSH(&list, ((struct blame_candidate){f->asked, f->effective, explains_until(m, f)}));
    int best = blame_choose(list.items, list.n, began, ended, resolution);
    VEC_DONE(&list);
    return best;
}

// Without an outage: the moment the leader's key went, or changed hands.
static usec_t first_key_loss(const struct measure *m, usec_t since) {
    const char *holder = leadership_holder(&m->leadership, since);
    VEC_FOREACH (&m->leadership.keys, k)
        if (k->t > since && !str_eq(k->value, holder))
            return k->t;
    return 0;
}

static void note_leaders(struct measure *m, usec_t since) {
    struct measures *o = &m->out;
    STR_COPY(o->cause.old_leader, leadership_holder(&m->leadership, since));
    VEC_FOREACH (&m->leadership.keys, k) {
        if (k->t <= since || k->gone)
            continue;
        o->cause.leader_changed =
            o->cause.leader_changed || (*o->cause.old_leader && !str_eq(k->value, o->cause.old_leader));
        STR_COPY(o->cause.new_leader, k->value);
    }
    if (!*o->cause.new_leader)
        STR_COPY(o->cause.new_leader,
                 m->leadership.keys.n ? m->leadership.keys.items[m->leadership.keys.n - 1].value : "");
}

// Which injection the phases belong to. Without an outage and without a lost key it is the first one: there is nothing to explain, and a rejoin is still
// measured from it.
static int choose(const struct measure *m, int first, usec_t since) {
    const struct measures *o = &m->out;
    if (o->outage
            .present) // an effect is seen a moment after it bites, and the last acknowledgement may be on its way then
        return who_explains(m, o->outage.start, o->outage.open ? USEC_NEVER : o->outage.end, o->outage.resolution);
    usec_t lost = first_key_loss(m, since);
    return lost ? who_explains(m, lost, USEC_NEVER, leadership_unwatched(&m->leadership, lost)) : first;
}

void cause_choose(struct measure *m) {
    struct measures *o = &m->out;
    int first = first_fault(m);
    if (first < 0) {
        note_leaders(m, m->first_try);
        return;
    }
    usec_t since = effect_of(&o->faults.items[first]);
    o->cause.fault = choose(m, first, since);
    note_leaders(m, since);
    usec_t effect = o->cause.fault >= 0 ? effect_of(&o->faults.items[o->cause.fault]) : USEC_NEVER;
    if (o->outage.present && !o->outage.open && o->outage.end > effect)
        o->cause.recovery = o->outage.end - effect;
}
