// SPDX-License-Identifier: PostgreSQL
// What the fold of a finished run tells the laws (bounds.h).
#include "lab/measure/fold.h"

static const char *etcd_leader_at(const struct measure *m, usec_t t) {
    int leader = -1;
    VEC_FOREACH (&m->etcd, e)
        if (e->t <= t && (e->leader || e->node == leader))
            leader = e->leader ? e->node : -1;
    return leader < 0 ? "" : m->nodes[leader].name;
}

// When it was first seen that etcd had another leader than at `from`.
static usec_t etcd_leader_changed(const struct measure *m, usec_t from) {
    int leader = -1;
    VEC_FOREACH (&m->etcd, e) {
        if (e->t <= from && (e->leader || e->node == leader))
            leader = e->leader ? e->node : -1;
        else if (leader >= 0 && e->t > from && e->leader && e->node != leader)
            return e->t;
    }
    return USEC_NEVER;
}

// When an administrator first named a new leader, after the fault was ordered.
static usec_t leader_named(const struct measures *o, const struct fault_measure *f) {
    usec_t first = USEC_NEVER;
    VEC_FOREACH (&o->faults, a)
        if (a != f && a->action && a->asked >= f->asked && a->asked < first && law_names_leader(a->mechanism))
            first = a->asked;
    return first;
}

static struct law_renewal renewal_before(const struct measure *m, usec_t t) {
    struct law_renewal last = {0};
    VEC_FOREACH (&m->leases, x)
        law_note_renewal(&last, (struct law_renewal){.at = x->renewed, .error = x->error, .ttl = x->ttl}, t);
    return last;
}

static bool has_haproxy(const struct measure *m) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].haproxy)
            return true;
    return false;
}

void bounds_measure(struct measure *m) {
    struct measures *o = &m->out;
    if (o->cause < 0)
        return;
    const struct fault_measure *f = &o->faults.items[o->cause];
    usec_t t = f->effective ? f->effective : f->asked;
    struct bound_facts facts = {
        .fault = {f->mechanism, f->params, f->nodes, o->old_leader},
        .bite = t,
        .healed = f->healed ? f->healed : USEC_NEVER,
        .now = o->ended,
        .ttl = fold_setting_usec(m, "patroni.ttl", t, SEC, 0),
        .loop_wait = fold_setting_usec(m, "patroni.loop_wait", t, SEC, 0),
        .retry_timeout = fold_setting_usec(m, "patroni.retry_timeout", t, SEC, 0),
        .start_timeout =
            fold_setting_usec(m, "patroni.primary_start_timeout", t, SEC,
                              fold_setting_usec(m, "patroni.master_start_timeout", t, SEC, BOUND_START_TIMEOUT)),
        .election = fold_setting_usec(m, "etcd.election-timeout", t, MSEC, BOUND_ELECTION),
        .renewal = renewal_before(m, t),
        .etcd_leader = etcd_leader_at(m, t),
        .etcd_changed = etcd_leader_changed(m, t),
        .named = leader_named(o, f),
        .haproxy = has_haproxy(m),
        .no_quorum = o->phases[PHASE_DEMOTE].present,
        .quorum_lost = m->quorum_lost,
        .said = m->said.items,
        .n_said = m->said.n,
    };
    bounds_evaluate(&facts, o->phases);
}
