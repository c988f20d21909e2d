// SPDX-License-Identifier: PostgreSQL
// What is in the ledger table at the end, on every PostgreSQL node. The happy path, per node:
//   [a standby: wait until it has replayed what the leader had, else what is on its way would look lost there]
//   -> connect to database app -> who are you (role, timeline, position) -> the ids as ranges, computed by the server in one
//   snapshot -> final.rows chunks -> final.read
// Primaries come last: a standby whose position, read before, is ahead of the leader's has WAL that the leader never wrote.
// What goes wrong: no power, no answer, an error: final.read with ok = false and the reason. The deadline ends what is left.
#include <stdio.h>
#include <stdlib.h>

#include "lab/base/count.h"
#include "lab/node/places.h"
#include "lab/observe/sql_internal.h"

enum { CHUNK_MAX = 470 };
#define SQLSTATE_NO_TABLE "42P01"   // undefined_table (PostgreSQL, appendix A)
#define CATCH_UP_MAX      (5 * SEC) // and at most half of the deadline

static const char *const SQL_RANGES =
    "SELECT min(id), max(id), sum(n), sum(n - 1) FROM (SELECT id, n, id - row_number() OVER (ORDER BY id) AS run FROM"
    " (SELECT id, count(*) AS n FROM app.ledger GROUP BY id) AS ids) AS runs GROUP BY run ORDER BY 1";

enum step { STEP_WAITING, STEP_CONNECTING, STEP_ROLE, STEP_RANGES, STEP_OVER };

struct reading { // of one node
    struct final_read *f;
    struct watched *w;
    enum step step;
    struct pgconn *pg;
    struct event result; // final.read being filled
    struct strbuf chunk;
};

struct final_read {
    struct observer *o;
    usec_t end, catch_up_end, primaries_at_latest;
    usec_t begin;
    bool goal_known;
    lsn_t goal; // the leader's position, asked for after the read began: all that the application wrote is before it
    struct reading *readings;
    size_t n;
    void (*done)(void *arg);
    void *arg;
    bool done_called;
};

// error: NULL = the node's rows are known.
static void end_reading(struct reading *r, const char *error) {
    if (r->step == STEP_OVER)
        return;
    r->step = STEP_OVER;
    pgconn_close(r->pg);
    r->pg = NULL;
    r->result.u.FINAL_READ.ok = !error;
    if (error)
        STR_COPY(r->result.u.FINAL_READ.error, error);
    sink_emit(r->f->o->sink, &r->result);
}

// ---- ranges to chunks ------------------------------------------------------------------------------------------------
static void flush(struct reading *r) {
    struct event ev = EVENT_NEW(FINAL_ROWS);
    if (!r->chunk.len)
        return;
    STR_COPY(ev.u.FINAL_ROWS.node, r->w->def->name);
    ev.u.FINAL_ROWS.chunk = r->result.u.FINAL_READ.chunks++;
    STR_COPY(ev.u.FINAL_ROWS.ranges, r->chunk.data);
    strbuf_clear(&r->chunk);
    sink_emit(r->f->o->sink, &ev);
}

static void add_range(struct reading *r, const char *first, const char *last) {
    char text[48];
    int n = str_eq(first, last) ? snprintf(text, sizeof text, "%s", first)
                                : snprintf(text, sizeof text, "%s-%s", first, last);
    if (r->chunk.len + (size_t)n + 1 > CHUNK_MAX)
        flush(r);
    if (r->chunk.len)
        strbuf_add(&r->chunk, ",");
    strbuf_add(&r->chunk, text);
}

static void take_ranges(struct reading *r, const PGresult *res) {
    for (int i = 0; i < PQntuples(res); i++) {
        add_range(r, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
        r->result.u.FINAL_READ.rows = count_add(r->result.u.FINAL_READ.rows, strtoll(PQgetvalue(res, i, 2), NULL, 10));
        r->result.u.FINAL_READ.duplicates =
            count_add(r->result.u.FINAL_READ.duplicates, strtoll(PQgetvalue(res, i, 3), NULL, 10));
    }
    flush(r);
}

// ---- the conversation ------------------------------------------------------------------------------------------------
static void on_ready(void *arg) {
    struct reading *r = arg;
    r->step = STEP_ROLE;
    r->result.u.FINAL_READ.lsn_asked = sink_now(r->f->o->sink);
    (void)pgconn_send(r->pg, SQL_ROLE, 0, NULL);
}

static void on_result(void *arg, const PGresult *res) {
    struct reading *r = arg;
    struct sql_row row;
    if (r->step == STEP_RANGES && str_eq(pgconn_sqlstate(res), SQLSTATE_NO_TABLE)) {
        // A history in which the application never began: a server that says so has been read, and holds no row.
        STR_COPY(r->result.u.FINAL_READ.error, "the application's table does not exist in its history");
        end_reading(r, NULL);
    } else if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
        end_reading(r, text ? text : "the query failed");
    } else if (r->step == STEP_ROLE && sql_row_read(res, &row)) {
        r->result.u.FINAL_READ.leader = !row.in_recovery;
        r->result.u.FINAL_READ.timeline = row.timeline;
        r->result.u.FINAL_READ.lsn = row.in_recovery ? row.replayed : row.lsn;
        r->result.u.FINAL_READ.lsn_read = sink_now(r->f->o->sink);
    } else if (r->step == STEP_RANGES) {
        take_ranges(r, res);
    }
}

