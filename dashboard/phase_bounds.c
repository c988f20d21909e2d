// SPDX-License-Identifier: PostgreSQL
// Best and worst case of each phase of an outage that goes on. The laws: lab/measure/laws.h and docs/measures.md.
#include <stdio.h>

#include "dashboard/phase.h"

#define START_TIMEOUT (300 * SEC) // Patroni's default of primary_start_timeout
#define ELECTION      (1 * SEC)   // etcd's default --election-timeout

static struct law_fault law_fault(const struct fault_band *f) {
    return (struct law_fault){f->mechanism, f->params, f->nodes, f->leader};
}

enum law outage_law_of(const struct fault_band *f) {
    struct law_fault done = law_fault(f);
    return law_of(&done);
}

static void set_bound(struct outage_part *p, struct law_range r) {
    p->bounded = true;
    p->min = r.min;
    p->max = r.max;
}

static double s(usec_t t) {
    return (double)t / 1e6;
}

#define WHY(p, ...) ((void)snprintf((p)->why, sizeof(p)->why, __VA_ARGS__))

static struct law_lease lease_at(const struct model *m, const struct history *h, usec_t t, struct law_renewal *last) {
    *last = (struct law_renewal){0};
    VEC_FOREACH (&h->leases, p)
        law_note_renewal(last, (struct law_renewal){.at = p->t, .error = p->error, .ttl = p->ttl}, t);
    return law_lease_at(last, t, m->ttl, m->loop_wait);
}

// When another etcd than the one that led when the fault bit was first seen leading; USEC_NEVER = not yet.
static usec_t etcd_leader_changed(const struct model *m, const struct history *h, const struct fault_band *f) {
    usec_t first = USEC_NEVER;
    for (size_t i = 0; *f->etcd_leader && i < m->n_nodes; i++)
        VEC_FOREACH (&h->etcd_lanes[i], s)
            if ((int)s->lane == ETCD_LANE_LEADER && s->from > f->from && s->from < first &&
                !str_eq(m->nodes[i].name, f->etcd_leader))
                first = s->from;
    return first;
}

// A bound that is over: did etcd restart the lease? As lab/measure/races.c tells it of a finished run.
static void explain_detect(const struct model *m, const struct history *h, struct outage_part *p,
                           const struct fault_band *f, usec_t ttl, usec_t election) {
    usec_t end = p->to == USEC_NEVER ? h->now : p->to, seen = etcd_leader_changed(m, h, f);
    if (end <= p->from + p->max || seen >= end)
        return;
    usec_t most = law_detect_anew(seen - p->from, ttl, election);
    p->max = most > p->max ? most : p->max;
    WHY(p, "etcd had a new leader, seen after %.1f s: then the lease ran %.0f s anew", s(seen - p->from), s(ttl));
}

static void bound_lease(const struct model *m, const struct history *h, struct outage_part *p,
                        const struct fault_band *f) {
    struct law_renewal last;
    struct law_lease l = lease_at(m, h, f->from, &last);
    if (!l.ttl)
        return;
    if (l.stands) {
        WHY(p, "no law: the lease was not renewed for %.1f s, its ttl is %.0f s: etcd had no quorum, and no lease ends",
            s(usec_sub(f->from, last.at)), s(l.ttl));
        return;
    }
    struct law_fault done = law_fault(f);
    int hit = law_etcd_leader_hit(&done, f->etcd_leader);
    usec_t election = h->etcd_election ? h->etcd_election : ELECTION;
    set_bound(p, law_detect_lease(&l, hit, election, law_renews_once_more(&done) ? m->loop_wait : 0));
    if (hit == 1)
        WHY(p, "etcd must elect first (%.0f-%.0f s), then the lease runs %.0f s anew", s(election), s(2 * election),
            s(l.ttl));
    else if (last.seen)
        WHY(p, "lease: ttl %.0f s, of which %.1f s were gone when the fault bit", s(l.ttl),
            s((l.age_min + l.age_max) / 2));
    else
        WHY(p, "lease: ttl %.0f s, of which 0 to loop_wait were gone", s(l.ttl));
    explain_detect(m, h, p, f, l.ttl, election);
}

static void bound_detect(const struct model *m, const struct history *h, struct outage_story *o, enum law law) {
    struct outage_part *p = &o->parts[OP_DETECT];
    usec_t start = h->start_timeout_told ? h->primary_start_timeout : START_TIMEOUT;
    if (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED)
        bound_lease(m, h, p, o->cause);
    else if (law == LAW_RESTART && m->loop_wait) {
        set_bound(p, law_detect_restart(m->loop_wait, start));
        WHY(p, "loop_wait + primary_start_timeout + loop_wait, then Patroni gives up");
    } else if (law == LAW_RELEASE)
        WHY(p, "no law: as long as the shutdown checkpoint takes");
}

static int node_index(const struct model *m, const char *name) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].name, name))
            return (int)i;
    return -1;
}

