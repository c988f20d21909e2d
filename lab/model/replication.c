// SPDX-License-Identifier: PostgreSQL
// Who streams from the leader, how far behind it is, and what the slots hold back. Rows are kept for every sender, and
// the nodes' fields are derived from those of the present leader: the new leader's rows may come before or after its
// leader key, and both orders must end alike.
#include "lab/model/fold.h"
#include "lab/record/thin.h"

void model_forget_rows(struct model *m, const struct model_node *n) {
    size_t i = model_index(m, n);
    memset(m->rows[i], 0, sizeof m->rows[i]);
    for (size_t sender = 0; sender < NODES_MAX; sender++)
        memset(&m->rows[sender][i], 0, sizeof m->rows[sender][i]);
}

void model_apply_row(struct model *m, const struct event *ev) {
    const struct model_node *sender = model_node(m, ev->u.REPLICATION.node);
    const struct model_node *standby = model_node(m, ev->u.REPLICATION.standby);
    if (!sender || !standby) // pg_basebackup, pg_receivewal: not a member
        return;
    struct model_row *row = &m->rows[model_index(m, sender)][model_index(m, standby)];
    usec_t since = row->present && row->streaming ? row->since : ev->t;
    memset(row, 0, sizeof *row);
    row->at = ev->t;
    row->since = since;
    if (!ev->u.REPLICATION.gone) {
        row->present = true;
        row->streaming = str_eq(ev->u.REPLICATION.state, "streaming");
        STR_COPY(row->sync_state, ev->u.REPLICATION.sync_state);
        row->lag_bytes = ev->u.REPLICATION.lag_bytes;
        row->lag_known = ev->u.REPLICATION.replayed || ev->u.REPLICATION.lag_bytes;
    }
    model_derive_replication(m);
}

void model_apply_link(struct model *m, const struct event *ev) {
    const struct model_node *from = model_node(m, ev->u.LINK.from), *to = model_node(m, ev->u.LINK.to);
    if (!from || !to || ev->u.LINK.path != LINK_PATH_REPLICATION)
        return;
    // What is only slow or lossy may answer no probe in time, and replicate all the same.
    m->cut[model_index(m, from)][model_index(m, to)] = !ev->u.LINK.intended && !ev->u.LINK.measured;
    model_derive_replication(m);
}

static void note_ahead(const struct model_node *leader, struct model_node *n) {
    if (!leader->pg_answered || !n->lsn || leader->lsn <= n->lsn)
        n->ahead_since = 0;
    else if (!n->ahead_since)
        n->ahead_since = leader->pg_seen;
}

static enum row_doubt doubt_row(const struct model *m, const struct model_node *leader, const struct model_node *n,
                                const struct model_row *row) {
    if (!row->present || !row->streaming)
        return ROW_BELIEVED;
    if (m->cut[model_index(m, n)][model_index(m, leader)])
        return ROW_CUT;
    if (!n->pg_answered || !n->ahead_since)
        return ROW_BELIEVED;
    usec_t since = n->lsn_since > n->ahead_since ? n->lsn_since : n->ahead_since;
    since = row->since > since ? row->since : since;
    return n->pg_seen >= since + EVENT_STILL ? ROW_STILL : ROW_BELIEVED;
}

// Two witnesses. The row of pg_stat_replication is one server at one instant, so it is believed unless it is contradicted. Without
// one (the walsender has given up) the difference of two probes must do, which may be a second apart: on a busy cluster that
// alone is 100 kB, fine for a standby that is away and useless for one that follows.
static int64_t lag_of(const struct model_node *leader, const struct model_node *n, const struct model_row *row) {
    if (row->present && row->lag_known && n->row_doubt == ROW_BELIEVED)
        return row->lag_bytes;
    if (!leader->lsn || !n->replayed || !leader->pg_seen || !n->pg_seen)
        return -1;
    return leader->lsn > n->replayed ? (int64_t)(leader->lsn - n->replayed) : 0;
}

void model_derive_replication(struct model *m) {
    const struct model_node *leader = model_leader(m);
    for (size_t i = 0; i < m->n_nodes; i++) {
        struct model_node *n = &m->nodes[i];
        n->streaming = false;
        n->sync_state[0] = '\0';
        n->lag_bytes = -1;
        n->row_doubt = ROW_BELIEVED;
        if (!leader || n == leader || !(n->services & SERVICE_POSTGRES) || !n->on)
            continue;
        const struct model_row *row = &m->rows[model_index(m, leader)][i];
        note_ahead(leader, n);
        n->row_doubt = doubt_row(m, leader, n, row);
        n->lag_bytes = lag_of(leader, n, row);
        // A leader that is silent tells nothing: its last rows wait here until it answers again.
        if (!row->present || !leader->pg_answered || leader->in_recovery)
            continue;
        n->streaming = row->streaming && n->row_doubt == ROW_BELIEVED;
        STR_COPY(n->sync_state, row->sync_state);
    }
}

const struct model_slot *model_slot(const struct model *m, const char *node, const char *slot) {
    VEC_FOREACH (&m->slots, s)
        if (str_eq(s->node, node) && str_eq(s->slot, slot))
            return s;
    return NULL;
}

void model_apply_slot(struct model *m, const struct event *ev) {
    const struct model_slot *known = model_slot(m, ev->u.SLOT.node, ev->u.SLOT.slot);
    size_t i = known ? (size_t)(known - m->slots.items) : m->slots.n;
    if (!known && (ev->u.SLOT.gone || m->slots.n == MODEL_SLOTS_MAX))
        return;
    if (ev->u.SLOT.gone) {
        memmove(&m->slots.items[i], &m->slots.items[i + 1], (--m->slots.n - i) * sizeof m->slots.items[0]);
        return;
    }
    struct model_slot *s = known ? &m->slots.items[i] : VEC_ADD(&m->slots);
    STR_COPY(s->node, ev->u.SLOT.node);
    STR_COPY(s->slot, ev->u.SLOT.slot);
    s->active = ev->u.SLOT.active;
    s->retained_bytes = ev->u.SLOT.retained_bytes;
    s->t = ev->t;
}
