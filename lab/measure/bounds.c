// SPDX-License-Identifier: PostgreSQL
// Best and worst case of each phase, from the settings that were in force and the fault that was injected. The laws,
// with A the age of the leader's lease when the fault bit:
//
//   lease path   node dead or cut off, Patroni killed or frozen: nobody renews the lease.
//     detect   ttl - A, then etcd's scan for expired leases, every 0.5 s (etcd server/lease/lessor.go)
//              with the etcd leader on the same node: a new one is elected first (1 to 2 election timeouts) and renews
//              every lease to ttl + one election timeout (lessor.Promote)
//     elect    each candidate asks every member GET /patroni with a timeout of 2 s (ha.py, fetch_node_status): an
//     address that
//              swallows packets costs these 2 s, one that refuses costs nothing
//     promote  0 to 3 s: pg_promote and the end of recovery
//   restart      postmaster killed, Patroni alive: seen within one HA loop, then start and crash recovery
//   release      switchover or a stopped Patroni: the key is given back after the shutdown checkpoint, whose length no
//   law knows
//
// SLACK covers what is no law: raft's commit, the watch, a busy machine's scheduling.
#include <stdio.h>

#include "lab/measure/fold.h"
#include "lab/record/fault_params.h"

#define SLACK           (SEC / 2)
#define LEASE_SCAN      (SEC / 2)
#define RACE_TIMEOUT    (2 * SEC)
#define PROMOTE_MAX     (3 * SEC)
#define RESTART_MAX     (5 * SEC) // start, crash recovery of a lab's small database, promotion (1.5-2.5 s when idle)
#define CONNECT_TIMEOUT (2 * SEC)

enum law { LAW_NONE, LAW_LEASE_DROPPED, LAW_LEASE_REFUSED, LAW_RESTART, LAW_RELEASE };

static void set_bound(struct phase *p, usec_t min, usec_t max) {
    if (!p->present)
        return;
    p->bounded = true;
    p->bound_min = min;
    p->bound_max = max;
    p->inside = p->duration + p->error >= min && p->duration <= max + p->error;
}

static double s(usec_t t) {
    return (double)t / 1e6;
}

#define WHY(p, ...) ((void)snprintf((p)->why, sizeof(p)->why, __VA_ARGS__))

// "the switch drops etcd_client: n1<->n2; etcd_peer: ...": the service paths of a cut, when it has not all of them
// (injector/net/net_drop.c). A port by number stands for itself.
static bool cuts_path(const struct fault_measure *f, const char *path) {
    char word[40];
    (void)snprintf(word, sizeof word, " %s: ", path);
    return strstr(f->what, word) != NULL;
}

