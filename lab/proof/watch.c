// SPDX-License-Identifier: PostgreSQL
// What the observer says again and again: it can't be silent about a machine that is on. And what must have been seen before the lab
// could be ready.
#include "lab/model/watch.h"
#include "lab/base/count.h"
#include "lab/proof/internal.h"

// Repeated each second (sql, manager, noise) or each 5 s (arbiter). Deadlines of probes and a busy host make it longer, by seconds.
static const struct {
    enum event_kind kind;
    unsigned services;
    usec_t longest;
    const char *what; // NULL: the system that manages the cluster
    unsigned has;     // bits of enum ha_has: asked of systems that have it; 0 = of all
} watched[] = {{EVENT_SQL, SERVICE_POSTGRES, 15 * SEC, "PostgreSQL", 0},
               {EVENT_MANAGER, SERVICE_POSTGRES, 15 * SEC, NULL, 0},
               {EVENT_ARBITER, SERVICES_ARBITER, 20 * SEC, "etcd", HA_ARBITERS}};
static const usec_t NOISE_LONGEST = 15 * SEC;

// `longest`: a merged line vouches for the time since the one before it, but for its longest pause.
static void note(struct proof_node *n, enum event_kind kind, usec_t from, usec_t t, usec_t longest) {
    usec_t since = n->seen[kind] > from ? n->seen[kind] : from, silence = t > since ? t - since : 0;
    silence = silence < longest ? silence : longest;
    if (n->on && !n->silent[kind] && silence > n->hole[kind])
        n->hole[kind] = silence;
    n->seen[kind] = t;
}

// What does not answer is told once, and again when it answers.
static bool answers(const struct event *ev) {
    return ev->kind == EVENT_SQL       ? ev->u.SQL.answered
           : ev->kind == EVENT_MANAGER ? ev->u.MANAGER.answered
                                       : ev->u.ARBITER.answered;
}

static void on_probe(struct proof *p, struct proof_node *n, const struct event *ev) {
    if (p->ready && !p->collecting)
        note(n, ev->kind, p->ready, ev->t, ev->repeats ? ev->pause : USEC_NEVER);
    n->silent[ev->kind] = !answers(ev);
}

static const char *node_of(const struct event *ev) {
    switch (ev->kind) {
    case EVENT_NODE_POWER:
        return ev->u.NODE_POWER.node;
    case EVENT_SERVICE:
        return ev->u.SERVICE.node;
    case EVENT_SQL:
        return ev->u.SQL.node;
    case EVENT_MANAGER:
        return ev->u.MANAGER.node;
    case EVENT_REPLICATION:
        return ev->u.REPLICATION.node;
    case EVENT_SLOT:
        return ev->u.SLOT.node;
    case EVENT_ARBITER:
        return ev->u.ARBITER.node;
    case EVENT_LOG_LINE:
        return ev->u.LOG_LINE.node;
    case EVENT_FINAL_ROWS:
        return ev->u.FINAL_ROWS.node;
    case EVENT_FINAL_READ:
        return ev->u.FINAL_READ.node;
    default:
        return "";
    }
}

static void note_all(struct proof_node *n, usec_t from, usec_t t) {
    for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
        note(n, watched[i].kind, from, t, USEC_NEVER);
}

static void on_power(struct proof *p, struct proof_node *n, const struct event *ev) {
    if (p->ready && !p->collecting)
        note_all(n, p->ready, ev->t); // off: nothing to be said until it is on again
    n->powered = true;
    n->on = ev->u.NODE_POWER.on;
}

static void note_thinned(struct proof *p, const struct event *ev) {
    usec_t ticks = ev->u.RECORD_THINNED.ticks, others = ev->u.RECORD_THINNED.others;
    p->thinned_ticks = ticks > p->thinned_ticks ? ticks : p->thinned_ticks;
    p->thinned_others = others > p->thinned_others ? others : p->thinned_others;
}

// A time in which the observer stood still is no hole of the record: that is told, and nothing else can be said of it.
static void note_standstill(struct proof *p, const struct event *ev) {
    usec_t from, to;
    if (!p->ready || !watch_standstill(ev, &from, &to))
        return;
    p->noises = count_add(p->noises, (int64_t)((to - from) / SEC));
    for (size_t i = 0; i < p->n_nodes; i++)
        for (size_t k = 0; k < ARRAY_SIZE(watched); k++) {
            usec_t *seen = &p->nodes[i].seen[watched[k].kind], since = *seen > p->ready ? *seen : p->ready;
            since += to - from;
            *seen = since < to ? since : *seen > to ? *seen : to;
        }
}

