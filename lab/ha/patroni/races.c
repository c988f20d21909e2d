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

#include "lab/ha/patroni/bounds.h"

// What was seen comes first: a narrow screen has room for no more.
static void add_why(struct phase *p, const char *text) {
    char law[sizeof p->why];
    STR_COPY(law, p->why);
    (void)snprintf(p->why, sizeof p->why, "%s; %s", text, law);
}

static void widen(struct phase *p, usec_t max) {
    bound_set(p, (struct law_range){p->bound_min, max});
}

static bool too_long(const struct phase *p) {
    return p->present && p->bounded && p->duration > p->bound_max + p->error;
}

static void no_law(struct phase *p, const struct leader_said *x) {
    p->bounded = p->inside = false;
    if (x->paused)
        (void)snprintf(p->why, sizeof p->why, "no law: in maintenance mode (pause) nobody races");
    else
        (void)snprintf(p->why, sizeof p->why, "no law: no race without etcd (Patroni on %s: \"%s\")", x->node,
                       x->words);
}

// Who stood back how often, by name.
static size_t count_lost(const struct bound_facts *f, const char *node, usec_t from, usec_t to, const char **words) {
    size_t n = 0;
    for (size_t i = 0; i < f->l->said.n; i++)
        if (f->l->said.items[i].said == HA_SAID_LOST && str_eq(f->l->said.items[i].node, node) &&
            f->l->said.items[i].t >= from && f->l->said.items[i].t <= to) {
            n++;
            *words = f->l->said.items[i].words;
        }
    return n;
}

void races_widen_elect(const struct bound_facts *f, struct phase *p) {
    size_t most = 0;
    const char *words = "", *busy = NULL;
    if (!too_long(p))
        return;
    usec_t end = p->open ? f->at.now : usec_sub(p->start + p->duration, LAW_LAST_RACE);
    for (size_t i = 0; i < f->l->said.n; i++) {
        const struct leader_said *x = &f->l->said.items[i];
        bool cut_off = x->said == HA_SAID_NO_DCS && str_eq(x->node, f->at.fault.leader);
        if (x->t < p->start || x->t > end || cut_off) // an old leader without etcd keeps nobody from racing
            continue;
        if (x->paused || x->said == HA_SAID_NO_DCS) {
            no_law(p, x);
            return;
        }
        if (x->said == HA_SAID_BUSY)
            busy = x->node;
        const char *its = "";
        size_t n = x->said == HA_SAID_LOST ? count_lost(f, x->node, p->start, end, &its) : 0;
        if (n > most) {
            most = n;
            words = its;
        }
    }
    char text[240];
    if (busy) {
        (void)snprintf(text, sizeof text,
                       "%s was still asking the silent leader, for up to 3 s, when the key went (Patroni: \"Exception "
                       "when working with leader\")",
                       busy);
        add_why(p, text);
        widen(p, p->bound_max + LAW_BUSY);
    }
    if (most && f->loop_wait) {
        (void)snprintf(text, sizeof text,
                       "%zu race%s that nobody won, each costs a loop_wait of %.0f s (Patroni: \"%s\")", most,
                       most > 1 ? "s" : "", (double)f->loop_wait / 1e6, words);
        add_why(p, text);
        widen(p, law_elect_again((struct law_range){p->bound_min, p->bound_max}, most, f->loop_wait).max);
    }
}

void races_widen_detect(const struct bound_facts *f, struct phase *p, usec_t ttl) {
    if (!too_long(p) || !ttl || f->etcd_changed <= p->start || f->etcd_changed >= p->start + p->duration)
        return;
    usec_t seen = f->etcd_changed - p->start, most = law_detect_anew(seen, ttl, f->election);
    char text[160];
    (void)snprintf(text, sizeof text,
                   "etcd had a new leader, seen %.1f s after the fault: every lease restarts at ttl %.0f s + %.1f s",
                   (double)seen / 1e6, (double)ttl / 1e6, (double)f->election / 1e6);
    add_why(p, text);
    widen(p, most > p->bound_max ? most : p->bound_max);
}
