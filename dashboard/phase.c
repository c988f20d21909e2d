// SPDX-License-Identifier: PostgreSQL
#include "dashboard/phase.h"

#include "lab/model/blame.h"

const char *const outage_phase_names[OP_COUNT] = {"demote", "no quorum", "quorum back", "detect",
                                                  "elect",  "return",    "promote",     "reroute"};

static const struct fault_band *nth_band(const struct history *h, size_t i) {
    return i < h->faults.n ? &h->faults.items[i] : &h->acts.items[i - h->faults.n];
}

static const struct fault_band *find_cause(const struct model *m, const struct history *h, const struct outage *o) {
    const usec_t resolution = 20 * MSEC; // a period and the way of a write, at the usual load
    VEC(struct blame_candidate) list = {0};
    for (size_t i = 0; i < h->faults.n + h->acts.n; i++) {
        const struct fault_band *f = nth_band(h, i);
        struct law_fault done = outage_law_fault(f);
        VEC_PUSH(&list,
                 ((struct blame_candidate){f->asked, f->from, law_explains_until(&done, f->from, f->to, m->ttl)}));
    }
    int best = blame_choose(list.items, list.n, o->from, o->to, resolution);
    VEC_DONE(&list);
    return best < 0 ? NULL : nth_band(h, (size_t)best);
}

struct moments { // USEC_NEVER = has not happened
    usec_t start, gone, elected, writable, end;
    const char *leader; // who must become writable
};

static void find_key_moments(const struct history *h, const char *old, struct moments *t) {
    const char *holder = old;
    VEC_FOREACH (&h->leaders, p) {
        if (p->t < t->start || p->t >= t->end)
            continue;
        if (!*p->node && t->gone == USEC_NEVER)
            t->gone = p->t;
        if (*p->node && (t->gone != USEC_NEVER || !str_eq(p->node, holder))) {
            t->elected = p->t;
            t->leader = p->node;
        }
        holder = *p->node ? p->node : holder;
    }
}

// First time from `after` on at which the node's own probe found it writable; a lane that began earlier counts from `after`, unless
// `anew` asks for one that began since.
static usec_t writable_from(const struct model *m, const struct history *h, const char *node, usec_t after, bool anew) {
    for (size_t i = 0; i < m->n_nodes; i++) {
        if (!str_eq(m->nodes[i].name, node))
            continue;
        VEC_FOREACH (&h->lanes[i], s)
            if (s->lane == LANE_LEADER && s->to > after && (!anew || s->from > after))
                return s->from > after ? s->from : after;
    }
    return USEC_NEVER;
}

static usec_t least(usec_t a, usec_t b) {
    return a < b ? a : b;
}

static void set_part(struct outage_story *s, int which, usec_t from, usec_t to) {
    struct outage_part *p = &s->parts[which];
    p->present = true;
    p->from = from;
    p->to = to;
    if (to == USEC_NEVER)
        s->current = which;
}

// Each phase begins where the one before it ended; what has not ended yet is the current one, and nothing follows it.
static void tell_moved(struct outage_story *s, const struct moments *t, usec_t from) {
    if (t->gone != USEC_NEVER || t->elected == USEC_NEVER) {
        set_part(s, OP_DETECT, from, t->gone == USEC_NEVER && t->end != USEC_NEVER ? t->end : t->gone);
        from = t->gone;
    }
    if (from == USEC_NEVER)
        return;
    set_part(s, OP_ELECT, from, least(t->elected, t->end));
    if (t->elected == USEC_NEVER)
        return;
    usec_t promoted = least(t->writable, t->end); // a client that is served is proof enough
    set_part(s, OP_PROMOTE, t->elected, promoted);
    if (promoted != USEC_NEVER)
        set_part(s, OP_REROUTE, promoted, t->end);
}

static void tell_in_place(struct outage_story *s, const struct moments *t) {
    usec_t promoted = least(t->writable, t->end);
    s->in_place = true;
    if (t->writable == USEC_NEVER &&
        t->end != USEC_NEVER) { // it was not seen to have stopped: the application did not reach it
        set_part(s, OP_REROUTE, t->start, t->end);
        return;
    }
    set_part(s, OP_RETURN, t->start, promoted);
    if (promoted != USEC_NEVER)
        set_part(s, OP_REROUTE, promoted, t->end);
}

