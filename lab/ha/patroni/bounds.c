// SPDX-License-Identifier: PostgreSQL
// The laws applied to a chain of phases. What widens a bound that was broken (races nobody won, a later etcd leader) is in races.c.

#include <stdio.h>

#include "lab/ha/patroni/bounds.h"

void bound_set(struct phase *p, struct law_range r) {
    if (!p->present)
        return;
    p->bounded = true;
    p->bound_min = r.min;
    p->bound_max = r.max;
    p->inside = (p->open || p->duration + p->error >= r.min) && p->duration <= r.max + p->error;
}

static double in_seconds(usec_t t) {
    return (double)t / 1e6;
}

#define WHY(p, ...) ((void)snprintf((p)->why, sizeof(p)->why, __VA_ARGS__))

static void bound_detect_lease(const struct bound_facts *f, struct phase *p) {
    struct law_lease l = law_lease_at(&f->renewal, f->at.bite, f->ttl, f->loop_wait);
    if (l.ttl == 0)
        return;
    if (l.stands) {
        WHY(p, "no law: the lease was not renewed for %.1f s, its ttl is %.0f s: etcd had no quorum, and no lease ends",
            in_seconds(usec_sub(f->at.bite, f->renewal.at)), in_seconds(l.ttl));
        return;
    }
    int hit = law_etcd_leader_hit(&f->at.fault, f->etcd_leader);
    bool once_more = law_renews_once_more(&f->at.fault);
    bound_set(p, law_detect_lease(&l, hit, f->election, once_more ? f->loop_wait : 0));
    char age[64] = "age of the lease, 0 to loop_wait";
    if (f->renewal.seen)
        (void)snprintf(age, sizeof age, "age of the lease %.1f s", in_seconds((l.age_min + l.age_max) / 2));
    if (hit == 1)
        WHY(p,
            "the etcd leader went too: election %.1f-%.1f s, then every lease restarts: ttl %.0f s + %.1f s; lease "
            "scan up to 0.5 s",
            in_seconds(f->election), in_seconds(2 * f->election), in_seconds(l.ttl), in_seconds(f->election));
    else
        WHY(p, "ttl %.0f s - %s%s; etcd's lease scan up to 0.5 s%s", in_seconds(l.ttl), age,
            once_more ? "; one more keepalive may get out within loop_wait" : "",
            hit < 0 ? "; or a full ttl + etcd election, if the etcd leader went too" : "");
    races_widen_detect(f, p, l.ttl);
}

// After a kill with primary_start_timeout run out (or 0) Patroni gives the key away itself.
static void bound_detect_restart(const struct bound_facts *f, struct phase *p) {
    if (!f->loop_wait)
        return;
    bound_set(p, law_detect_restart(f->loop_wait, f->start_timeout));
    WHY(p, "loop_wait %.0f s + primary_start_timeout %.0f s + loop_wait", in_seconds(f->loop_wait),
        in_seconds(f->start_timeout));
}

static void bound_detect(const struct bound_facts *f, struct phase *p, enum law law) {
    if (f->at.no_quorum)
        WHY(p, "no law: it begins when etcd is back, and the lease may have ended long before");
    else if (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED)
        bound_detect_lease(f, p);
    else if (law == LAW_RESTART)
        bound_detect_restart(f, p);
    else
        WHY(p, "no law: as long as the shutdown checkpoint and the replicas' confirmation take");
}

static void bound_elect(const struct bound_facts *f, struct phase *p, enum law law) {
    usec_t end = p->start + p->duration;
    // Healed: who was silent answers. Named: nobody races.
    bound_set(p, law_elect(law, f->at.healed < end || f->named <= end));
    if (law == LAW_LEASE_DROPPED)
        WHY(p, "race: GET /patroni to the silent leader fails after 2 s, HA cycle 1 s");
    else
        WHY(p, "race: every member answers or refuses at once; one HA cycle up to 1 s");
    races_widen_elect(f, p);
}

static void bound_promote(struct phase *p) {
    bound_set(p, law_promote());
    WHY(p, "pg_promote and the end of recovery: up to 3 s");
}

static void bound_return(const struct bound_facts *f, struct phase *p) {
    if (!f->loop_wait)
        return;
    bound_set(p, law_promote_in_place(f->loop_wait));
    WHY(p, "restart in place: noticed within loop_wait %.0f s, then start and crash recovery up to %.0f s",
        in_seconds(f->loop_wait), in_seconds(LAW_RESTART_MAX));
}

// Nothing before it: the key did not move, and the leader was not seen to stop.
static bool stands_alone(const struct phase phases[PHASE_COUNT]) {
    for (int i = 0; i < PHASE_REROUTE; i++)
        if (phases[i].present)
            return false;
    return true;
}

static void bound_reroute(const struct bound_facts *f, struct phase phases[PHASE_COUNT]) {
    struct phase *p = &phases[PHASE_REROUTE];
    if (stands_alone(phases)) {
        WHY(p, "no law: the leader took writes all along, the application did not reach it");
        return;
    }
    if (law_old_primary_lives(&f->at.fault)) {
        WHY(p, "no law: the old primary lives on, and the application leaves it when Patroni demotes it");
        return;
    }
    if (f->haproxy) {
        WHY(p, "no law: depends on the health checks of HAProxy, if the application goes through it");
        return;
    }
    bound_set(p, law_reroute());
    WHY(p, "a silent address tried first costs connect_timeout 2 s; up to 1 s for the next try");
}

// ---- a lost quorum -------------------------------------------------------------------------------------------------------

