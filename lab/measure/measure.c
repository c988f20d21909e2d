// SPDX-License-Identifier: PostgreSQL
// Life of a fold, and the order in which its numbers are made: each step reads what the steps before it found.
#include "lab/ha/ha.h"
#include "lab/measure/fold.h"

const char *expect_result_name(const struct expect_result *e) {
    return e->kind ? expect_kind_name(e->kind) : "known_defect";
}

const char *verdict_name(enum verdict v) {
    static const char *const names[] = {"pass", "fail", "invalid", "skipped", "error", "known-defect"};
    return names[v];
}

struct measure *measure_new(void) {
    struct measure *m = xcalloc(1, sizeof *m);
    m->out.run.no_end = true;
    m->out.cause.fault = -1;
    m->out.outage.felt = &m->felt;
    m->leadership.system = ha_find("");
    m->out.leadership = &m->leadership;
    m->model = model_new();
    m->watch = watch_new();
    return m;
}

static int by_from(const void *a, const void *b) {
    const struct tick *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}
static int by_returned(const void *a, const void *b) {
    const struct ack *x = a, *y = b;
    return x->returned < y->returned ? -1 : x->returned > y->returned;
}

// Noise: one late second is a hiccup of the machine; three within the run make its times doubtful.
static void judge_noise(struct measure *m) {
    enum { LATE_US = 100000, SECONDS = 3 };
    usec_t from = m->ticks.n ? m->ticks.items[0].from : 0;
    usec_t to = m->ticks.n ? m->ticks.items[m->ticks.n - 1].from + SEC : USEC_NEVER;
    VEC_FOREACH (&m->noise, n)
        m->out.noise.seconds += n->p99 > LATE_US && n->t >= from && n->t <= to;
    m->out.noise.noisy = m->out.noise.seconds >= SECONDS;
}

static void judge_healthy(struct measure *m) {
    VEC_FOREACH (&m->healths, c)
        if (c->healthy && m->out.cluster.healthy_at == 0)
            m->out.cluster.healthy_at = c->t;
}

void measure_record(struct measure *m, const struct record_proof *record) {
    m->record = *record;
    m->record.missing.items = xmalloc((record->missing.n + 1) * sizeof *record->missing.items);
    m->record.missing.cap = record->missing.n + 1;
    if (record->missing.n)
        memcpy(m->record.missing.items, record->missing.items, record->missing.n * sizeof *record->missing.items);
    m->out.run.record = &m->record;
}

const struct measures *measure_finish(struct measure *m) {
    if (m->finished)
        return &m->out;
    m->finished = true;
    VEC_SORT(&m->ticks, by_from);
    VEC_SORT(&m->acks, by_returned);
    judge_noise(m);
    judge_healthy(m);
    outage_measure(m);
    watched_measure(m);
    cause_choose(m);
    availability_measure(m);
    cluster_measure(m);
    phases_measure(m);
    writes_measure(m);
    splitbrain_measure(m);
    ahead_measure(m);
    contents_measure(m);
    defect_find(m);
    expect_measure(m);
    defect_explain(m);
    verdict_measure(m);
    return &m->out;
}

void measure_free(struct measure *m) {
    if (!m)
        return;
    for (size_t i = 0; i < NODES_MAX; i++)
        idset_done(&m->nodes[i].rows);
    idset_done(&m->ok), idset_done(&m->failed), idset_done(&m->unknown), idset_done(&m->local_only);
    VEC_DONE(&m->record.missing);
    VEC_DONE(&m->ticks), VEC_DONE(&m->sql), VEC_DONE(&m->crashes);
    leadership_done(&m->leadership);
    model_free(m->model);
    watch_free(m->watch);
    outages_done(&m->felt);
    VEC_DONE(&m->out.holes);
    VEC_DONE(&m->power), VEC_DONE(&m->noise), VEC_DONE(&m->healths);
    VEC_DONE(&m->expectations), VEC_DONE(&m->acks), VEC_DONE(&m->runs);
    VEC_DONE(&m->out.faults), VEC_DONE(&m->out.expects), VEC_DONE(&m->out.versions);
    VEC_DONE(&m->out.contents.nodes), VEC_DONE(&m->out.aheads), VEC_DONE(&m->out.defects);
    free(m);
}
