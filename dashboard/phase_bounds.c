// SPDX-License-Identifier: PostgreSQL
// Best and worst case of each phase. The laws and where they stand: lab/measure/bounds.c and docs/measures.md.
#include <stdio.h>

#include "dashboard/phase.h"
#include "lab/record/fault_params.h"

#define SLACK           (SEC / 2)
#define LEASE_SCAN      (SEC / 2)
#define RACE_TIMEOUT    (2 * SEC)
#define PROMOTE_MAX     (3 * SEC)
#define RESTART_MAX     (5 * SEC)
#define CONNECT_TIMEOUT (2 * SEC)
#define START_TIMEOUT   (300 * SEC) // Patroni's default of primary_start_timeout
#define ELECTION        (1 * SEC)   // etcd's default --election-timeout

static bool in_list(const char *list, const char *name) {
    size_t len = strlen(name);
    for (const char *p = list; len && *p;) {
        p += strspn(p, ", ");
        size_t word = strcspn(p, ", ");
        if (word == len && memcmp(p, name, len) == 0)
            return true;
        p += word;
    }
    return false;
}

enum outage_law outage_law_of(const struct fault_band *f) {
    const char *how = f->mechanism;
    if (str_eq(how, "patroni.switchover") || str_eq(how, "patroni.failover"))
        return LAW_RELEASE;
    if (!in_list(f->nodes, f->leader))
        return LAW_NONE;
    if (str_eq(how, "node.power_off") || str_eq(how, "net.drop") || str_eq(how, "link.down") ||
        str_eq(how, "node.freeze"))
        return LAW_LEASE_DROPPED;
    bool patroni = fault_params_are(f->params, "service", "patroni"), postmaster = fault_params_postmaster(f->params);
    if (str_eq(how, "process.kill"))
        return patroni ? LAW_LEASE_REFUSED : postmaster ? LAW_RESTART : LAW_NONE;
    if (str_eq(how, "process.pause") && patroni)
        return LAW_LEASE_DROPPED;
    if (str_eq(how, "process.stop"))
        return patroni ? LAW_RELEASE : postmaster ? LAW_RESTART : LAW_NONE;
    return LAW_NONE;
}

static void set_bound(struct outage_part *p, usec_t min, usec_t max) {
    p->bounded = true;
    p->min = min;
    p->max = max;
}

static double s(usec_t t) {
    return (double)t / 1e6;
}

#define WHY(p, ...) ((void)snprintf((p)->why, sizeof(p)->why, __VA_ARGS__))

struct lease {
    bool known;
    usec_t ttl, age_min, age_max;
};

// The last renewal that can have been before the fault. It lies in [t - error, t].
static struct lease lease_at(const struct model *m, const struct history *h, usec_t t) {
    struct lease l = {.ttl = m->ttl, .age_max = m->loop_wait + SLACK};
    const struct lease_point *last = NULL;
    VEC_FOREACH (&h->leases, p)
        if (p->t - (p->error < p->t ? p->error : p->t) <= t && (!last || p->t >= last->t))
            last = p;
    if (last) {
        l.known = true;
        l.age_min = t > last->t ? t - last->t : 0;
        l.age_max = t - (last->error < last->t ? last->t - last->error : 0);
        l.ttl = last->ttl ? last->ttl : l.ttl;
    }
    l.age_max = l.age_max > l.ttl ? l.ttl : l.age_max;
    l.age_min = l.age_min > l.ttl ? l.ttl : l.age_min;
    return l;
}