static void bound_demote(const struct bound_facts *f, struct phase *p) {
    usec_t late = usec_sub(f->at.quorum_lost, f->at.bite);
    if (!f->loop_wait || !f->retry_timeout)
        return;
    if (late > law_quorum_seen_late(f->election)) {
        WHY(p, "no law: etcd served for %.1f s more after the fault", in_seconds(late));
        return;
    }
    bound_set(p, law_demote(late, f->loop_wait, f->retry_timeout));
    WHY(p, "next HA loop within loop_wait %.0f s; reading and renewing fail after retry_timeout %.0f s each",
        in_seconds(f->loop_wait), in_seconds(f->retry_timeout));
}

static void bound_no_quorum(const struct bound_facts *f, struct phase *p) {
    if (!law_quorum_ends_by_healing(&f->at.fault)) {
        WHY(p, "no law: until etcd is mended and has elected");
        return;
    }
    if (f->at.healed == USEC_NEVER || f->at.healed > p->start + p->duration) {
        WHY(p, "no law before the fault is healed; then etcd starts and elects");
        return;
    }
    usec_t healed = usec_sub(f->at.healed, p->start);
    bound_set(p, law_no_quorum(healed, f->election));
    WHY(p, "healed after %.1f s; then etcd starts, up to %.0f s, and elects within 2 rounds of %.0f to %.0f s",
        in_seconds(healed), in_seconds(LAW_ETCD_START), in_seconds(f->election), in_seconds(2 * f->election));
}

static void bound_quorum_back(const struct bound_facts *f, struct phase *p) {
    if (!f->loop_wait || !f->retry_timeout)
        return;
    bound_set(p, law_quorum_back(f->loop_wait, f->retry_timeout));
    WHY(p, "next HA loop within loop_wait %.0f s; one that still asks etcd ends within retry_timeout %.0f s",
        in_seconds(f->loop_wait), in_seconds(f->retry_timeout));
}

// The leader finds that the key is still its own in the HA loop after that, and PostgreSQL runs as a standby by then.
static void bound_promote_again(const struct bound_facts *f, struct phase *p) {
    if (!f->loop_wait)
        return;
    bound_set(p, law_promote_in_place(f->loop_wait));
    WHY(p, "the key is its own still: promoted in the next HA loop, loop_wait %.0f s, start and promotion up to %.0f s",
        in_seconds(f->loop_wait), in_seconds(LAW_RESTART_MAX));
}

static void bound_without_quorum(const struct bound_facts *f, struct phase phases[PHASE_COUNT]) {
    struct phase *promote = &phases[PHASE_PROMOTE];
    if (phases[PHASE_DEMOTE].present)
        bound_demote(f, &phases[PHASE_DEMOTE]);
    if (phases[PHASE_NO_QUORUM].present)
        bound_no_quorum(f, &phases[PHASE_NO_QUORUM]);
    if (phases[PHASE_QUORUM_BACK].present)
        bound_quorum_back(f, &phases[PHASE_QUORUM_BACK]);
    if (promote->present && phases[PHASE_ELECT].present)
        bound_promote(promote);
    else if (promote->present)
        bound_promote_again(f, promote);
    if (phases[PHASE_REROUTE].present)
        bound_reroute(f, phases);
}

static bool has_haproxy(const struct model *m) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].services & SERVICE_HAPROXY)
            return true;
    return false;
}

static struct bound_facts gather(const struct leadership *l, const struct model *m, const struct bound_case *c) {
    usec_t t = c->bite;
    return (struct bound_facts){
        .at = *c,
        .l = l,
        .ttl = leadership_setting(l, "patroni.ttl", t, SEC, 0),
        .loop_wait = leadership_setting(l, "patroni.loop_wait", t, SEC, 0),
        .retry_timeout = leadership_setting(l, "patroni.retry_timeout", t, SEC, 0),
        .start_timeout =
            leadership_setting(l, "patroni.primary_start_timeout", t, SEC,
                               leadership_setting(l, "patroni.master_start_timeout", t, SEC, BOUND_START_TIMEOUT)),
        .election = leadership_setting(l, "etcd.election-timeout", t, MSEC, BOUND_ELECTION),
        .renewal = leadership_renewal(l, t),
        .etcd_leader = leadership_etcd_leader(l, t),
        .etcd_changed = leadership_etcd_changed(l, t),
        .named = leadership_named(l, c->asked, c->id),
        .haproxy = has_haproxy(m),
    };
}

void patroni_bounds(const struct leadership *l, const struct model *m, const struct bound_case *c,
                    struct phase phases[PHASE_COUNT]) {
    const struct bound_facts facts = gather(l, m, c), *f = &facts;
    enum law law = law_of(&c->fault);
    if (f->at.no_quorum)
        bound_without_quorum(f, phases);
    if (law == LAW_NONE)
        return;
    if (phases[PHASE_DETECT].present)
        bound_detect(f, &phases[PHASE_DETECT], law);
    if (phases[PHASE_ELECT].present && (phases[PHASE_DETECT].present || law != LAW_RESTART))
        bound_elect(f, &phases[PHASE_ELECT], law);
    if (phases[PHASE_PROMOTE].present && phases[PHASE_ELECT].present) // whatever happened to the old one
        bound_promote(&phases[PHASE_PROMOTE]);
    if (phases[PHASE_RETURN].present && law == LAW_RESTART)
        bound_return(f, &phases[PHASE_RETURN]);
    if (phases[PHASE_REROUTE].present && !f->at.no_quorum) // there it has been done
        bound_reroute(f, phases);
    if (phases[PHASE_REJOIN].present)
        WHY(&phases[PHASE_REJOIN], "no law: depends on what the returning members must fetch");
}