static void on_done(void *arg) {
    struct reading *r = arg;
    if (r->step == STEP_ROLE) {
        r->step = STEP_RANGES;
        (void)pgconn_send(r->pg, SQL_RANGES, 0, NULL);
    } else if (r->step == STEP_RANGES) {
        end_reading(r, NULL);
    }
}

static void on_lost(void *arg, const struct pgconn_loss *why) {
    char text[160];
    sql_explain(why->text, text, sizeof text);
    end_reading(arg, text);
}

static const struct pgconn_ops ops = {.ready = on_ready, .result = on_result, .done = on_done, .lost = on_lost};

static void connect_reading(struct reading *r) {
    struct err err = {0};
    r->step = STEP_CONNECTING;
    r->result.u.FINAL_READ.goal = r->f->goal;
    if (sql_connect(r->w, STACK_DATABASE, "bascule-final-read", &ops, r, &r->pg, &err) < 0)
        end_reading(r, err.msg);
}

static bool standbys_over(const struct final_read *f) {
    for (size_t i = 0; i < f->n; i++)
        if (f->readings[i].step != STEP_OVER && !sql_primary(f->readings[i].w->sql))
            return false;
    return true;
}

static bool its_turn(const struct reading *r, usec_t now) {
    const struct sql *s = r->w->sql;
    if (sql_primary(s))
        return now >= r->f->primaries_at_latest || standbys_over(r->f);
    if (now >= r->f->catch_up_end || !sql_answered(s))
        return true; // whatever it has then is what it has; one that does not answer says so itself
    return r->f->goal_known && sql_last(s)->replayed >= r->f->goal;
}

static void reading_turn(struct reading *r, usec_t now) {
    if (r->step == STEP_OVER)
        return;
    if (!watched_on(r->w))
        end_reading(r, "powered off");
    else if (now >= r->f->end)
        end_reading(r, "no answer before the deadline");
    else if (r->step == STEP_WAITING && its_turn(r, now))
        connect_reading(r);
}

// A position that was asked for before the read began may be older than the application's last write.
static void find_goal(struct final_read *f) {
    lsn_t goal = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct sql *s = f->readings[i].w->sql;
        if (!sql_primary(s))
            continue;
        if (sql_last_asked(s) < f->begin)
            return;
        goal = sql_last(s)->lsn > goal ? sql_last(s)->lsn : goal;
    }
    f->goal = goal;
    f->goal_known = true;
}

void final_read_turn(struct final_read *f) {
    bool all = true;
    usec_t now = observer_now(f->o);
    if (!f->goal_known)
        find_goal(f);
    for (size_t i = 0; i < f->n; i++) {
        reading_turn(&f->readings[i], now);
        all = all && f->readings[i].step == STEP_OVER;
    }
    if (!all || f->done_called)
        return;
    f->done_called = true;
    f->done(f->arg);
}

int final_read_new(struct observer *o, usec_t deadline, void (*done)(void *arg), void *arg, struct final_read **ret,
                   struct err *err) {
    (void)err;
    struct final_read *f = xcalloc(1, sizeof *f);
    usec_t now = observer_now(o), patience = deadline / 2 < CATCH_UP_MAX ? deadline / 2 : CATCH_UP_MAX;
    *f = (struct final_read){.o = o,
                             .end = now + deadline,
                             .catch_up_end = now + patience,
                             .primaries_at_latest = now + patience + deadline / 10,
                             .begin = now,
                             .readings = xcalloc(o->n_nodes, sizeof *f->readings),
                             .done = done,
                             .arg = arg};
    for (size_t i = 0; i < o->n_nodes; i++) {
        if (!(o->nodes[i].def->services & SERVICE_POSTGRES))
            continue;
        struct reading *r = &f->readings[f->n++];
        *r = (struct reading){.f = f, .w = &o->nodes[i], .result = EVENT_NEW(FINAL_READ)};
        STR_COPY(r->result.u.FINAL_READ.node, o->nodes[i].def->name);
    }
    *ret = f;
    return 0;
}

void final_read_free(struct final_read *f) {
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        pgconn_close(f->readings[i].pg);
        strbuf_done(&f->readings[i].chunk);
    }
    free(f->readings);
    free(f);
}
