// SPDX-License-Identifier: PostgreSQL
// Best and worst case of each phase, from the settings that were in force and the fault that was injected, and the
// sentence that says why. The laws themselves: lab/measure/laws.h.
#include <stdio.h>

#include "lab/measure/fold.h"
#include "lab/measure/laws.h"

static void set_bound(struct phase *p, struct law_range r) {
    if (!p->present)
        return;
    p->bounded = true;
    p->bound_min = r.min;
    p->bound_max = r.max;
    p->inside = p->duration + p->error >= r.min && p->duration <= r.max + p->error;
}

static double s(usec_t t) {
    return (double)t / 1e6;
}

#define WHY(p, ...) ((void)snprintf((p)->why, sizeof(p)->why, __VA_ARGS__))

static struct law_fault law_fault(const struct measures *o, const struct fault_measure *f) {
    return (struct law_fault){f->mechanism, f->params, f->nodes, o->old_leader};
}

static struct law_lease lease_at(const struct measure *m, usec_t t, struct law_renewal *last) {
    *last = (struct law_renewal){0};
    VEC_FOREACH (&m->leases, x)
        law_note_renewal(last, (struct law_renewal){.at = x->renewed, .error = x->error, .ttl = x->ttl}, t);
    return law_lease_at(last, t, fold_setting_usec(m, "patroni.ttl", t, SEC, 0),
                        fold_setting_usec(m, "patroni.loop_wait", t, SEC, 0));
}

static const char *etcd_leader_at(const struct measure *m, usec_t t) {
    int leader = -1;
    VEC_FOREACH (&m->etcd, e)
        if (e->t <= t && (e->leader || e->node == leader))
            leader = e->leader ? e->node : -1;
    return leader < 0 ? "" : m->nodes[leader].name;
}

static void bound_detect_lease(const struct measure *m, struct phase *p, const struct law_fault *f, usec_t t) {
    struct law_renewal last;
    struct law_lease l = lease_at(m, t, &last);
    if (l.ttl == 0)
        return;
    if (l.stands) {
        WHY(p, "no law: the lease was not renewed for %.1f s, its ttl is %.0f s: etcd had no quorum, and no lease ends",
            s(usec_sub(t, last.at)), s(l.ttl));
        return;
    }
    int hit = law_etcd_leader_hit(f, etcd_leader_at(m, t));
    usec_t election = fold_setting_usec(m, "etcd.election-timeout", t, MSEC, SEC);
    usec_t loop = fold_setting_usec(m, "patroni.loop_wait", t, SEC, 0);
    bool once_more = law_renews_once_more(f);
    set_bound(p, law_detect_lease(&l, hit, election, once_more ? loop : 0));
    char age[64] = "age of the lease, 0 to loop_wait";
    if (last.seen)
        (void)snprintf(age, sizeof age, "age of the lease %.1f s", s((l.age_min + l.age_max) / 2));
    if (hit == 1)
        WHY(p,
            "the etcd leader went too: election %.1f-%.1f s, then every lease restarts: ttl %.0f s + %.1f s; lease "
            "scan up to 0.5 s",
            s(election), s(2 * election), s(l.ttl), s(election));
    else
        WHY(p, "ttl %.0f s - %s%s; etcd's lease scan up to 0.5 s%s", s(l.ttl), age,
            once_more ? "; one more keepalive may get out within loop_wait" : "",
            hit < 0 ? "; or a full ttl + etcd election, if the etcd leader went too" : "");
    races_widen_detect(m, p, l.ttl);
}

// An administrator named the new leader: nobody races.
static bool leader_was_named(const struct measures *o, const struct fault_measure *f, const struct phase *p) {
    VEC_FOREACH (&o->faults, a)
        if (a != f && a->action && a->asked >= f->asked && a->asked <= p->start + p->duration &&
            law_names_leader(a->mechanism))
            return true;
    return false;
}

static void bound_elect(const struct measure *m, struct phase *p, const struct fault_measure *f, enum law law) {
    bool healed = f->healed && p->present && f->healed < p->start + p->duration;
    set_bound(p, law_elect(law, healed || leader_was_named(&m->out, f, p)));
    if (law == LAW_LEASE_DROPPED)
        WHY(p, "race: GET /patroni to the silent leader times out after 2 s; one HA cycle up to 1 s");
    else
        WHY(p, "race: every member answers or refuses at once; one HA cycle up to 1 s");
    races_widen_elect(m, p);
}

