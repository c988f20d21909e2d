// SPDX-License-Identifier: PostgreSQL
// The write outage, from the completion times of acknowledged writes.
//
// Two acknowledgements inside one 100 ms bucket are less than 100 ms apart, and of each bucket the first and the last
// are known to the microsecond: so every pause above 100 ms is exact from client.tick alone. With the ledger all of
// them are.
//
//   pause     more than max(3 write periods, 100 ms) without an acknowledged write
//   hiccup    a pause up to 250 ms in which no write failed: slow, not down; it is no outage
//   outage    the longest other pause that ends after the first injection
//   flapping  a further pause above 250 ms that begins less than 1 s after one ended belongs to it: writes did not
//   *keep*
//             succeeding
#include "lab/base/count.h"
#include "lab/measure/fold.h"

enum { PAUSE_PERIODS = 3 };
#define PAUSE_MIN    (100 * MSEC)
#define FLAP_MIN     (250 * MSEC) // a hiccup of the machine after the recovery must not lengthen the outage
#define STEADY       SEC
#define HICCUP_MAX   (250 * MSEC)
#define LATE_FAILURE (2 * SEC + SEC / 2) // a write of the pause is given up at its deadline, 2 s later

struct pause {
    usec_t from, to;
    bool open; // no acknowledged write after it
};
typedef VEC(struct pause) pause_list;
typedef VEC(usec_t) time_list;

static int by_time(const void *a, const void *b) {
    usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;
    return x < y ? -1 : x > y;
}

// Completion times of acknowledged writes, sorted: the ledger's and the ticks'. Where both exist they are the same
// instants; after a kill -9 the ledger misses its last batch and the ticks do not.
static void collect_acks(const struct measure *m, time_list *out) {
    VEC_FOREACH (&m->acks, a)
        VEC_PUSH(out, a->returned);
    VEC_FOREACH (&m->ticks, k) {
        if (k->w_ok <= 0)
            continue;
        VEC_PUSH(out, k->first_ok ? k->first_ok : k->from);
        VEC_PUSH(out, k->last_ok ? k->last_ok : k->from);
    }
    VEC_SORT(out, by_time);
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
        if (!any || k->from > m->last_try)
            m->last_try = k->from;
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
        m->out.period = (usec_t)m->period_us;
    else if (tried > 1)
        m->out.period = length / (usec_t)tried;
    if (m->out.period && m->ticks.n) {
        int64_t due = (int64_t)(length / m->out.period);
        m->out.attempts_missing = due > tried ? due - tried : 0;
    }
}

static void find_pauses(const struct measure *m, const time_list *acks, pause_list *out) {
    usec_t limit = m->out.outage_threshold, last = m->first_try;
    VEC_FOREACH (acks, a) {
        if (*a > last + limit)
            *VEC_ADD(out) = (struct pause){last, *a, false};
        if (*a > last)
            last = *a;
    }
    if (m->last_try > last + limit)
        *VEC_ADD(out) = (struct pause){last, m->last_try, true};
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

static bool is_hiccup(const struct measure *m, const struct pause *p) {
    if (p->to - p->from > HICCUP_MAX)
        return false;
    VEC_FOREACH (&m->ticks, k)
        if (k->w_failed + k->w_unknown > 0 && k->from + PAUSE_MIN > p->from && k->from <= p->to + LATE_FAILURE)
            return false;
    return m->ticks.n > 0; // the ledger alone: not judged
}

static bool flaps(const struct pause *a, const struct pause *b) { // b follows a
    return b->from < a->to + STEADY && b->to - b->from > FLAP_MIN && a->to - a->from > FLAP_MIN;
}

// Is it the service that was gone? A hiccup is only noted.
static bool counts(struct measure *m, const struct pause *p, usec_t since) {
    if (p->to <= since)
        return false;
    if (!is_hiccup(m, p))
        return true;
    m->out.hiccup = p->to - p->from > m->out.hiccup ? p->to - p->from : m->out.hiccup;
    return false;
}

// The longest one, from pause `lo` to `hi`, and the others: each with the pauses that flap after its first.
static void count_outages(struct measure *m, const pause_list *pauses, usec_t since, size_t lo, size_t hi) {
    for (size_t i = 0; i < pauses->n; i++) {
        const struct pause *first = &pauses->items[i];
        if (i == lo)
            i = hi;
        else if (first->to <= since || is_hiccup(m, first))
            continue;
        else
            while (i + 1 < pauses->n && i + 1 != lo && flaps(&pauses->items[i], &pauses->items[i + 1]))
                i++;
        m->out.outages++;
        m->out.outages_total = usec_add(m->out.outages_total, pauses->items[i].to - first->from);
    }
}

static void choose_outage(struct measure *m, const pause_list *pauses) {
    usec_t since = first_injection(m);
    size_t best = pauses->n;
    for (size_t i = 0; i < pauses->n; i++) {
        const struct pause *p = &pauses->items[i];
        if (!counts(m, p, since))
            continue;
        if (best == pauses->n || p->to - p->from > pauses->items[best].to - pauses->items[best].from)
            best = i;
    }
    if (best == pauses->n)
        return;
    size_t lo = best, hi = best;
    while (lo > 0 && pauses->items[lo - 1].to > since && flaps(&pauses->items[lo - 1], &pauses->items[lo]))
        lo--;
    while (hi + 1 < pauses->n && flaps(&pauses->items[hi], &pauses->items[hi + 1]))
        hi++;
    count_outages(m, pauses, since, lo, hi);
    m->out.outage = true;
    m->out.outage_open = pauses->items[hi].open;
    m->out.outage_start = pauses->items[lo].from;
    m->out.outage_end = pauses->items[hi].to;
    m->out.write_outage = m->out.outage_end - m->out.outage_start;
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
        if (a->returned >= from && a->returned <= to && a->returned >= a->invoked)
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
    o->latency = usual_latency(m, 0, USEC_NEVER);
    if (o->outage) {
        usec_t before = usual_latency(m, o->outage_start > SEC ? o->outage_start - SEC : 0, o->outage_start);
        usec_t after = usual_latency(m, o->outage_end, o->outage_end + SEC);
        o->latency = before > after ? before : after;
    }
    o->resolution = o->period + o->latency;
}

void outage_measure(struct measure *m) {
    if (!find_tries(m))
        return;
    time_list acks = {0};
    pause_list pauses = {0};
    collect_acks(m, &acks);
    find_period(m);
    m->out.outage_threshold = PAUSE_PERIODS * m->out.period > PAUSE_MIN ? PAUSE_PERIODS * m->out.period : PAUSE_MIN;
    if (acks.n) {
        m->out.first_write = acks.items[0];
        m->out.last_write = acks.items[acks.n - 1];
    }
    find_pauses(m, &acks, &pauses);
    choose_outage(m, &pauses);
    state_resolution(m);
    VEC_DONE(&pauses);
    VEC_DONE(&acks);
}
