// SPDX-License-Identifier: PostgreSQL
// Shares of 100 ms buckets with at least one good operation.
//
// With a slow workload a bucket may hold no attempt at all: the bucket is widened to the next 100 ms above two periods,
// so that each one should see a success. A bucket that the client never reported (it was stalled, or nothing was due)
// counts as not good.
#include "lab/base/count.h"
#include "lab/measure/fold.h"

#define BUCKET EVENT_BUCKET

enum what { WRITES, READS };

static int64_t ops_ok(const struct tick *k, enum what what) {
    return what == WRITES ? k->w_ok : k->r_ok;
}
static int64_t ops_tried(const struct tick *k, enum what what) {
    return what == WRITES ? k->w_tried : k->r_tried;
}

struct row { // of good buckets, by their numbers
    usec_t first, last;
};
struct buckets {
    usec_t from, width;
    usec_t n;
    VEC(struct row) good; // in order of `first`
};

static usec_t bucket_width(const struct measure *m, enum what what) {
    if (what == WRITES)
        return m->out.outage.period * 2 <= BUCKET ? BUCKET : (m->out.outage.period * 2 + BUCKET - 1) / BUCKET * BUCKET;
    int64_t total = 0;
    VEC_FOREACH (&m->ticks, k)
        total = count_add(total, k->r_tried);
    usec_t length = m->ticks.n ? m->ticks.items[m->ticks.n - 1].to - m->ticks.items[0].from : 0;
    usec_t period = total > 0 ? length / (usec_t)total : BUCKET;
    return period * 2 <= BUCKET ? BUCKET : (period * 2 + BUCKET - 1) / BUCKET * BUCKET;
}

// Every bucket of a merged tick went like the others (lab/record/thin.h).
static void mark_good(struct buckets *b, const struct tick *k, enum what what) {
    if (ops_ok(k, what) <= 0 || k->from < b->from)
        return;
    usec_t first = (k->from - b->from) / b->width, last = (k->to - BUCKET - b->from) / b->width;
    if (first < b->n)
        VEC_PUSH(&b->good, ((struct row){first, last < b->n ? last : b->n - 1}));
}

static int by_first(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

// From the first good operation to the last bucket in which one was tried.
static bool make_buckets(const struct measure *m, enum what what, struct buckets *b) {
    const struct tick *first = NULL, *last = NULL;
    VEC_FOREACH (&m->ticks, k) {
        if (!first && ops_ok(k, what) > 0)
            first = k;
        if (ops_tried(k, what) > 0)
            last = k;
    }
    if (!first || !last || last->to < first->to)
        return false;
    b->from = first->from;
    b->width = bucket_width(m, what);
    b->n = (last->to - BUCKET - first->from) / b->width + 1;
    VEC_FOREACH (&m->ticks, k)
        mark_good(b, k, what);
    VEC_SORT(&b->good, by_first);
    return true;
}

static double share_good(const struct buckets *b) {
    usec_t n = 0, next = 0; // the first bucket that is not counted yet
    VEC_FOREACH (&b->good, r) {
        usec_t from = r->first > next ? r->first : next;
        n += r->last + 1 > from ? r->last + 1 - from : 0;
        next = r->last + 1 > next ? r->last + 1 : next;
    }
    return 100.0 * (double)n / (double)b->n;
}

static void count_reads(struct measure *m) {
    VEC_FOREACH (&m->ticks, k) {
        m->out.availability.reads_ok = count_add(m->out.availability.reads_ok, k->r_ok);
        m->out.availability.reads_failed = count_add(m->out.availability.reads_failed, k->r_failed);
    }
}

void availability_measure(struct measure *m) {
    struct buckets writes = {0}, reads = {0};
    count_reads(m);
    if (make_buckets(m, WRITES, &writes))
        m->out.availability.writes = share_good(&writes);
    if (make_buckets(m, READS, &reads))
        m->out.availability.reads = share_good(&reads);
    VEC_DONE(&writes.good);
    VEC_DONE(&reads.good);
}
