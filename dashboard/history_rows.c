// SPDX-License-Identifier: PostgreSQL
// Replication as it is now: rows of pg_stat_replication, and how far the leader had written when.
#include "dashboard/history_fold.h"

void fold_row(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    size_t i = 0;
    while (i < h->rows.n && !(str_eq(h->rows.items[i].node, ev->u.REPLICATION.node) &&
                              str_eq(h->rows.items[i].standby, ev->u.REPLICATION.standby)))
        i++;
    if (ev->u.REPLICATION.gone) {
        if (i < h->rows.n)
            VEC_REMOVE(&h->rows, i);
        return;
    }
    if (i == h->rows.n) {
        TRIM_OLDEST(&h->rows, KEEP_KEYS, TRIM_NOTHING);
        (void)VEC_ADD(&h->rows);
        i = h->rows.n - 1;
    }
    struct row_entry *r = &h->rows.items[i];
    STR_COPY(r->node, ev->u.REPLICATION.node);
    STR_COPY(r->standby, ev->u.REPLICATION.standby);
    STR_COPY(r->state, ev->u.REPLICATION.state);
    STR_COPY(r->sync_state, ev->u.REPLICATION.sync_state);
    r->sent = ev->u.REPLICATION.sent;
    r->flushed = ev->u.REPLICATION.flushed;
    r->replayed = ev->u.REPLICATION.replayed;
    r->lag_bytes = ev->u.REPLICATION.lag_bytes;
    r->t = ev->t;
}

void fold_wal(struct fold *f, const struct model *m, const struct event *ev) {
    if (!ev->u.SQL.answered || ev->u.SQL.in_recovery || !ev->u.SQL.lsn || !str_eq(m->leader, ev->u.SQL.node))
        return;
    struct history *h = &f->h;
    TRIM_OLDEST(&h->wal, KEEP_POINTS, TRIM_NOTHING);
    while (h->wal.n && h->wal.items[h->wal.n - 1].lsn > ev->u.SQL.lsn) // a new leader went on from an earlier position
        h->wal.n--;
    VEC_PUSH(&h->wal, ((struct wal_point){.t = ev->t, .lsn = ev->u.SQL.lsn}));
}

bool history_lag_time(const struct history *h, lsn_t replayed, usec_t now, usec_t *ret) {
    if (!h->wal.n || !replayed || h->wal.items[0].lsn > replayed)
        return false;
    size_t low = 0, high = h->wal.n; // first point beyond `replayed`
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (h->wal.items[mid].lsn > replayed)
            high = mid;
        else
            low = mid + 1;
    }
    usec_t since = low < h->wal.n ? h->wal.items[low].t : now;
    *ret = now > since ? now - since : 0;
    return true;
}
