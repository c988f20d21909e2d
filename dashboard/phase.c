// SPDX-License-Identifier: PostgreSQL
#include "dashboard/phase.h"

const char *const outage_phase_names[OP_COUNT] = {"detect", "elect", "promote", "reroute"};

// The latest fault in force when the outage began. A fault takes effect within the instant of the last acknowledged write, either side.
static const struct fault_band *find_cause(const struct history *h, const struct outage *o) {
    const usec_t same_instant = SEC / 2;
    for (size_t i = h->faults.n; i > 0; i--) {
        const struct fault_band *f = &h->faults.items[i - 1];
        if (f->from <= o->from + same_instant && (f->to == USEC_NEVER || f->to >= o->from))
            return f;
    }
    return NULL;
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
static void tell_moved(struct outage_story *s, const struct moments *t) {
    usec_t from = t->start;
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
    set_part(s, OP_PROMOTE, t->start, promoted);
    if (promoted != USEC_NEVER)
        set_part(s, OP_REROUTE, promoted, t->end);
}

void outage_tell(const struct model *m, const struct history *h, const struct outage *o, usec_t now,
                 struct outage_story *ret) {
    *ret = (struct outage_story){.open = o->to == USEC_NEVER, .from = o->from, .to = o->to, .current = -1};
    if (ret->open)
        ret->to = now > o->from ? now : o->from;
    ret->cause = find_cause(h, o);
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
    if (in_place)
        tell_in_place(ret, &t);
    else
        tell_moved(ret, &t);
    outage_bounds(m, h, ret);
}