// ---- a lost quorum (lab/measure/phases.c, link_without_quorum) ------------------------------------------------------------

// The first end of a time in which the node led and accepted writes; USEC_NEVER = not seen.
static usec_t fell(const struct model *m, const struct history *h, const char *node, usec_t from, usec_t to) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].name, node))
            VEC_FOREACH (&h->lanes[i], s)
                if (s->lane == LANE_LEADER && s->to > from && s->to <= to)
                    return s->to;
    return USEC_NEVER;
}

static const struct quorum_gap *find_gap(const struct model *m, const struct history *h, const char *old,
                                         const struct moments *t, usec_t *ret_fell) {
    const usec_t seen_late = SEC; // members are asked twice a second
    VEC_FOREACH (&h->quorum_gaps, g) {
        usec_t from = g->from > seen_late ? g->from - seen_late : 0;
        if (g->from + seen_late < t->start || from > t->end)
            continue;
        *ret_fell = fell(m, h, old, from, least(least(g->to, t->end), h->now));
        if (*ret_fell != USEC_NEVER && *ret_fell > t->start && t->gone > *ret_fell)
            return g;
    }
    return NULL;
}

static usec_t wrote_its_key(const struct history *h, const char *node, usec_t from, usec_t to) {
    VEC_FOREACH (&h->key_writes, w)
        if (w->t >= from && w->t <= to && str_eq(w->node, node))
            return w->t;
    return USEC_NEVER;
}

static void tell_without_quorum(struct outage_story *s, const struct model *m, const struct history *h,
                                const struct quorum_gap *g, usec_t demoted, struct moments *t) {
    s->no_quorum = true;
    s->quorum_lost = g->from;
    set_part(s, OP_DEMOTE, t->start, demoted);
    if (g->to > t->end) // served without a quorum: somebody else's doing
        return;
    set_part(s, OP_NO_QUORUM, demoted, g->to);
    if (g->to == USEC_NEVER)
        return;
    if (t->gone != USEC_NEVER || t->elected != USEC_NEVER) {
        tell_moved(s, t, g->to);
        return;
    }
    usec_t back = wrote_its_key(h, t->leader, g->to, t->end);
    if (back != USEC_NEVER || t->end == USEC_NEVER)
        set_part(s, OP_QUORUM_BACK, g->to, back);
    if (back == USEC_NEVER && t->end == USEC_NEVER)
        return;
    usec_t from = back == USEC_NEVER ? g->to : back,
           promoted = least(writable_from(m, h, t->leader, from, false), t->end);
    set_part(s, OP_PROMOTE, from, promoted);
    if (promoted != USEC_NEVER)
        set_part(s, OP_REROUTE, promoted, t->end);
}

void outage_tell(const struct model *m, const struct history *h, const struct outage *o, usec_t now,
                 struct outage_story *ret) {
    *ret = (struct outage_story){
        .open = o->to == USEC_NEVER, .from = o->from, .to = outages_until(&h->felt, o, now), .current = -1};
    ret->cause = find_cause(m, h, o);
    enum law law = ret->cause ? outage_law_of(ret->cause) : LAW_NONE;
    const char *old = ret->cause && *ret->cause->leader ? ret->cause->leader : m->leader;
    struct moments t = {.start = ret->cause ? ret->cause->from : o->from,
                        .gone = USEC_NEVER,
                        .elected = USEC_NEVER,
                        .writable = USEC_NEVER,
                        .end = o->to,
                        .leader = old};
    find_key_moments(h, old, &t);
    bool moved = t.gone != USEC_NEVER || t.elected != USEC_NEVER;
    if (moved)
        t.writable = t.elected == USEC_NEVER ? USEC_NEVER : writable_from(m, h, t.leader, t.elected, false);
    else
        t.writable = writable_from(m, h, old, t.start, law != LAW_NONE);
    bool in_place = !moved && (law == LAW_RESTART || t.writable != USEC_NEVER || (!ret->open && law != LAW_NONE));
    usec_t demoted = USEC_NEVER;
    const struct quorum_gap *gap = find_gap(m, h, old, &t, &demoted);
    if (gap)
        tell_without_quorum(ret, m, h, gap, demoted, &t);
    else if (in_place)
        tell_in_place(ret, &t);
    else
        tell_moved(ret, &t, t.start);
    outage_bounds(m, h, ret);
}