// A bound that is over: do the candidates say why? As lab/measure/races.c tells it of a finished run.
static void explain_elect(const struct model *m, const struct history *h, const char *old_leader,
                          struct outage_part *p) {
    usec_t end = p->to == USEC_NEVER ? h->now : p->to - LAW_LAST_RACE;
    size_t lost[NODES_MAX] = {0}, most = 0;
    usec_t busy = 0;
    if ((p->to == USEC_NEVER ? h->now : p->to) <= p->from + p->max)
        return;
    for (size_t i = 0; p->to == USEC_NEVER && i < m->n_nodes; i++)
        if (m->nodes[i].patroni_answered && m->nodes[i].paused) {
            p->bounded = false;
            WHY(p, "no law: in maintenance mode (pause) nobody races");
            return;
        }
    for (size_t i = h->logs.n; i > 0 && h->logs.items[i - 1].t >= p->from; i--) {
        const struct log_entry *e = &h->logs.items[i - 1];
        const char *words;
        enum law_said said =
            e->t <= end && str_eq(e->service, "patroni") ? law_said(e->text, &words) : LAW_SAID_NOTHING;
        int n = said == LAW_SAID_NOTHING ? -1 : node_index(m, e->node);
        if (said == LAW_SAID_NO_DCS && str_eq(e->node, old_leader)) // keeps nobody from racing
            continue;
        if (said == LAW_SAID_NO_DCS) {
            p->bounded = false;
            WHY(p, "no law: no race without etcd");
            return;
        }
        if (said == LAW_SAID_BUSY) {
            busy = LAW_BUSY;
            if (!most)
                WHY(p, "%s was still asking the silent leader, up to 3 s, when the key went", e->node);
        } else if (n >= 0 && ++lost[n] > most) {
            most = lost[n];
            WHY(p, "%zu race%s nobody won, %.0f s each: \"%s\"", most, most > 1 ? "s" : "", s(m->loop_wait), words);
        }
    }
    set_bound(p, law_elect_again((struct law_range){p->min, p->max + busy}, most, m->loop_wait));
}

static void bound_elect(const struct model *m, const struct history *h, struct outage_story *o, enum law law) {
    struct outage_part *p = &o->parts[OP_ELECT];
    bool healed = o->cause->to != USEC_NEVER && o->cause->to < p->to;
    bool named = h->leader_named > o->cause->from && h->leader_named <= (p->to == USEC_NEVER ? h->now : p->to);
    set_bound(p, law_elect(law, healed || named));
    if (law == LAW_LEASE_DROPPED)
        WHY(p, "candidates wait 2 s for the silent leader's answer, then one HA cycle");
    else
        WHY(p, "every member answers or refuses at once; one HA cycle up to 1 s");
    explain_elect(m, h, o->cause->leader, p);
}

static void bound_promote(struct outage_part *p) {
    set_bound(p, law_promote());
    WHY(p, "pg_promote and the end of recovery");
}

static void bound_restart(const struct model *m, struct outage_part *p) {
    if (!m->loop_wait)
        return;
    set_bound(p, law_promote_in_place(m->loop_wait));
    WHY(p, "restart in place: noticed within loop_wait %.0f s, then start and crash recovery", s(m->loop_wait));
}

static void explain_no_quorum(const struct model *m, struct outage_story *o) {
    WHY(&o->parts[OP_DEMOTE], "no law: within loop_wait %.0f s, then etcd is tried for retry_timeout %.0f s",
        s(m->loop_wait), s(m->retry_timeout));
    WHY(&o->parts[OP_NO_QUORUM], "no law: until etcd is mended; PostgreSQL is read-only meanwhile");
    WHY(&o->parts[OP_QUORUM_BACK], "no law: Patroni's next HA loop, within loop_wait %.0f s", s(m->loop_wait));
}

static void bound_reroute(const struct model *m, struct outage_story *o) {
    struct outage_part *p = &o->parts[OP_REROUTE];
    struct law_fault done = law_fault(o->cause);
    if (law_old_primary_lives(&done)) {
        WHY(p, "no law: the old primary lives on until Patroni demotes it");
        return;
    }
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].services & SERVICE_HAPROXY) {
            WHY(p, "no law: depends on HAProxy's health checks");
            return;
        }
    set_bound(p, law_reroute());
    WHY(p, "the application looks for the leader; a silent address costs it 2 s");
}

void outage_bounds(const struct model *m, const struct history *h, struct outage_story *o) {
    enum law law = o->cause ? outage_law_of(o->cause) : LAW_NONE;
    if (o->no_quorum)
        explain_no_quorum(m, o);
    if (law == LAW_NONE)
        return;
    if (o->parts[OP_DETECT].present && !o->no_quorum)
        bound_detect(m, h, o, law);
    if (o->parts[OP_ELECT].present)
        bound_elect(m, h, o, law);
    if (o->parts[OP_PROMOTE].present)
        bound_promote(&o->parts[OP_PROMOTE]);
    if (o->parts[OP_RETURN].present && law == LAW_RESTART)
        bound_restart(m, &o->parts[OP_RETURN]);
    if (o->parts[OP_REROUTE].present)
        bound_reroute(m, o);
}
