// SPDX-License-Identifier: PostgreSQL
// The write outage of a finished run: the longest one of the fold that everybody has (lab/model/outages.h), fed with all that the run folder knows.
//
// Two acknowledgements inside one 100 ms bucket are less than 100 ms apart, and of each bucket the first and the last are known to the
// microsecond: every pause above 100 ms is exact from client.tick alone. The ledger has the acknowledgements of ticks that are missing, and when the
// last write was to start: the end of an outage that goes on.
#include "lab/base/count.h"
#include "lab/measure/fold.h"

typedef VEC(usec_t) time_list;
struct stretch { // of acknowledged writes without a pause among them: one, or a merged line of a thinned record
    usec_t from, to;
};
typedef VEC(struct stretch) stretch_list;

static int by_time(const void *a, const void *b) {
    usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;
    return x < y ? -1 : x > y;
}

static int by_begin(const void *a, const void *b) {
    const struct stretch *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

static void add_stretch(stretch_list *out, usec_t from, usec_t to) {
    VEC_PUSH(out, ((struct stretch){from, to > from ? to : from}));
}

// Completion times of acknowledged writes, sorted: the ledger's and the ticks'. Where both exist they are the same
// instants; after a kill -9 the ledger misses its last batch and the ticks do not.
static void collect_acks(const struct measure *m, stretch_list *out) {
    VEC_FOREACH (&m->acks, a)
        add_stretch(out, a->first, a->returned);
    VEC_FOREACH (&m->ticks, k) {
        if (k->w_ok <= 0)
            continue;
        usec_t first = k->first_ok ? k->first_ok : k->from, last = k->last_ok ? k->last_ok : k->from;
        add_stretch(out, first, last);
    }
    VEC_SORT(out, by_begin);
}

// When the first and the last write were to be started. From ticks the last one is known to its bucket: its start is
// taken, so that an outage at the very end is never made longer than it was.
static bool find_tries(struct measure *m) {
    bool any = m->ledger_records > 0;
    VEC_FOREACH (&m->ticks, k) {
        if (k->w_tried <= 0)
            continue;
        if (!any || k->from < m->first_try)
            m->first_try = any && m->ledger_records ? m->first_try : k->from;
        usec_t last = k->to - OUTAGES_BUCKET; // the last bucket of a merged one
        if (!any || last > m->last_try)
            m->last_try = last;
        any = true;
    }
    return any;
}

static void find_period(struct measure *m) {
    int64_t tried = 0;
    VEC_FOREACH (&m->ticks, k)
        tried = count_add(tried, k->w_tried);
    usec_t length = m->last_try - m->first_try;
    if (m->period_us > 0)
        m->out.outage.period = (usec_t)m->period_us;
    else if (tried > 1)
        m->out.outage.period = length / (usec_t)tried;
    if (m->out.outage.period && m->ticks.n) {
        int64_t due = (int64_t)(length / m->out.outage.period);
        m->out.outage.attempts_missing = due > tried ? due - tried : 0;
    }
}

// In order of time: of a bucket first what failed in it, as client.tick tells it to those who read along.
static void feed_stretch(struct outages *o, const struct stretch *s) {
    outages_acked(o, s->from);
    outages_unbroken(o, s->to);
}

static void feed_outages(struct measure *m, const stretch_list *acks) {
    struct outages *o = &m->felt;
    size_t done = 0;
    outages_tried(o, m->first_try);
    outages_tried(o, m->last_try);
    if (!m->ticks.n) // the ledger alone does not tell what failed when: no pause is taken for a hiccup
        outages_bad(o, USEC_LONGEST);
    VEC_FOREACH (&m->ticks, k) {
        usec_t last = k->to - OUTAGES_BUCKET;
        for (; done < acks->n && acks->items[done].from < k->from; done++)
            feed_stretch(o, &acks->items[done]);
        if (k->w_failed + k->w_unknown > 0)
            outages_bad(o, k->from), outages_bad(o, last);
        outages_read(o, k->from, k->r_tried + k->r_failed > 0, k->r_ok > 0);
        if (last > k->from)
            outages_read(o, last, k->r_tried + k->r_failed > 0, k->r_ok > 0);
    }
    for (; done < acks->n; done++)
        feed_stretch(o, &acks->items[done]);
    outages_finish(o);
}

static usec_t first_injection(const struct measure *m) {
    usec_t first = USEC_NEVER;
    VEC_FOREACH (&m->out.faults, f) {
        usec_t t = f->effective ? f->effective : f->asked;
        if (t && t < first)
            first = t;
    }
    return first == USEC_NEVER ? 0 : first;
}

// Those that were over before the first injection are not what the run is about.
static void choose_outage(struct measure *m) {
    struct measures *o = &m->out;
    usec_t since = first_injection(m);
    VEC_FOREACH (&m->felt.writes, x) {
        usec_t to = outages_until(&m->felt, x, m->last_try);
        if (to <= since)
            continue;
        o->outage.count++;
        o->outage.total = usec_add(o->outage.total, to - x->from);
        if (o->outage.present && to - x->from <= o->outage.length)
            continue;
        o->outage.present = true;
        o->outage.open = x->to == USEC_NEVER;
        o->outage.start = x->from;
        o->outage.end = to;
        o->outage.length = to - x->from;
    }
    o->outage.hiccup = m->felt.hiccup;
}

static void choose_read_outage(struct measure *m) {
    VEC_FOREACH (&m->felt.reads, x) {
        usec_t to = x->to == USEC_NEVER ? m->felt.last_read_try + OUTAGES_BUCKET : x->to;
        if (to <= x->from + m->out.read_outage.length)
            continue;
        m->out.read_outage.length = to - x->from;
        m->out.read_outage.start = x->from;
    }
}

static usec_t median(time_list *v) {
    if (!v->n)
        return 0;
    VEC_SORT(v, by_time);
    return v->items[v->n / 2];
}

// The usual way of an acknowledged write between two instants: from its sending where the ledger knows it. Ticks only know when it
// was due, and a write that had waited in the queue all through the outage would count that as its way.
static usec_t usual_latency(const struct measure *m, usec_t from, usec_t to) {
    time_list v = {0};
    VEC_FOREACH (&m->acks, a)
        if (a->last == a->id && a->returned >= from && a->returned <= to && a->returned >= a->invoked)
            VEC_PUSH(&v, a->returned - a->invoked);
    bool ledger = v.n > 0;
    VEC_FOREACH (&m->ticks, k) {
        if (ledger)
            break;
        if (k->w_ok > 0 && k->first_ok >= from && k->first_ok <= to)
            VEC_PUSH(&v, k->first_latency);
        if (k->w_ok > 0 && k->last_ok >= from && k->last_ok <= to)
            VEC_PUSH(&v, k->last_latency);
    }
    usec_t r = median(&v);
    VEC_DONE(&v);
    return r;
}

// Resolution. Writes are tried once per period: the service may have come back up to one period plus the way of a write
// before the first acknowledgement that we saw, and have gone as much after the last. The two errors pull the same way
// and are each below period + latency; their difference to the mean is what the number can be wrong by.
static void state_resolution(struct measure *m) {
    struct measures *o = &m->out;
    o->outage.latency = usual_latency(m, 0, USEC_NEVER);
    if (o->outage.present) {
        usec_t before = usual_latency(m, o->outage.start > SEC ? o->outage.start - SEC : 0, o->outage.start);
        usec_t after = usual_latency(m, o->outage.end, o->outage.end + SEC);
        o->outage.latency = before > after ? before : after;
    }
    o->outage.resolution = o->outage.period + o->outage.latency;
}

void outage_measure(struct measure *m) {
    if (!find_tries(m))
        return;
    stretch_list acks = {0};
    collect_acks(m, &acks);
    find_period(m);
    m->felt.period = m->out.outage.period;
    m->out.outage.threshold = outages_threshold(&m->felt);
    if (acks.n) {
        m->out.outage.first_write = acks.items[0].from;
        VEC_FOREACH (&acks, a)
            m->out.outage.last_write = a->to > m->out.outage.last_write ? a->to : m->out.outage.last_write;
    }
    feed_outages(m, &acks);
    choose_outage(m);
    choose_read_outage(m);
    state_resolution(m);
    VEC_DONE(&acks);
}