static bool cuts_some_paths(const struct fault_measure *f) {
    static const char *const paths[] = {"sql",      "replication", "rest",     "etcd_client", "etcd_peer",
                                        "tcp/5432", "tcp/8008",    "tcp/2379", "tcp/2380"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        if (cuts_path(f, paths[i]))
            return true;
    return false;
}

static enum law find_law_of_cut(const struct fault_measure *f) {
    if (!cuts_some_paths(f))
        return LAW_LEASE_DROPPED;
    if (!cuts_path(f, "etcd_client") && !cuts_path(f, "tcp/2379") && !cuts_path(f, "etcd_peer") &&
        !cuts_path(f, "tcp/2380"))
        return LAW_NONE; // the lease is renewed as ever
    return cuts_path(f, "rest") || cuts_path(f, "tcp/8008") ? LAW_LEASE_DROPPED : LAW_LEASE_REFUSED;
}

static enum law find_law(const struct measures *o, const struct fault_measure *f) {
    const char *how = f->mechanism;
    if (str_eq(how, "patroni.switchover") || str_eq(how, "patroni.failover"))
        return LAW_RELEASE;
    if (!*o->old_leader || !fold_in_list(f->nodes, o->old_leader))
        return LAW_NONE;
    if (str_eq(how, "net.drop"))
        return find_law_of_cut(f);
    if (str_eq(how, "node.power_off") || str_eq(how, "link.down") || str_eq(how, "node.freeze"))
        return LAW_LEASE_DROPPED;
    bool patroni = fault_params_are(f->params, "service", "patroni"), postmaster = fault_params_postmaster(f->params);
    if (str_eq(how, "process.kill"))
        return patroni ? LAW_LEASE_REFUSED : postmaster ? LAW_RESTART : LAW_NONE;
    if (str_eq(how, "process.pause") && patroni) // the kernel still takes the connection, nobody answers it
        return LAW_LEASE_DROPPED;
    if (str_eq(how, "process.stop"))
        return patroni ? LAW_RELEASE : postmaster ? LAW_RESTART : LAW_NONE;
    return LAW_NONE;
}

struct lease {
    bool known;
    usec_t ttl, age_min, age_max;
};

// The last renewal that can have been before the fault. It lies in [renewed - error, renewed].
static struct lease lease_at(const struct measure *m, usec_t t) {
    struct lease l = {.ttl = (usec_t)(fold_setting(m, "patroni.ttl", t, 0) * 1e6)};
    usec_t loop = (usec_t)(fold_setting(m, "patroni.loop_wait", t, 0) * 1e6);
    const struct lease_seen *last = NULL;
    VEC_FOREACH (&m->leases, x)
        if (x->renewed - (x->error < x->renewed ? x->error : x->renewed) <= t && (!last || x->renewed >= last->renewed))
            last = x;
    if (last) {
        usec_t early = last->error < last->renewed ? last->renewed - last->error : 0;
        l.known = true;
        l.age_min = t > last->renewed ? t - last->renewed : 0;
        l.age_max = t - early;
        l.ttl = last->ttl ? last->ttl : l.ttl;
    } else {
        l.age_max = loop + SLACK; // the leader renews once per loop_wait
    }
    if (l.age_max > l.ttl)
        l.age_max = l.ttl;
    return l;
}

// Did the etcd leader go with the fault? 1 yes, 0 no, -1 not known.
static int etcd_leader_hit(const struct measure *m, const struct fault_measure *f, usec_t t) {
    int leader = -1;
    if (str_eq(f->mechanism, "net.drop") && cuts_some_paths(f) && !cuts_path(f, "etcd_peer") &&
        !cuts_path(f, "tcp/2380"))
        return 0; // it still reaches the other members
    VEC_FOREACH (&m->etcd, e)
        if (e->t <= t && (e->leader || e->node == leader))
            leader = e->leader ? e->node : -1;
    if (leader < 0)
        return -1;
    return fold_in_list(f->nodes, m->nodes[leader].name);
}

static void bound_detect_lease(const struct measure *m, struct phase *p, const struct fault_measure *f, usec_t t) {
    struct lease l = lease_at(m, t);
    if (l.ttl == 0)
        return;
    // Killing or freezing Patroni alone leaves the node's etcd member at work.
    int hit = str_starts(f->mechanism, "process.") && !fault_params_are(f->params, "service", "etcd")
                  ? 0
                  : etcd_leader_hit(m, f, t);
    usec_t election = (usec_t)(fold_setting(m, "etcd.election-timeout", t, 1000) * 1e3);
    // Who hears nothing is heard: the next keepalive, on a connection that stands, still reaches etcd and counts.
    bool heard = str_eq(f->mechanism, "net.drop") && fault_params_are(f->params, "direction", "in");
    usec_t once_more = heard ? (usec_t)(fold_setting(m, "patroni.loop_wait", t, 0) * 1e6) : 0;
    usec_t plain_min = l.ttl - l.age_max, plain_max = l.ttl - l.age_min + once_more + LEASE_SCAN + SLACK;
    // A follower starts an election 1 to 2 timeouts after the last heartbeat, which may be 0.1 s older than the fault.
    usec_t moved_min = 2 * election - (election > SEC / 10 ? SEC / 10 : 0) + l.ttl;
    usec_t moved_max = 3 * election + l.ttl + LEASE_SCAN + SLACK;
    set_bound(p, hit == 1 ? moved_min : plain_min, hit == 0 ? plain_max : moved_max);
    char age[64];
    if (l.known)
        (void)snprintf(age, sizeof age, "age of the lease %.1f s", s((l.age_min + l.age_max) / 2));
    else
        (void)snprintf(age, sizeof age, "age of the lease, 0 to loop_wait");
    if (hit == 1)
        WHY(p,
            "the etcd leader went too: election %.1f-%.1f s, then every lease restarts: ttl %.0f s + %.1f s; lease "
            "scan up to 0.5 s",
            s(election), s(2 * election), s(l.ttl), s(election));
    else
        WHY(p, "ttl %.0f s - %s%s; etcd's lease scan up to 0.5 s%s", s(l.ttl), age,
            heard ? "; one more keepalive may get out within loop_wait" : "",
            hit < 0 ? "; or a full ttl + etcd election, if the etcd leader went too" : "");
    races_widen_detect(m, p, l.ttl);
}

// An administrator named the new leader: nobody races.
static bool leader_was_named(const struct measures *o, const struct fault_measure *f, const struct phase *p) {
    VEC_FOREACH (&o->faults, a)
        if (a != f && a->action && a->asked >= f->asked && a->asked <= p->start + p->duration &&
            (str_eq(a->mechanism, "patroni.failover") || str_eq(a->mechanism, "patroni.switchover")))
            return true;
    return false;
}

static void bound_elect(const struct measure *m, struct phase *p, const struct fault_measure *f, enum law law) {
    bool healed = f->healed && p->present && f->healed < p->start + p->duration;
    if (law == LAW_LEASE_DROPPED) {
        // 0.1 s less than the timeout: the watch may have told us of the expiry a little after it told the candidates
        bool early = healed || leader_was_named(&m->out, f, p);
        set_bound(p, early ? 0 : RACE_TIMEOUT - SEC / 10, RACE_TIMEOUT + SEC + SLACK);
        WHY(p, "race: GET /patroni to the silent leader times out after 2 s; one HA cycle up to 1 s");
    } else {
        set_bound(p, 0, SEC + SLACK);
        WHY(p, "race: every member answers or refuses at once; one HA cycle up to 1 s");
    }
    races_widen_elect(m, p);
}

static void bound_promote(const struct measure *m, struct phase *p, usec_t t, enum law law) {
    usec_t loop = (usec_t)(fold_setting(m, "patroni.loop_wait", t, 0) * 1e6);
    if (law != LAW_RESTART) {
        set_bound(p, 0, PROMOTE_MAX);
        WHY(p, "pg_promote and the end of recovery: up to 3 s");
    } else if (loop) {
        set_bound(p, 0, loop + RESTART_MAX);
        WHY(p, "restart in place: noticed within loop_wait %.0f s, then start and crash recovery up to %.0f s", s(loop),
            s(RESTART_MAX));
    }
}

static void bound_reroute(const struct measure *m, struct phase *p) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].haproxy) {
            WHY(p, "no law: depends on the health checks of HAProxy, if the application goes through it");
            return;
        }
    set_bound(p, 0, CONNECT_TIMEOUT + SEC);
    WHY(p, "a silent address tried first costs connect_timeout 2 s; up to 1 s for the next try");
}

