// SPDX-License-Identifier: PostgreSQL
// A standby ahead of its leader: the stretches of a whole log (lab/model/ahead.h has the rule).
//
// The proven stretch goes from the first such pair to the last; the resolution is how far it may reach beyond, to the
// neighbouring pairs that prove nothing. A stretch that is not longer than its resolution is no finding.
#include "lab/model/ahead.h"
#include "lab/measure/fold.h"

static void close_stretch(struct measure *m, struct ahead_watch *w, int node, usec_t maybe_to, int end) {
    if (!w->open)
        return;
    w->open = false;
    struct ahead_span s = {.from = w->from, .to = w->to, .lsn = w->standby.lsn, .leader_lsn = w->primary.lsn};
    STR_COPY(s.node, m->nodes[node].name);
    STR_COPY(s.leader, w->leader);
    s.end = end;
    s.resolution = (w->from - w->maybe_from) + (maybe_to > w->to ? maybe_to - w->to : 0);
    if (s.to - s.from > s.resolution)
        VEC_PUSH(&m->out.aheads, s);
}

static void compare(struct measure *m, struct ahead_watch *w, int node, const struct sql_seen *leader) {
    const char *name = m->nodes[leader->node].name;
    if (w->open && !str_eq(w->leader, name))
        close_stretch(m, w, node, leader->lsn_asked, AHEAD_NEW_LEADER);
    if (ahead_compare(w, name, leader->lsn_asked, leader->lsn) == AHEAD_REFUTED)
        close_stretch(m, w, node, leader->t,
                      ahead_pair(w, leader->lsn_asked)->lsn < w->kept ? AHEAD_WENT_BACK : AHEAD_OVERTAKEN);
}

static void see_no_standby(struct measure *m, struct ahead_watch *w, const struct sql_seen *q) {
    ahead_no_standby(w, q->t, q->answered);
    if (q->answered) // promoted
        close_stretch(m, w, q->node, q->asked, AHEAD_NEW_LEADER);
}

static int by_from(const void *a, const void *b) {
    const struct ahead_span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

void ahead_measure(struct measure *m) {
    struct ahead_watch watches[NODES_MAX] = {0};
    VEC_FOREACH (&m->sql, q) {
        if (q->answered && q->in_recovery)
            ahead_standby(&watches[q->node], q->t, q->lsn);
        else
            see_no_standby(m, &watches[q->node], q);
        if (!q->answered || q->in_recovery || !q->lsn || !q->lsn_asked)
            continue;
        if (!str_eq(leadership_holder(&m->leadership, q->lsn_asked), m->nodes[q->node].name))
            continue; // a primary without the key leads nobody
        for (int i = 0; i < (int)m->n_nodes; i++)
            if (i != q->node)
                compare(m, &watches[i], i, q);
    }
    for (size_t i = 0; i < m->n_nodes; i++) {
        struct ahead_watch *w = &watches[i];
        close_stretch(m, w, (int)i, w->to, w->last.t ? AHEAD_OPEN : AHEAD_UNSEEN);
    }
    VEC_SORT(&m->out.aheads, by_from);
}
