// SPDX-License-Identifier: PostgreSQL
// Nothing may be called absent for time that nobody watched: which holes (lab/model/watch.h) lie in the time that a claim speaks of.
#include "lab/measure/fold.h"

// From the first acknowledged write to the last that was tried: the time that the expectations speak of. What becomes of the cluster while
// it is read and stopped is no part of it. A lab without an application: to the end of the judged part.
usec_t watched_from(const struct measure *m) {
    return m->out.outage.first_write ? m->out.outage.first_write : m->out.cluster.healthy_at;
}

usec_t watched_to(const struct measure *m) {
    usec_t end = m->last_try ? m->last_try : m->closed_at ? m->closed_at : m->out.run.ended;
    return end > watched_from(m) ? end : watched_from(m);
}

void watched_measure(struct measure *m) {
    watch_list(m->watch, watched_to(m), &m->out.holes);
}

static usec_t length(const struct watch_hole *h) {
    return h->to - h->from;
}

bool watched_hole(const struct measure *m, unsigned sources, usec_t from, usec_t to, struct watch_hole *ret) {
    bool any = false;
    VEC_FOREACH (&m->out.holes, h) {
        struct watch_hole part = *h;
        part.from = part.from > from ? part.from : from;
        part.to = part.to < to ? part.to : to;
        if (!(sources & 1U << h->source) || part.to <= part.from || (any && length(&part) <= length(ret)))
            continue;
        *ret = part;
        any = true;
    }
    return any;
}

// What is left of [from, to] when the holes are taken out: the longest piece, for what went on before a hole may have ended in it.
static usec_t longest_piece(const struct measure *m, unsigned sources, usec_t from, usec_t to) {
    usec_t best = 0, at = from;
    VEC_FOREACH (&m->out.holes, h) { // in order of their beginning
        if (!(sources & 1U << h->source) || h->to <= at || h->from >= to)
            continue;
        if (h->from > at && h->from - at > best)
            best = h->from - at;
        at = h->to;
    }
    return to > at && to - at > best ? to - at : best;
}

static usec_t first_hole_after(const struct measure *m, unsigned sources, usec_t from, usec_t fallback) {
    VEC_FOREACH (&m->out.holes, h)
        if ((sources & 1U << h->source) && h->to > from)
            return h->from > from ? h->from : from;
    return fallback;
}

static usec_t last_hole_end(const struct measure *m, unsigned sources, usec_t from, usec_t to) {
    usec_t end = from;
    VEC_FOREACH (&m->out.holes, h)
        if ((sources & 1U << h->source) && h->from < to && h->to > end)
            end = h->to < to ? h->to : to;
    return end;
}

#define APPLICATION (1U << WATCH_APPLICATION)
#define NO_LIMIT    1e18

static usec_t fault_began(const struct measure *m) {
    if (m->out.cause.fault < 0)
        return watched_from(m);
    const struct fault_measure *f = &m->out.faults.items[m->out.cause.fault];
    return f->effective ? f->effective : f->asked;
}

// An application that stood still makes an outage longer, never shorter.
static void outage_claim(const struct measure *m, usec_t from, usec_t to, struct watched_claim *c) {
    c->from = from, c->to = to;
    c->least = (double)longest_piece(m, APPLICATION, from, to);
    c->most = 0; // what was measured
}

static void recovery_claim(const struct measure *m, struct watched_claim *c) {
    usec_t began = fault_began(m), end = m->out.outage.end;
    c->from = began, c->to = end > began ? end : began;
    c->least = (double)(first_hole_after(m, APPLICATION, began, c->to) - began);
}

// From when on it is waited for: as link_rejoin in phases.c has it.
static usec_t rejoin_began(const struct measure *m) {
    const struct phase *p = &m->out.phases.list[PHASE_REJOIN];
    usec_t began = fault_began(m);
    if (p->present)
        return p->start;
    return m->out.outage.present && !m->out.outage.open && m->out.outage.end > began ? m->out.outage.end : began;
}

// The last beginning of the time in which the cluster is healthy: earlier, when a hole hid it, or as late as the end of a hole after it.
static void rejoin_claim(const struct measure *m, struct watched_claim *c) {
    c->from = rejoin_began(m), c->to = watched_to(m) > c->from ? watched_to(m) : c->from;
    c->least = (double)(first_hole_after(m, WATCHED_CLUSTER, c->from, c->to) - c->from);
    c->most = (double)(last_hole_end(m, WATCHED_CLUSTER, c->from, c->to) - c->from);
    if (!m->out.phases.rejoin_known && last_hole_end(m, WATCHED_CLUSTER, c->from, c->to) < c->to)
        c->least = NO_LIMIT; // somebody was seen not to stream when all was over
}

static void phases_claim(const struct measure *m, struct watched_claim *c) {
    c->from = c->to = fault_began(m);
    for (int i = 0; i < PHASE_REJOIN; i++) {
        const struct phase *p = &m->out.phases.list[i];
        if (p->present && p->start + p->duration > c->to)
            c->to = p->start + p->duration;
    }
    c->most = NO_LIMIT;
}

static void availability_claim(const struct measure *m, double value, struct watched_claim *c) {
    usec_t bad = 0;
    VEC_FOREACH (&m->out.holes, h)
        bad += h->source == WATCH_APPLICATION ? h->to - h->from : 0;
    c->least = value;
    c->most = c->to > c->from ? value + 100.0 * (double)bad / (double)(c->to - c->from) : value;
}

bool watched_claim(const struct measure *m, enum expect_kind kind, struct watched_claim *ret) {
    const struct measures *o = &m->out;
    struct watched_claim c = {.from = m->first_try, .to = m->last_try, .most = NO_LIMIT};
    unsigned sources = APPLICATION;
    if (kind == EXPECT_SPLIT_BRAIN) {
        sources = WATCHED_CLUSTER;
        c.from = watched_from(m), c.to = watched_to(m);
        c.least = (double)o->split_brain.min;
    } else if (kind == EXPECT_WRITE_OUTAGE && o->outage.present) {
        outage_claim(m, o->outage.start, o->outage.end, &c);
    } else if (kind == EXPECT_READ_OUTAGE && o->read_outage.length) {
        outage_claim(m, o->read_outage.start, o->read_outage.start + o->read_outage.length, &c);
    } else if (kind == EXPECT_RECOVERY) {
        recovery_claim(m, &c);
    } else if (kind == EXPECT_REJOIN) {
        sources = WATCHED_CLUSTER;
        rejoin_claim(m, &c);
    } else if (kind == EXPECT_PHASES) {
        sources = WATCHED_CLUSTER;
        phases_claim(m, &c);
    } else if (kind == EXPECT_WRITE_AVAILABILITY) {
        availability_claim(m, o->availability.writes, &c);
    } else if (kind == EXPECT_READ_AVAILABILITY) {
        availability_claim(m, o->availability.reads, &c);
    } else if (kind == EXPECT_LOST_WRITES || kind == EXPECT_LOCAL_ONLY_LOST) {
        c.least = (double)(kind == EXPECT_LOST_WRITES ? o->writes.lost : o->writes.local_only_lost);
    } else if (kind == EXPECT_LOCAL_ONLY_WRITES) {
        c.least = (double)o->writes.local_only;
    } else if (kind == EXPECT_WRITE_OUTAGE || kind == EXPECT_READ_OUTAGE) {
        c.most = 0; // there was none: a pause that nobody tried to end would have been called one
    } else {
        return false;
    }
    c.holed = watched_hole(m, sources, c.from, c.to, &c.hole);
    *ret = c;
    return true;
}
