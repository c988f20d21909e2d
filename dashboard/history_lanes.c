// SPDX-License-Identifier: PostgreSQL
// What each node was, from when to when, and when it was last heard of.
#include "dashboard/history_fold.h"

static void hear(struct history *h, const struct model *m, const char *node, usec_t t) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].name, node) && t > h->heard[i])
            h->heard[i] = t;
}

// True when the event can change a lane; the others, most of a log, cost nothing here.
static bool may_change(struct history *h, const struct model *m, const struct event *ev) {
    switch ((int)ev->kind) {
    case EVENT_SQL:
        hear(h, m, ev->u.SQL.node, ev->t);
        return true;
    case EVENT_MANAGER:
        hear(h, m, ev->u.MANAGER.node, ev->t);
        return true;
    case EVENT_ARBITER:
        hear(h, m, ev->u.ARBITER.node, ev->t);
        return true;
    case EVENT_NODE_POWER:
        hear(h, m, ev->u.NODE_POWER.node, ev->t);
        return true;
    case EVENT_AUTHORITY:
    case EVENT_NODE_INFO:
    case EVENT_REPLICATION:
        return true;
    default:
        return false;
    }
}

static void note_still(struct history *h, const struct watch_hole *hole) {
    struct still *last = h->still.n ? &h->still.items[h->still.n - 1] : NULL;
    if (!last || hole->from > last->to) {
        TRIM_OLDEST(&h->still, KEEP_POINTS, TRIM_NOTHING);
        last = VEC_ADD(&h->still);
    }
    *last = (struct still){hole->from, hole->to};
}

// A time that nobody watched is drawn as one, in every lane that it concerns.
static void note_hole(struct fold *f, const struct model *m, const struct watch_hole *hole) {
    struct history *h = &f->h;
    if (hole->source == WATCH_APPLICATION)
        note_still(h, hole);
    for (size_t i = 0; i < m->n_nodes; i++) {
        if (hole->source == WATCH_OBSERVER || (hole->source == WATCH_POSTGRES && str_eq(hole->node, m->nodes[i].name)))
            segment_carve(&h->lanes[i], hole->from, hole->to, LANE_UNWATCHED);
        if (hole->source == WATCH_OBSERVER)
            segment_carve(&h->arbiter_lanes[i], hole->from, hole->to, (enum lane)ARBITER_LANE_UNWATCHED);
    }
}

void fold_lanes(struct fold *f, const struct model *m, const struct event *ev) {
    watch_event(f->watch, ev);
    const struct watch_hole *hole = watch_told(f->watch);
    if (hole)
        note_hole(f, m, hole);
    if (!may_change(&f->h, m, ev))
        return;
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct model_node *n = &m->nodes[i];
        TRIM_OLDEST(&f->h.lanes[i], KEEP_SEGMENTS, TRIM_NOTHING);
        TRIM_OLDEST(&f->h.arbiter_lanes[i], KEEP_SEGMENTS, TRIM_NOTHING);
        if (n->services & SERVICE_POSTGRES)
            segment_note(&f->h.lanes[i], ev->t, lane_of(m, n));
        if (n->services & SERVICES_ARBITER)
            segment_note(&f->h.arbiter_lanes[i], ev->t, (enum lane)arbiter_lane_of(n));
    }
}