void proof_take_watch(struct proof *p, const struct event *ev) {
    if (ev->kind == EVENT_NOISE) {
        p->noises = count_add(p->noises, count_add(ev->repeats, 1));
        note_standstill(p, ev);
    }
    if (ev->kind == EVENT_RECORD_THINNED)
        note_thinned(p, ev);
    const char *name = node_of(ev);
    struct proof_node *n = proof_node(p, name);
    if (*name && !n)
        STR_COPY(p->stranger, name);
    if (!p->ready) {
        model_apply(p->model, ev);
        p->was_complete = p->was_complete || model_complete(p->model, NULL, 0);
    }
    if (ev->kind == EVENT_CONFIG && str_eq(ev->u.CONFIG.key, "patroni.ttl"))
        p->settings_seen = true;
    if (!n)
        return;
    if (ev->kind == EVENT_NODE_POWER)
        on_power(p, n, ev);
    else if (ev->kind == EVENT_SQL || ev->kind == EVENT_MANAGER || ev->kind == EVENT_ARBITER)
        on_probe(p, n, ev);
}

static void judge_node(struct proof *p, struct proof_node *n) {
    usec_t until = p->collecting ? p->collecting : p->latest[EVENT_RUN_END];
    char text[USEC_TEXT_MAX];
    if (!n->powered)
        proof_lack(p, "nothing says that %s was switched on (node.power)", n->name);
    if (n->on)
        note_all(n, p->ready, until);
    const struct ha_kind *kind = p->model->kind;
    for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
        if (n->services & watched[i].services && n->hole[watched[i].kind] > watched[i].longest &&
            (kind->has & watched[i].has) == watched[i].has)
            proof_lack(p, "for %s nothing is said of %s on %s, which was on (%s)",
                       usec_format(text, n->hole[watched[i].kind]), watched[i].what ? watched[i].what : kind->title,
                       n->name, event_kind_name(watched[i].kind));
}

static void judge_kinds(struct proof *p) {
    static const struct {
        enum event_kind kind;
        unsigned has; // bits of enum ha_has: said of systems that have it; 0 = of all
    } needed[] = {
        {EVENT_VERSION, 0},
        {EVENT_SERVICE, 0},
        {EVENT_GRANT, HA_GRANT},
        {EVENT_LOG_LINE, 0},
        {EVENT_STORE_WATCH, HA_STORE},
        {EVENT_PROGRESS, 0},
    };
    unsigned has = p->model->kind->has;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (!p->kinds[needed[i].kind] && (has & needed[i].has) == needed[i].has)
            proof_lack(p, "the log has no '%s' at all, which every run has", event_kind_name(needed[i].kind));
    if (!p->settings_seen && (has & HA_GRANT)) // for how long a grant is given is a setting
        proof_lack(p, "the log does not say which settings the cluster had (config)");
    if (!p->kinds[has & HA_AUTHORITY ? EVENT_AUTHORITY : EVENT_MANAGER])
        proof_lack(p, has & HA_AUTHORITY ? "the log never speaks of the leader key (authority)"
                                         : "the log never says who leads (manager)");
}

static void judge_noise(struct proof *p) {
    usec_t until = p->collecting ? p->collecting : p->latest[EVENT_RUN_END];
    int64_t seconds = until > p->ready ? (int64_t)((until - p->ready) / SEC) : 0;
    if (p->latest[EVENT_NOISE] + NOISE_LONGEST < until || p->noises * 2 < seconds)
        proof_lack(p, "the log has %" PRId64 " of about %" PRId64 " seconds of the host's noise", p->noises, seconds);
}

// Only logs of daemons are read late; the times of faults and leases are found out afterwards.
static void judge_order(struct proof *p) {
    for (int k = EVENT_TICK + 1; k < EVENT_KIND_COUNT; k++)
        if (p->backwards[k] && k != EVENT_LOG_LINE && k != EVENT_FAULT && k != EVENT_CLIENT_ERROR &&
            k != EVENT_CLIENT_SERVER)
            proof_lack(p, "%" PRId64 " line%s of '%s' %s earlier than the one before", p->backwards[k],
                       p->backwards[k] > 1 ? "s" : "", event_kind_name((enum event_kind)k),
                       p->backwards[k] > 1 ? "are" : "is");
}

void proof_judge_watch(struct proof *p) {
    if (p->first != EVENT_RUN_BEGIN)
        proof_lack(p, "the log does not begin with run.begin");
    if (p->kinds[EVENT_RUN_BEGIN] > 1)
        proof_lack(p, "the log holds %" PRId64 " beginnings of a run", p->kinds[EVENT_RUN_BEGIN]);
    if (*p->stranger)
        proof_lack(p, "the log speaks of a machine '%s' that the run does not have", p->stranger);
    judge_order(p);
    if (!p->ready)
        return; // told as a lack of its own
    if (!p->was_complete)
        proof_lack(p, "the lab was ready, and by the log the cluster was never complete before");
    judge_kinds(p);
    judge_noise(p);
    for (size_t i = 0; i < p->n_nodes; i++)
        judge_node(p, &p->nodes[i]);
}
