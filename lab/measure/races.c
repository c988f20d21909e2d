// SPDX-License-Identifier: PostgreSQL
// Why an election, or the wait for the lease to end, took longer than its law: evidence from the log of the run. A bound
// that was broken is widened only by what was seen, and says so.
//
//   elect    a race that nobody wins is run again in the next HA loop, loop_wait later. Patroni says why it stood back (laws.h).
//            While the old primary lives on and takes writes, two candidates look at each other's position at different
//            instants and may both stand back.
//            A candidate that is busy with the silent leader begins its race late.
//            Without an answer of etcd, or in maintenance mode, there is no race, and no law.
//   detect   a new etcd leader, for whatever reason, renews every lease to its ttl plus one election timeout
//            (lessor.Promote)
#include <stdio.h>

#include "lab/measure/fold.h"
#include "lab/measure/laws.h"

void races_log_line(struct measure *m, const struct event *ev) {
    struct stood_back x = {.t = ev->t, .node = fold_find_node(m, ev->u.LOG_LINE.node)};
    if (str_eq(ev->u.LOG_LINE.service, "patroni") && x.node >= 0 &&
        (x.said = law_said(ev->u.LOG_LINE.text, &x.words)) != LAW_SAID_NOTHING)
        *VEC_ADD(&m->stood_back) = x;
}

void races_member(struct measure *m, const struct event *ev) {
    int node = ev->u.MEMBER.paused ? fold_find_node(m, ev->u.MEMBER.node) : -1;
    if (node >= 0)
        *VEC_ADD(&m->stood_back) = (struct stood_back){.t = ev->t, .node = node, .paused = true};
}

static void add_why(struct phase *p, const char *text) {
    size_t n = strlen(p->why);
    (void)snprintf(p->why + n, sizeof p->why - n, "; %s", text);
}

static void widen(struct phase *p, usec_t max) {
    p->bound_max = max;
    p->inside = p->duration + p->error >= p->bound_min && p->duration <= max + p->error;
}

static bool too_long(const struct phase *p) {
    return p->present && p->bounded && p->duration > p->bound_max + p->error;
}

static void no_law(const struct measure *m, struct phase *p, const struct stood_back *x) {
    p->bounded = p->inside = false;
    if (x->paused)
        (void)snprintf(p->why, sizeof p->why, "no law: in maintenance mode (pause) nobody races");
    else
        (void)snprintf(p->why, sizeof p->why, "no law: no race without etcd (Patroni on %s: \"%s\")",
                       m->nodes[x->node].name, x->words);
}

void races_widen_elect(const struct measure *m, struct phase *p) {
    size_t lost[NODES_MAX] = {0}, most = 0;
    const char *words = "", *busy = NULL;
    if (!too_long(p))
        return;
    usec_t end = p->start + p->duration - LAW_LAST_RACE;
    VEC_FOREACH (&m->stood_back, x) {
        bool cut_off = x->said == LAW_SAID_NO_DCS && str_eq(m->nodes[x->node].name, m->out.old_leader);
        if (x->t < p->start || x->t > end || cut_off) // an old leader without etcd keeps nobody from racing
            continue;
        if (x->paused || x->said == LAW_SAID_NO_DCS) {
            no_law(m, p, x);
            return;
        }
        if (x->said == LAW_SAID_BUSY) {
            busy = m->nodes[x->node].name;
        } else if (++lost[x->node] > most) {
            most = lost[x->node];
            words = x->words;
        }
    }
    usec_t loop = fold_setting_usec(m, "patroni.loop_wait", p->start, SEC, 0);
    char text[240];
    if (busy) {
        (void)snprintf(text, sizeof text,
                       "%s was still asking the silent leader, for up to 3 s, when the key went (Patroni: \"Exception "
                       "when working with leader\")",
                       busy);
        add_why(p, text);
        widen(p, p->bound_max + LAW_BUSY);
    }
    if (most && loop) {
        (void)snprintf(text, sizeof text,
                       "%zu race%s that nobody won, each costs a loop_wait of %.0f s (Patroni: \"%s\")", most,
                       most > 1 ? "s" : "", (double)loop / 1e6, words);
        add_why(p, text);
        widen(p, law_elect_again((struct law_range){p->bound_min, p->bound_max}, most, loop).max);
    }
}

// When it was first seen that etcd had another leader than at `from`; 0 = not before `to`.
static usec_t etcd_leader_changed(const struct measure *m, usec_t from, usec_t to) {
    int leader = -1;
    VEC_FOREACH (&m->etcd, e) {
        if (e->t <= from && (e->leader || e->node == leader))
            leader = e->leader ? e->node : -1;
        else if (leader >= 0 && e->t > from && e->t < to && e->leader && e->node != leader)
            return e->t;
    }
    return 0;
}

void races_widen_detect(const struct measure *m, struct phase *p, usec_t ttl) {
    usec_t seen = too_long(p) ? etcd_leader_changed(m, p->start, p->start + p->duration) : 0;
    if (!seen || !ttl)
        return;
    usec_t election = fold_setting_usec(m, "etcd.election-timeout", p->start, MSEC, SEC);
    char text[160];
    (void)snprintf(text, sizeof text,
                   "etcd had a new leader, seen %.1f s after the fault: every lease restarts at ttl %.0f s + %.1f s",
                   (double)(seen - p->start) / 1e6, (double)ttl / 1e6, (double)election / 1e6);
    add_why(p, text);
    widen(p, law_detect_anew(seen - p->start, ttl, election));
}
