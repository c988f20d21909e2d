// SPDX-License-Identifier: PostgreSQL
// Two nodes that accept writes at the same time, by evidence: the answers to the probes' own writes on every node and
// the acknowledgements that the application got, never a role that somebody reports.
//
// For nodes a and b that accepted writes in [first, last]: the overlap is proven for min(last sent) - max(first
// answered), and possible for as long as their neighbouring refused probes allow. A sweep over all stretches gives both
// sums at once for any number of nodes.
#include <stdio.h>

#include "lab/measure/fold.h"

struct edge {
    usec_t t;
    int node, step; // +1 begins, -1 ends
};
typedef VEC(struct edge) edge_list;

static void add_edges(edge_list *out, int node, usec_t from, usec_t to) {
    if (to <= from)
        return;
    *VEC_ADD(out) = (struct edge){from, node, 1};
    *VEC_ADD(out) = (struct edge){to, node, -1};
}

// Ends before beginnings at the same instant: touching is not overlapping.
static int by_time(const void *a, const void *b) {
    const struct edge *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->step - y->step;
}

// Total time with two or more nodes active; marks those nodes in `who`.
static usec_t overlap(edge_list *edges, bool who[NODES_MAX]) {
    int active[NODES_MAX] = {0}, n = 0;
    usec_t total = 0, last = 0;
    VEC_SORT(edges, by_time);
    VEC_FOREACH (edges, e) {
        if (n >= 2 && e->t > last) {
            total += e->t - last;
            for (int i = 0; i < NODES_MAX; i++)
                who[i] = who[i] || active[i] > 0;
        }
        last = e->t;
        n -= active[e->node] > 0;
        active[e->node] += e->step;
        n += active[e->node] > 0;
    }
    return total;
}

static bool covered(const struct measure *m, const span_list *spans, const struct ack_run *r) {
    VEC_FOREACH (spans, s)
        if (s->node != r->node && s->from <= r->first_invoked && s->to >= r->last_returned)
            return true;
    VEC_FOREACH (&m->runs, o)
        if (o->node != r->node && o->first_returned <= r->first_invoked && o->last_invoked >= r->last_returned)
            return true;
    return false;
}

// A lone acknowledged write has no length to overlap with. It was carried out somewhere between its sending and its
// answer: when another node is proven to have accepted writes through all of that time, it is a proof, and counts with
// its own length.
static usec_t lone_writes(const struct measure *m, const span_list *spans, bool who[NODES_MAX]) {
    usec_t total = 0;
    VEC_FOREACH (&m->runs, r)
        if (r->last_invoked <= r->first_returned && covered(m, spans, r)) {
            total += r->last_returned > r->first_invoked ? r->last_returned - r->first_invoked : 1;
            who[r->node] = true;
        }
    return total;
}

static void name_nodes(struct measure *m, const bool who[NODES_MAX]) {
    char *out = m->out.split_brain.nodes;
    size_t size = sizeof m->out.split_brain.nodes;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (who[i]) {
            size_t len = strlen(out);
            (void)snprintf(out + len, size - len, "%s%s", len ? ", " : "", m->nodes[i].name);
        }
}

// Acknowledgements of one node with less than a second between them are one run. Judged by when they came back: a write
// that hung through a freeze must not make the time of the freeze look served.
static void make_runs(struct measure *m) {
    size_t open[NODES_MAX] = {0}; // index + 1 of the node's run
    VEC_FOREACH (&m->acks, a) {
        if (a->node < 0)
            continue;
        struct ack_run *run = open[a->node] ? &m->runs.items[open[a->node] - 1] : NULL;
        if (!run || a->returned > run->last_returned + SEC) {
            *VEC_ADD(&m->runs) = (struct ack_run){a->node, a->invoked, a->first, a->invoked, a->returned};
            open[a->node] = m->runs.n;
            continue;
        }
        run->first_invoked = a->invoked < run->first_invoked ? a->invoked : run->first_invoked;
        run->last_invoked = a->invoked > run->last_invoked ? a->invoked : run->last_invoked;
        run->last_returned = a->returned;
    }
}

void splitbrain_measure(struct measure *m) {
    span_list spans = {0};
    edge_list proven = {0}, possible = {0};
    make_runs(m);
    cluster_spans(m, &spans);
    VEC_FOREACH (&spans, s) {
        add_edges(&proven, s->node, s->from, s->to);
        add_edges(&possible, s->node, s->maybe_from, s->maybe_to);
    }
    VEC_FOREACH (&m->runs, r) {
        add_edges(&proven, r->node, r->first_returned, r->last_invoked);
        add_edges(&possible, r->node, r->first_invoked, r->last_returned);
    }
    if (fold_damaged(m)) { // a lost line of a demotion looks like two primaries
        m->out.split_brain.unknown = true;
        VEC_CLEAR(&proven);
        VEC_CLEAR(&possible);
        VEC_CLEAR(&m->runs);
    }
    bool sure[NODES_MAX] = {0}, maybe[NODES_MAX] = {0};
    m->out.split_brain.min = overlap(&proven, sure);
    m->out.split_brain.min += lone_writes(m, &spans, sure);
    m->out.split_brain.max = overlap(&possible, maybe);
    if (m->out.split_brain.max < m->out.split_brain.min)
        m->out.split_brain.max = m->out.split_brain.min;
    name_nodes(m, m->out.split_brain.min ? sure : maybe);
    VEC_DONE(&spans);
    VEC_DONE(&proven);
    VEC_DONE(&possible);
}
