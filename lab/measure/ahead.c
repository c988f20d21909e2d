// SPDX-License-Identifier: PostgreSQL
// A standby ahead of its leader. No two probes look at the same instant, and none has to: when the standby had replayed up to R by the
// time its probe was answered, and the leader, asked after that, had only written up to L < R, then the standby holds WAL that this
// leader never wrote. WAL positions of a running primary never go back.
//
// The proven stretch goes from the first such pair to the last; the resolution is how far it may reach beyond, to the
// neighbouring pairs that prove nothing. A stretch that is not longer than its resolution is no finding.
#include "lab/measure/fold.h"

struct position { // of a standby, answered at t
    usec_t t;
    lsn_t lsn;
};
struct watch {                    // one node as a standby
    struct position last, before; // the last two answers; t = 0: none
    usec_t clear;                 // when it last was not seen ahead
    bool open;                    // `span` is going on
    usec_t maybe_from;
    lsn_t kept; // its position at the last pair of the stretch
    struct ahead_span span;
};

static void close_stretch(struct measure *m, struct watch *w, usec_t maybe_to, int end) {
    struct ahead_span *s = &w->span;
    if (!w->open)
        return;
    w->open = false;
    s->end = end;
    s->resolution = (s->from - w->maybe_from) + (maybe_to > s->to ? maybe_to - s->to : 0);
    if (s->to - s->from > s->resolution)
        VEC_PUSH(&m->out.aheads, *s);
}

static void open_stretch(struct watch *w, const char *node, const char *leader, usec_t t) {
    w->open = true;
    w->maybe_from = w->clear < t ? w->clear : t;
    w->span = (struct ahead_span){.from = t, .to = t};
    STR_COPY(w->span.node, node);
    STR_COPY(w->span.leader, leader);
}

static void extend_stretch(struct watch *w, usec_t t, lsn_t standby, lsn_t leader) {
    struct ahead_span *s = &w->span;
    s->to = t > s->to ? t : s->to;
    w->kept = standby;
    if (s->lsn == 0 || standby - leader > s->lsn - s->leader_lsn) {
        s->lsn = standby;
        s->leader_lsn = leader;
    }
}

static void compare(struct measure *m, struct watch *w, int node, const struct sql_seen *leader) {
    const struct position *p = w->last.t && w->last.t <= leader->lsn_asked ? &w->last : &w->before;
    const char *name = m->nodes[leader->node].name;
    if (w->open && !str_eq(w->span.leader, name))
        close_stretch(m, w, leader->lsn_asked, AHEAD_NEW_LEADER);
    if (!p->t || p->t > leader->lsn_asked || !p->lsn)
        return;
    if (p->lsn > leader->lsn) {
        if (!w->open)
            open_stretch(w, m->nodes[node].name, name, leader->lsn_asked);
        extend_stretch(w, leader->lsn_asked, p->lsn, leader->lsn);
        return;
    }
    close_stretch(m, w, leader->t, p->lsn < w->kept ? AHEAD_WENT_BACK : AHEAD_OVERTAKEN);
    w->clear = p->t;
}

static void see_standby(struct watch *w, const struct sql_seen *q) {
    w->before = w->last;
    w->last = (struct position){q->t, q->lsn};
}

static void see_no_standby(struct measure *m, struct watch *w, const struct sql_seen *q) {
    w->last = w->before = (struct position){0};
    if (q->answered) // promoted
        close_stretch(m, w, q->asked, AHEAD_NEW_LEADER);
}

static int by_from(const void *a, const void *b) {
    const struct ahead_span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

void ahead_measure(struct measure *m) {
    struct watch watches[NODES_MAX] = {0};
    VEC_FOREACH (&m->sql, q) {
        if (q->answered && q->in_recovery)
            see_standby(&watches[q->node], q);
        else
            see_no_standby(m, &watches[q->node], q);
        if (!q->answered || q->in_recovery || !q->lsn || !q->lsn_asked)
            continue;
        if (!str_eq(leader_at(m, q->lsn_asked), m->nodes[q->node].name))
            continue; // a primary without the key leads nobody
        for (int i = 0; i < (int)m->n_nodes; i++)
            if (i != q->node)
                compare(m, &watches[i], i, q);
    }
    for (size_t i = 0; i < m->n_nodes; i++) {
        struct watch *w = &watches[i];
        close_stretch(m, w, w->span.to, w->last.t ? AHEAD_OPEN : AHEAD_UNSEEN);
    }
    VEC_SORT(&m->out.aheads, by_from);
}