static void bound_lease(const struct model *m, const struct history *h, struct outage_part *p,
                        const struct fault_band *f) {
    struct lease l = lease_at(m, h, f->from);
    if (!l.ttl)
        return;
    // Killing or freezing Patroni alone leaves the node's etcd member at work.
    bool etcd_safe = str_starts(f->mechanism, "process.") && !fault_params_are(f->params, "service", "etcd");
    int hit = etcd_safe ? 0 : !*f->etcd_leader ? -1 : in_list(f->nodes, f->etcd_leader);
    usec_t election = h->etcd_election ? h->etcd_election : ELECTION, beat = election > SEC / 10 ? SEC / 10 : 0;
    usec_t plain_min = l.ttl - l.age_max, plain_max = l.ttl - l.age_min + LEASE_SCAN + SLACK;
    usec_t moved_min = 2 * election - beat + l.ttl, moved_max = 3 * election + l.ttl + LEASE_SCAN + SLACK;
    set_bound(p, hit == 1 ? moved_min : plain_min, hit == 0 ? plain_max : moved_max);
    if (hit == 1)
        WHY(p, "etcd must elect first (%.0f-%.0f s), then the lease runs %.0f s anew", s(election), s(2 * election),
            s(l.ttl));
    else if (l.known)
        WHY(p, "lease: ttl %.0f s, of which %.1f s were gone when the fault bit", s(l.ttl),
            s((l.age_min + l.age_max) / 2));
    else
        WHY(p, "lease: ttl %.0f s, of which 0 to loop_wait were gone", s(l.ttl));
}

static void bound_detect(const struct model *m, const struct history *h, struct outage_story *o, enum outage_law law) {
    struct outage_part *p = &o->parts[OP_DETECT];
    usec_t start = h->primary_start_timeout ? h->primary_start_timeout : START_TIMEOUT;
    if (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED)
        bound_lease(m, h, p, o->cause);
    else if (law == LAW_RESTART && m->loop_wait) {
        set_bound(p, 0, 2 * m->loop_wait + start + SLACK);
        WHY(p, "loop_wait + primary_start_timeout + loop_wait, then Patroni gives up");
    } else if (law == LAW_RELEASE)
        WHY(p, "no law: as long as the shutdown checkpoint takes");
}

static void bound_elect(struct outage_story *o, enum outage_law law) {
    struct outage_part *p = &o->parts[OP_ELECT];
    bool healed = o->cause->to != USEC_NEVER && o->cause->to < p->to;
    if (law == LAW_LEASE_DROPPED) {
        set_bound(p, healed ? 0 : RACE_TIMEOUT - SEC / 10, RACE_TIMEOUT + SEC + SLACK);
        WHY(p, "candidates wait 2 s for the silent leader's answer, then one HA cycle");
    } else {
        set_bound(p, 0, SEC + SLACK);
        WHY(p, "every member answers or refuses at once; one HA cycle up to 1 s");
    }
}

static void bound_promote(const struct model *m, struct outage_story *o, enum outage_law law) {
    struct outage_part *p = &o->parts[OP_PROMOTE];
    if (law != LAW_RESTART || !o->in_place) {
        set_bound(p, 0, PROMOTE_MAX);
        WHY(p, "pg_promote and the end of recovery");
    } else if (m->loop_wait) {
        set_bound(p, 0, m->loop_wait + RESTART_MAX);
        WHY(p, "restart in place: noticed within loop_wait %.0f s, then start and crash recovery", s(m->loop_wait));
    }
}

static void bound_reroute(const struct model *m, struct outage_story *o) {
    struct outage_part *p = &o->parts[OP_REROUTE];
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].services & SERVICE_HAPROXY) {
            WHY(p, "no law: depends on HAProxy's health checks");
            return;
        }
    set_bound(p, 0, CONNECT_TIMEOUT + SEC);
    WHY(p, "the application looks for the leader; a silent address costs it 2 s");
}

void outage_bounds(const struct model *m, const struct history *h, struct outage_story *o) {
    enum outage_law law = o->cause ? outage_law_of(o->cause) : LAW_NONE;
    if (law == LAW_NONE)
        return;
    if (o->parts[OP_DETECT].present)
        bound_detect(m, h, o, law);
    if (o->parts[OP_ELECT].present)
        bound_elect(o, law);
    if (o->parts[OP_PROMOTE].present)
        bound_promote(m, o, law);
    if (o->parts[OP_REROUTE].present)
        bound_reroute(m, o);
}
