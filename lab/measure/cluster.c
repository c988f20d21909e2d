// SPDX-License-Identifier: PostgreSQL
// What direct probes of every PostgreSQL saw: the stretches in which each node accepted writes, and the outage of the
// cluster itself, without drivers and proxies.
//
// A stretch has two lengths. Proven: from the answer of its first accepted probe to the sending of its last. Possible:
// as far as the neighbouring probes that were refused or went unanswered. The truth lies between.
#include "lab/measure/fold.h"

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
        usec_t maybe = q->previous && q->previous < q->t ? usec_sub(q->previous, q->latency) : q->asked;
        *VEC_ADD(out) = (struct span){q->node, q->t, q->t, maybe, USEC_NEVER};
        return;
    }
    if (q->asked > s->to)
        s->to = q->asked;
}

static void see_refused(struct span *s, const struct sql_seen *q) {
    usec_t last = usec_sub(q->previous, q->latency);
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

// The last word of the node's probe before t and the first after it; 0 = none.
static void words_around(const struct measure *m, int node, const struct watch_hole *h, usec_t *before, usec_t *after) {
    *before = *after = 0;
    VEC_FOREACH (&m->sql, q) {
        if (q->node != node)
            continue;
        if (q->t <= h->from)
            *before = q->asked;
        else if (q->t >= h->to && !*after)
            *after = q->t;
    }
}

// What was accepted before a hole and after it proves nothing for the time between: one stretch becomes two, and the possible goes on.
static void cut_by_hole(const struct measure *m, span_list *out, const struct watch_hole *h) {
    for (size_t i = 0, n = out->n; i < n; i++) {
        struct span *s = &out->items[i];
        bool concerned =
            h->source == WATCH_OBSERVER || (h->source == WATCH_POSTGRES && str_eq(h->node, m->nodes[s->node].name));
        usec_t before, after;
        if (!concerned || s->from > h->from || s->to < h->to)
            continue;
        words_around(m, s->node, h, &before, &after);
        struct span rest = *s;
        s->to = before > s->from ? before : s->from;
        s->maybe_to = h->to;
        rest.from = after && after <= rest.to ? after : rest.to;
        rest.maybe_from = h->to;
        VEC_PUSH(out, rest);
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
            s->maybe_to = m->out.run.ended > s->to ? m->out.run.ended : s->to;
    cut_by_power(m, out);
    VEC_FOREACH (&m->out.holes, h)
        cut_by_hole(m, out, h);
}

static int by_from(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

// The longest time in which no node was seen to accept a write, after the injection. Time in which nobody looked, and that may be all of it, is none.
void cluster_measure(struct measure *m) {
    struct measures *o = &m->out;
    struct watch_hole hole;
    span_list spans = {0};
    cluster_spans(m, &spans);
    VEC_SORT(&spans, by_from);
    usec_t since = o->cause.fault >= 0 ? o->faults.items[o->cause.fault].effective : 0, to = 0, maybe_to = 0;
    VEC_FOREACH (&spans, s) {
        usec_t least = s->maybe_from > maybe_to ? s->maybe_from - maybe_to : 0;
        bool proven = least || !watched_hole(m, WATCHED_CLUSTER, to, s->from, &hole);
        if (to && s->from > to && s->from > since && s->from - to > o->cluster.outage && proven) {
            o->cluster.outage = s->from - to;
            o->cluster.resolution = o->cluster.outage - least;
        }
        to = s->to > to ? s->to : to;
        maybe_to = s->maybe_to > maybe_to ? s->maybe_to : maybe_to;
    }
    VEC_DONE(&spans);
}
