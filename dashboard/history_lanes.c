// SPDX-License-Identifier: PostgreSQL
// What each node was, from when to when, and when it was last heard of.
#include "dashboard/history_fold.h"
#include "lab/model/watch.h"

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
    case EVENT_MEMBER:
        hear(h, m, ev->u.MEMBER.node, ev->t);
        return true;
    case EVENT_DCS_MEMBER:
        hear(h, m, ev->u.DCS_MEMBER.node, ev->t);
        return true;
    case EVENT_NODE_POWER:
        hear(h, m, ev->u.NODE_POWER.node, ev->t);
        return true;
    case EVENT_DCS_KEY:
        return str_eq(ev->u.DCS_KEY.key, "leader");
    case EVENT_NODE_INFO:
    case EVENT_REPLICATION:
        return true;
    default:
        return false;
    }
}

void fold_lanes(struct fold *f, const struct model *m, const struct event *ev) {
    lanes_standstill(f->h.lanes, f->h.etcd_lanes, m->n_nodes, ev);
    if (!may_change(&f->h, m, ev))
        return;
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct model_node *n = &m->nodes[i];
        TRIM_OLDEST(&f->h.lanes[i], KEEP_SEGMENTS, TRIM_NOTHING);
        TRIM_OLDEST(&f->h.etcd_lanes[i], KEEP_SEGMENTS, TRIM_NOTHING);
        if (n->services & SERVICE_POSTGRES)
            segment_note(&f->h.lanes[i], ev->t, lane_of(m, n));
        if (n->services & SERVICE_ETCD)
            segment_note(&f->h.etcd_lanes[i], ev->t, (enum lane)etcd_lane_of(n));
    }
}
