// SPDX-License-Identifier: PostgreSQL
// Two halves. What a node is now: one lane, chosen from all that the model knows of it. What it was: a list of segments, to which the
// present lane is noted after each event, and out of which the stretches are cut that nobody watched.
#include "lab/model/lanes.h"
#include "lab/model/watch.h"

const char *lane_name(const struct ha_kind *kind, enum lane lane) {
    switch (lane) {
#define X(name, text)                                                                                                  \
    case LANE_##name:                                                                                                  \
        return text;
        LANES(X)
#undef X
    }
    return "unknown";
}

const char *arbiter_lane_name(enum arbiter_lane lane) {
    switch (lane) {
#define X(name, text)                                                                                                  \
    case ARBITER_LANE_##name:                                                                                          \
        return text;
        ARBITER_LANES(X)
#undef X
    }
    return "unknown";
}

char *arbiter_lane_words(const struct ha_kind *kind, enum arbiter_lane lane, char *buf, size_t size) {
    bool leads = lane == ARBITER_LANE_LEADER; // beside the lanes of PostgreSQL "leader" is another one
    (void)snprintf(buf, size, "%s%s%s", leads ? kind->arbiters : "", leads ? " " : "", arbiter_lane_name(lane));
    return buf;
}

static enum lane lane_of_silent(const struct model_node *n) {
    // "the database system is starting up" is PostgreSQL's own word; before its first answer since power-on nothing can be down.
    if (strstr(n->pg_error, "starting up") || str_eq(n->state, "starting") || !n->pg_seen)
        return LANE_STARTING;
    return LANE_DOWN;
}

// It takes writes, nobody else does, and whether it leads will be said: the very first leader before its first key, or one whose manager has not been asked
// since it was promoted.
static bool awaits_its_word(const struct model *m, const struct model_node *n) {
    if (!m->leader_known)
        return true;
    if ((m->kind->has & HA_AUTHORITY) || n->manager_seen >= n->pg_changed)
        return false;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].writable && &m->nodes[i] != n)
            return false;
    return true;
}

static enum lane lane_of_primary(const struct model *m, const struct model_node *n) {
    bool holder = str_eq(m->leader, n->name);
    if (n->writable && holder)
        return LANE_LEADER;
    if (n->writable)
        return awaits_its_word(m, n) ? LANE_STARTING : LANE_WRITABLE_WITHOUT_KEY;
    return holder ? LANE_LEADER_NOT_WRITABLE : LANE_UNKNOWN;
}

enum lane lane_of(const struct model *m, const struct model_node *n) {
    if (!n->on)
        return n->power_changed ? LANE_OFF : LANE_UNKNOWN;
    if (!n->pg_answered)
        return lane_of_silent(n);
    if (!n->in_recovery)
        return lane_of_primary(m, n);
    if (str_eq(m->leader, n->name))
        return LANE_LEADER_NOT_WRITABLE;
    return n->streaming ? LANE_REPLICA : LANE_STANDBY_ALONE;
}

enum arbiter_lane arbiter_lane_of(const struct model_node *n) {
    if (!n->on)
        return n->power_changed ? ARBITER_LANE_OFF : ARBITER_LANE_UNKNOWN;
    if (!n->arbiter_answered)
        return ARBITER_LANE_DOWN;
    if (n->arbiter_leads)
        return ARBITER_LANE_LEADER;
    return n->arbiter_leader_id[strspn(n->arbiter_leader_id, "0")] ? ARBITER_LANE_FOLLOWER : ARBITER_LANE_LEADERLESS;
}

void segment_note(segment_list *l, usec_t t, enum lane lane) {
    struct segment *last = l->n ? &l->items[l->n - 1] : NULL;
    if (last && last->lane == lane)
        return;
    if (last && t <= last->from) { // two changes at one instant: the later word stands
        last->lane = lane;
        if (l->n > 1 && l->items[l->n - 2].lane == lane) {
            l->n--;
            l->items[l->n - 1].to = USEC_NEVER;
        }
        return;
    }
    if (last)
        last->to = t;
    VEC_PUSH(l, ((struct segment){.from = t, .to = USEC_NEVER, .lane = lane}));
}

void segment_hole(segment_list *l, usec_t from, usec_t to, enum lane unwatched) {
    if (!l->n || to <= from)
        return;
    enum lane lane = l->items[l->n - 1].lane;
    while (l->n && l->items[l->n - 1].from >= from)
        l->n--;
    if (l->n)
        l->items[l->n - 1].to = from;
    VEC_PUSH(l, ((struct segment){.from = from, .to = to, .lane = unwatched}));
    VEC_PUSH(l, ((struct segment){.from = to, .to = USEC_NEVER, .lane = lane}));
}

void segment_carve(segment_list *l, usec_t from, usec_t to, enum lane unwatched) {
    segment_list whole = *l;
    from = whole.n && from < whole.items[0].from ? whole.items[0].from : from;
    if (!whole.n || to <= from)
        return;
    *l = (segment_list){0};
    VEC_FOREACH (&whole, s)
        if (s->from < from)
            VEC_PUSH(l, ((struct segment){s->from, s->to < from ? s->to : from, s->lane}));
    VEC_PUSH(l, ((struct segment){from, to, unwatched}));
    VEC_FOREACH (&whole, s)
        if (s->to > to)
            VEC_PUSH(l, ((struct segment){s->from > to ? s->from : to, s->to, s->lane}));
    VEC_DONE(&whole);
}

void lanes_standstill(segment_list *lanes, segment_list *arbiters, size_t n, const struct event *ev) {
    usec_t from, to;
    if (!watch_standstill(ev, &from, &to))
        return;
    for (size_t i = 0; i < n; i++) {
        segment_hole(&lanes[i], from, to, LANE_UNWATCHED);
        segment_hole(&arbiters[i], from, to, (enum lane)ARBITER_LANE_UNWATCHED);
    }
}
