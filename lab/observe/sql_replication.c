// SPDX-License-Identifier: PostgreSQL
// pg_stat_replication and pg_replication_slots as the leader shows them: each row on change, else every 5 s.
#include <stdlib.h>

#include "lab/observe/sql_internal.h"

#define REPL_SLOW   SEC
#define REPL_FAST   (200 * MSEC) // while somebody is missing: the rejoin phase is as exact as this
#define REPL_REPEAT (5 * SEC)
enum { LAG_STEP = 16 * 1024 }; // a lag that moved less than two pages of WAL is noise

bool repl_due(const struct repl *r, usec_t now) {
    return now >= r->next;
}

static void emit(struct watched *w, const struct repl_row *row, bool gone) {
    struct event ev = EVENT_NEW(REPLICATION);
    if (row->slot) {
        ev = EVENT_NEW(SLOT);
        STR_COPY(ev.u.SLOT.node, w->def->name);
        STR_COPY(ev.u.SLOT.slot, row->name);
        ev.u.SLOT.active = *row->state && !gone;
        ev.u.SLOT.restart = row->sent;
        ev.u.SLOT.retained_bytes = row->bytes;
        ev.u.SLOT.gone = gone;
    } else {
        STR_COPY(ev.u.REPLICATION.node, w->def->name);
        STR_COPY(ev.u.REPLICATION.standby, row->name);
        STR_COPY(ev.u.REPLICATION.state, row->state);
        STR_COPY(ev.u.REPLICATION.sync_state, row->sync_state);
        ev.u.REPLICATION.sent = row->sent;
        ev.u.REPLICATION.flushed = row->flushed;
        ev.u.REPLICATION.replayed = row->replayed;
        ev.u.REPLICATION.lag_bytes = row->bytes;
        ev.u.REPLICATION.gone = gone;
    }
    sink_emit(w->o->sink, &ev);
}

static struct repl_seen *find(struct repl *r, const struct repl_row *row) {
    VEC_FOREACH (&r->rows, s)
        if (s->row.slot == row->slot && str_eq(s->row.name, row->name))
            return s;
    struct repl_seen *s = VEC_ADD(&r->rows);
    s->row.slot = row->slot;
    STR_COPY(s->row.name, row->name);
    return s;
}

static bool changed(const struct repl_row *a, const struct repl_row *b) {
    return !str_eq(a->state, b->state) || !str_eq(a->sync_state, b->sync_state) ||
           llabs(a->bytes - b->bytes) > LAG_STEP;
}

static void note_row(struct repl *r, struct watched *w, const struct repl_row *row, usec_t now) {
    struct repl_seen *s = find(r, row);
    bool news = !s->emitted || changed(&s->row, row) || now - s->emitted >= REPL_REPEAT;
    s->fresh = true;
    if (!news)
        return;
    s->row = *row; // compared with what was told last, so that a slow drift is told too
    s->emitted = now;
    emit(w, row, false);
}

static void drop_missing(struct repl *r, struct watched *w) {
    size_t kept = 0;
    VEC_FOREACH (&r->rows, s) {
        if (!s->fresh)
            emit(w, &s->row, true);
        else
            r->rows.items[kept++] = *s;
    }
    r->rows.n = kept;
}

static size_t streaming(const struct repl *r) {
    size_t n = 0;
    VEC_FOREACH (&r->rows, s)
        n += !s->row.slot && str_eq(s->row.state, "streaming");
    return n;
}

static size_t standbys_on(const struct observer *o) {
    size_t n = 0;
    for (size_t i = 0; i < o->n_nodes; i++)
        n += (o->nodes[i].def->services & SERVICE_POSTGRES) && watched_on(&o->nodes[i]);
    return n ? n - 1 : 0;
}

void repl_result(struct repl *r, struct watched *w, const PGresult *res) {
    usec_t now = observer_now(w->o);
    struct repl_row row;
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        return;
    VEC_FOREACH (&r->rows, s)
        s->fresh = false;
    for (int i = 0; i < PQntuples(res); i++)
        if (repl_row_read(res, i, &row))
            note_row(r, w, &row, now);
    drop_missing(r, w);
    bool calm = streaming(r) >= standbys_on(w->o) && !observer_hurry(w->o);
    r->next = now + (calm ? REPL_SLOW : REPL_FAST);
}

void repl_gone(struct repl *r, struct watched *w) {
    VEC_FOREACH (&r->rows, s)
        s->fresh = false;
    drop_missing(r, w);
    r->next = 0;
}