static void bound_promote(struct phase *p) {
    set_bound(p, law_promote());
    WHY(p, "pg_promote and the end of recovery: up to 3 s");
}

static void bound_restart(const struct measure *m, struct phase *p, usec_t t) {
    usec_t loop = fold_setting_usec(m, "patroni.loop_wait", t, SEC, 0);
    if (!loop)
        return;
    set_bound(p, law_promote_in_place(loop));
    WHY(p, "restart in place: noticed within loop_wait %.0f s, then start and crash recovery up to %.0f s", s(loop),
        s(LAW_RESTART_MAX));
}

// Nothing of it is a failover, and whoever heals etcd decides how long it lasts.
static void explain_no_quorum(struct measure *m, usec_t t) {
    struct phase *phases = m->out.phases;
    usec_t loop = fold_setting_usec(m, "patroni.loop_wait", t, SEC, 0),
           retry = fold_setting_usec(m, "patroni.retry_timeout", t, SEC, 0);
    if (phases[PHASE_DEMOTE].present && loop && retry)
        WHY(&phases[PHASE_DEMOTE],
            "no law: the next HA loop begins within loop_wait %.0f s and tries etcd for retry_timeout %.0f s, then "
            "Patroni demotes",
            s(loop), s(retry));
    if (phases[PHASE_NO_QUORUM].present)
        WHY(&phases[PHASE_NO_QUORUM], "no law: until etcd is mended and has elected");
    if (phases[PHASE_QUORUM_BACK].present)
        WHY(&phases[PHASE_QUORUM_BACK], "no law: the next HA loop, within loop_wait %.0f s", s(loop));
}

static void bound_reroute(const struct measure *m, struct phase *p, const struct law_fault *f) {
    if (law_old_primary_lives(f)) {
        WHY(p, "no law: the old primary lives on, and the application leaves it when Patroni demotes it");
        return;
    }
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].haproxy) {
            WHY(p, "no law: depends on the health checks of HAProxy, if the application goes through it");
            return;
        }
    set_bound(p, law_reroute());
    WHY(p, "a silent address tried first costs connect_timeout 2 s; up to 1 s for the next try");
}

// After a kill with primary_start_timeout run out (or 0) Patroni gives the key away itself.
static void bound_detect_restart(const struct measure *m, struct phase *p, usec_t t) {
    usec_t loop = fold_setting_usec(m, "patroni.loop_wait", t, SEC, 0);
    usec_t start = fold_setting_usec(m, "patroni.primary_start_timeout", t, SEC,
                                     fold_setting_usec(m, "patroni.master_start_timeout", t, SEC, 300 * SEC));
    if (!loop)
        return;
    set_bound(p, law_detect_restart(loop, start));
    WHY(p, "loop_wait %.0f s + primary_start_timeout %.0f s + loop_wait", s(loop), s(start));
}

void bounds_measure(struct measure *m) {
    struct measures *o = &m->out;
    if (o->cause < 0)
        return;
    const struct fault_measure *f = &o->faults.items[o->cause];
    struct law_fault done = law_fault(o, f);
    enum law law = law_of(&done);
    usec_t t = f->effective ? f->effective : f->asked;
    struct phase *detect = &o->phases[PHASE_DETECT], *elect = &o->phases[PHASE_ELECT],
                 *promote = &o->phases[PHASE_PROMOTE];
    explain_no_quorum(m, t);
    if (law == LAW_NONE)
        return;
    if (o->phases[PHASE_DEMOTE].present)
        WHY(detect, "no law: it begins when etcd is back, and the lease may have ended long before");
    else if (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED)
        bound_detect_lease(m, detect, &done, t);
    else if (law == LAW_RESTART)
        bound_detect_restart(m, detect, t);
    else
        WHY(detect, "no law: as long as the shutdown checkpoint and the replicas' confirmation take");
    if (detect->present || law != LAW_RESTART)
        bound_elect(m, elect, f, law);
    if (elect->present) // promotion of another node has the same law whatever happened to the old one
        bound_promote(promote);
    if (law == LAW_RESTART)
        bound_restart(m, &o->phases[PHASE_RETURN], t);
    bound_reroute(m, &o->phases[PHASE_REROUTE], &done);
    if (o->phases[PHASE_REJOIN].present)
        WHY(&o->phases[PHASE_REJOIN], "no law: depends on what the returning members must fetch");
}
