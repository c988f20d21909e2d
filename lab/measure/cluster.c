// SPDX-License-Identifier: PostgreSQL
// What direct probes of every PostgreSQL saw: the stretches in which each node accepted writes, and the outage of the
// cluster itself, without drivers and proxies.
//
// A stretch has two lengths. Proven: from the answer of its first accepted probe to the sending of its last. Possible:
// as far as the neighbouring probes that were refused or went unanswered. The truth lies between.
#include "lab/measure/fold.h"

static usec_t back(usec_t t, usec_t by) {
    return t > by ? t - by : 0;
}

static struct span *open_span(span_list *out, int node) {
    for (size_t i = out->n; i-- > 0;)
        if (out->items[i].node == node)
            return out->items[i].maybe_to == USEC_NEVER ? &out->items[i] : NULL;
    return NULL;
}

static void close_span(struct span *s, usec_t t) {
    s->maybe_to = t > s->to ? t : s->to;
}

static void see_writable(span_list *out, const struct sql_seen *q, const struct span *open) {
    struct span *s = open ? &out->items[open - out->items] : NULL;
    if (!s) {
        usec_t maybe = q->previous && q->previous < q->t ? back(q->previous, q->latency) : q->asked;
        *VEC_ADD(out) = (struct span){q->node, q->t, q->t, maybe, USEC_NEVER};
        return;
    }
    if (q->asked > s->to)
        s->to = q->asked;
}

static void see_refused(struct span *s, const struct sql_seen *q) {
    usec_t last = back(q->previous, q->latency);
    if (q->previous < q->t && last > s->to) // the last accepted probe was answered at `previous`, so it was sent before
        s->to = last;
    close_span(s, q->t);
}

static void cut_by_power(const struct measure *m, span_list *out) {
    VEC_FOREACH (&m->power, p)
        VEC_FOREACH (out, s) {
            if (p->on || s->node != p->node || s->from > p->t)
                continue;
            if (s->maybe_to > p->t)
                s->maybe_to = p->t;
            if (s->to > p->t)
                s->to = p->t;
        }
}

void cluster_spans(const struct measure *m, span_list *out) {
    VEC_FOREACH (&m->sql, q) {
        struct span *s = open_span(out, q->node);
        if (q->writable)
            see_writable(out, q, s);
        else if (s)
            see_refused(s, q);
    }
    VEC_FOREACH (out, s)
        if (s->maybe_to == USEC_NEVER)
            s->maybe_to = m->out.ended > s->to ? m->out.ended : s->to;
    cut_by_power(m, out);
}

static int by_from(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

// The longest time in which no node was seen to accept a write, after the injection.
void cluster_measure(struct measure *m) {
    struct measures *o = &m->out;
    span_list spans = {0};
    cluster_spans(m, &spans);
    VEC_SORT(&spans, by_from);
    usec_t since = o->cause >= 0 ? o->faults.items[o->cause].effective : 0, to = 0, maybe_to = 0;
    VEC_FOREACH (&spans, s) {
        if (to && s->from > to && s->from > since && s->from - to > o->cluster_outage) {
            o->cluster_outage = s->from - to;
            usec_t least = s->maybe_from > maybe_to ? s->maybe_from - maybe_to : 0;
            o->cluster_resolution = o->cluster_outage - least;
        }
        to = s->to > to ? s->to : to;
        maybe_to = s->maybe_to > maybe_to ? s->maybe_to : maybe_to;
    }
    VEC_DONE(&spans);
}
