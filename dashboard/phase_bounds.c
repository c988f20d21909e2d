// SPDX-License-Identifier: PostgreSQL
// What the history tells the laws of an outage that may still go on. The evaluation and its words: lab/measure/bounds.h.
#include "dashboard/phase.h"
#include "lab/measure/bounds.h"

typedef VEC(struct bound_said) said_list;

struct law_fault outage_law_fault(const struct fault_band *f) {
    return (struct law_fault){f->mechanism, f->params, f->nodes, f->leader};
}

enum law outage_law_of(const struct fault_band *f) {
    struct law_fault done = outage_law_fault(f);
    return law_of(&done);
}

static struct law_renewal renewal_before(const struct history *h, usec_t t) {
    struct law_renewal last = {0};
    VEC_FOREACH (&h->leases, p)
        law_note_renewal(&last, (struct law_renewal){.at = p->t, .error = p->error, .ttl = p->ttl}, t);
    return last;
}

// When another etcd than the one that led when the fault bit was first seen leading.
static usec_t etcd_leader_changed(const struct model *m, const struct history *h, const struct fault_band *f) {
    usec_t first = USEC_NEVER;
    for (size_t i = 0; *f->etcd_leader && i < m->n_nodes; i++)
        VEC_FOREACH (&h->etcd_lanes[i], s)
            if ((int)s->lane == ETCD_LANE_LEADER && s->from > f->from && s->from < first &&
                !str_eq(m->nodes[i].name, f->etcd_leader))
                first = s->from;
    return first;
}

static bool has_haproxy(const struct model *m) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].services & SERVICE_HAPROXY)
            return true;
    return false;
}

// What the Patronis said of the election: nothing before it matters.
static void collect_said(const struct history *h, const struct outage_part *elect, said_list *out) {
    if (!elect->present)
        return;
    for (size_t i = h->logs.n; i > 0 && h->logs.items[i - 1].t >= elect->from; i--) {
        const struct log_entry *e = &h->logs.items[i - 1];
        struct bound_said x = {.t = e->t, .node = e->node};
        if (str_eq(e->service, "patroni") && (x.said = law_said(e->text, &x.words)) != LAW_SAID_NOTHING)
            VEC_PUSH(out, x);
    }
    if (h->paused)
        *VEC_ADD(out) = (struct bound_said){.t = h->paused, .node = h->paused_node, .paused = true};
}

static void lend(const struct outage_story *o, usec_t now, struct phase phases[PHASE_COUNT]) {
    for (int i = 0; i < OP_COUNT; i++) {
        const struct outage_part *p = &o->parts[i];
        bool open = p->to == USEC_NEVER;
        phases[i] = (struct phase){
            .present = p->present, .open = open, .start = p->from, .duration = usec_sub(open ? now : p->to, p->from)};
    }
}

static void take_back(struct outage_story *o, const struct phase phases[PHASE_COUNT]) {
    for (int i = 0; i < OP_COUNT; i++) {
        struct outage_part *p = &o->parts[i];
        p->bounded = phases[i].bounded;
        p->min = phases[i].bound_min;
        p->max = phases[i].bound_max;
        STR_COPY(p->why, phases[i].why);
    }
}

void outage_bounds(const struct model *m, const struct history *h, struct outage_story *o) {
    const struct fault_band *f = o->cause;
    struct phase phases[PHASE_COUNT] = {0};
    said_list said = {0};
    if (!f)
        return;
    collect_said(h, &o->parts[OP_ELECT], &said);
    struct bound_facts facts = {
        .fault = outage_law_fault(f),
        .bite = f->from,
        .healed = f->act ? USEC_NEVER : f->to,
        .now = h->now,
        .ttl = m->ttl,
        .loop_wait = m->loop_wait,
        .retry_timeout = m->retry_timeout,
        .start_timeout = h->start_timeout_told ? h->primary_start_timeout : BOUND_START_TIMEOUT,
        .election = h->etcd_election ? h->etcd_election : BOUND_ELECTION,
        .renewal = renewal_before(h, f->from),
        .etcd_leader = f->etcd_leader,
        .etcd_changed = etcd_leader_changed(m, h, f),
        .named = h->leader_named > f->from ? h->leader_named : USEC_NEVER,
        .haproxy = has_haproxy(m),
        .no_quorum = o->no_quorum,
        .quorum_lost = o->quorum_lost,
        .said = said.items,
        .n_said = said.n,
    };
    lend(o, h->now, phases);
    bounds_evaluate(&facts, phases);
    take_back(o, phases);
    VEC_DONE(&said);
}