// After a kill with primary_start_timeout run out (or 0) Patroni gives the key away itself.
static void bound_detect_restart(const struct measure *m, struct phase *p, usec_t t) {
    usec_t loop = (usec_t)(fold_setting(m, "patroni.loop_wait", t, 0) * 1e6);
    double start =
        fold_setting(m, "patroni.primary_start_timeout", t, fold_setting(m, "patroni.master_start_timeout", t, 300));
    if (!loop || start < 0)
        return;
    set_bound(p, 0, 2 * loop + (usec_t)(start * 1e6) + SLACK);
    WHY(p, "loop_wait %.0f s + primary_start_timeout %.0f s + loop_wait", s(loop), start);
}

void bounds_measure(struct measure *m) {
    struct measures *o = &m->out;
    if (o->cause < 0)
        return;
    const struct fault_measure *f = &o->faults.items[o->cause];
    enum law law = find_law(o, f);
    usec_t t = f->effective ? f->effective : f->asked;
    struct phase *detect = &o->phases[PHASE_DETECT], *elect = &o->phases[PHASE_ELECT],
                 *promote = &o->phases[PHASE_PROMOTE];
    if (law == LAW_NONE)
        return;
    // Promotion of another node has the same law whatever happened to the old one; restart in place only without a new
    // key.
    enum law moved = elect->present && law == LAW_RESTART ? LAW_RELEASE : law;
    if (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED)
        bound_detect_lease(m, detect, f, t);
    else if (law == LAW_RESTART)
        bound_detect_restart(m, detect, t);
    else
        WHY(detect, "no law: as long as the shutdown checkpoint and the replicas' confirmation take");
    if (detect->present || law != LAW_RESTART)
        bound_elect(m, elect, f, law);
    if (elect->present || law == LAW_RESTART)
        bound_promote(m, promote, t, moved);
    bound_reroute(m, &o->phases[PHASE_REROUTE]);
    if (o->phases[PHASE_REJOIN].present)
        WHY(&o->phases[PHASE_REJOIN], "no law: depends on what the returning members must fetch");
}
