// SPDX-License-Identifier: PostgreSQL
// What one PostgreSQL is and does, asked over its own unix socket. Two connections, because a synchronous write may hang for ever
// while the server answers everything else:
//   role  asks every 100 ms (20 ms in a hurry) for recovery state, timeline and positions; now and then, on a primary, for its
//         standbys and slots
//   write updates one row as often, when the role says primary: an acknowledged commit is the only proof of "writable"
// What goes wrong:
//   refused, starting up, ended   observed at once; the next attempt follows in 100 ms (20 ms in a hurry)
//   no answer to a query for 2 s  observed once; the connection stays: each new one would leave another hanging backend behind
//   no answer while connecting    observed after 2 s, then a new attempt
//   node without power            one observation, no probe
// No question is asked that the server would refuse: its log stays free of our errors.
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/observe/sql_internal.h"

struct link { // one of the two connections
    struct sql *sql;
    struct pgconn *pg;
    bool ready;
    usec_t asked; // when the question under way was sent, or the attempt to connect began
    bool told;    // its silence was observed
    usec_t next;  // next question or attempt
};

struct state { // what an event tells and a change is a change of
    bool answered, in_recovery, writable;
    int64_t timeline;
    char error[160];
};

enum role_query { ASK_ROLE, ASK_REPLICATION };

struct sql {
    struct watched *w;
    struct link role, write;
    enum role_query asking;
    struct state now, told;
    struct sql_row row;
    usec_t row_asked;  // when the question was sent that `row` answers
    usec_t confirmed;  // when a probe last gave the state that was told
    usec_t unwritable; // last evidence of not being writable: in recovery, a failed write, no answer
    usec_t emitted;    // last event; 0 = none yet
    int64_t latency_us;
    bool setting_up; // the write connection creates the table
    struct repl repl;
};

static const struct pgconn_ops role_ops, write_ops;

// A superuser may choose the language in which the server speaks to him; before the login it speaks that of its own lc_messages.
#define SQL_OPTIONS "-c jit=off -c lc_messages=C"

int sql_connect(struct watched *w, const char *dbname, const char *name, const struct pgconn_ops *ops, void *arg,
                struct pgconn **ret, struct err *err) {
    // The node's own /run, through its init: no network namespace is involved in a socket that has a path.
    char host[96], port[8];
    (void)snprintf(host, sizeof host, "/proc/%d/root" STACK_PGSOCKET, (int)node_init_pid(w->node));
    (void)snprintf(port, sizeof port, "%d", STACK_PGPORT);
    const char *const keys[] = {
        "host", "port", "dbname", "user", "application_name", "gssencmode", "client_encoding", "options", NULL};
    const char *const values[] = {host, port, dbname, "postgres", name, "disable", "UTF8", SQL_OPTIONS, NULL};
    return pgconn_open(w->o->loop, keys, values, ops, arg, ret, err);
}

// ---- telling ---------------------------------------------------------------------------------------------------------
static bool same_state(const struct state *a, const struct state *b) {
    return a->answered == b->answered && a->in_recovery == b->in_recovery && a->writable == b->writable &&
           a->timeline == b->timeline && str_eq(a->error, b->error);
}

static void emit(struct sql *s, usec_t asked, usec_t now) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = now;
    STR_COPY(ev.u.SQL.node, s->w->def->name);
    ev.u.SQL.answered = s->now.answered;
    STR_COPY(ev.u.SQL.error, s->now.error);
    if (s->now.answered) {
        ev.u.SQL.in_recovery = s->now.in_recovery;
        ev.u.SQL.writable = s->now.writable;
        ev.u.SQL.timeline = s->now.timeline;
        ev.u.SQL.lsn = s->row.lsn;
        ev.u.SQL.replayed = s->row.replayed;
        ev.u.SQL.lsn_asked = s->row_asked;
        ev.u.SQL.latency_us = s->latency_us;
    }
    ev.u.SQL.asked = asked;
    // "Not in recovery" is no proof against writes, so it does not count as the earlier result of a first acknowledged one.
    ev.u.SQL.previous = s->now.writable && !s->told.writable ? s->unwritable : s->confirmed;
    s->told = s->now;
    s->emitted = now;
    sink_emit(s->w->o->sink, &ev);
}

// After every observation. proves: it says something about everything that was told (a role's answer says nothing about writes).
static void observe(struct sql *s, usec_t asked, bool proves) {
    usec_t now = observer_now(s->w->o);
    if (proves && !s->now.writable && (s->now.in_recovery || *s->now.error))
        s->unwritable = now;
    if (!same_state(&s->now, &s->told) || !s->emitted) {
        emit(s, asked, now);
        s->confirmed = now;
        return;
    }
    if (now - s->emitted >= SEC)
        emit(s, asked, now);
    if (proves)
        s->confirmed = now;
}

static void not_answered(struct sql *s, usec_t asked, const char *why) {
    s->now = (struct state){.answered = false};
    sql_explain(why, s->now.error, sizeof s->now.error);
    observe(s, asked, true);
}

// ---- connections -----------------------------------------------------------------------------------------------------
static usec_t probe_period(const struct sql *s) {
    return observer_hurry(s->w->o) ? PROBE_FAST : PROBE_SLOW;
}

static void link_close(struct link *l) {
    pgconn_close(l->pg);
    l->pg = NULL;
    l->ready = false;
    l->told = false;
}

static void link_open(struct link *l, const char *name, const struct pgconn_ops *ops, usec_t now) {
    struct err err = {0};
    l->ready = l->told = false;
    l->asked = now;
    if (sql_connect(l->sql->w, "postgres", name, ops, l, &l->pg, &err) < 0)
        l->next = now + SEC; // out of descriptors or memory: the next second may be better
}

static void ask(struct link *l, const char *sql, usec_t now) {
    l->asked = now;
    l->told = false;
    l->next = now + probe_period(l->sql);
    (void)pgconn_send(l->pg, sql, 0, NULL); // if not, `lost` follows or the next turn asks again
}

static bool silent(const struct link *l, usec_t now) {
    bool waiting = l->pg && !(l->ready && pgconn_idle(l->pg));
    return waiting && !l->told && now - observer_listens_since(l->sql->w->o, l->asked) >= NO_ANSWER;
}

// ---- role ------------------------------------------------------------------------------------------------------------
static void role_turn(struct sql *s, usec_t now) {
    struct link *l = &s->role;
    if (silent(l, now)) {
        l->told = true;
        not_answered(s, l->asked, "no answer for 2 s");
        if (!l->ready)
            link_close(l);
    }
    if (!l->pg && now >= l->next)
        link_open(l, "bascule-observer", &role_ops, now);
    if (!l->ready || !pgconn_idle(l->pg))
        return;
    if (now >= l->next) {
        s->asking = ASK_ROLE;
        ask(l, SQL_ROLE, now);
    } else if (s->now.answered && !s->now.in_recovery && repl_due(&s->repl, now)) {
        usec_t next = l->next;
        s->asking = ASK_REPLICATION;
        ask(l, SQL_REPLICATION, now);
        l->next = next; // the role's own beat goes on
    }
}

static void take_role(struct sql *s, const struct sql_row *row, usec_t now) {
    bool same_role = s->now.answered && s->now.in_recovery == row->in_recovery;
    int64_t before = same_role ? s->now.timeline : 0;
    s->row = *row;
    s->row_asked = s->role.asked;
    s->latency_us = (int64_t)(now - s->role.asked);
    s->now.answered = true;
    s->now.in_recovery = row->in_recovery;
    // The control file of a standby without a receiver may know an older timeline than the one it already received.
    s->now.timeline = row->in_recovery && row->timeline < before ? before : row->timeline;
    if (row->in_recovery)
        s->now.writable = false;
    if (!s->write.told || row->in_recovery)
        s->now.error[0] = '\0';
}

static void on_role_result(void *arg, const PGresult *r) {
    struct link *l = arg;
    struct sql *s = l->sql;
    struct sql_row row;
    if (s->asking == ASK_REPLICATION) {
        repl_result(&s->repl, s->w, r);
    } else if (sql_row_read(r, &row)) {
        take_role(s, &row, observer_now(s->w->o));
        observe(s, l->asked, !s->told.writable);
    } else {
        const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        not_answered(s, l->asked, text ? text : "the role's question failed");
    }
}

static void on_role_ready(void *arg) {
    struct link *l = arg;
    l->ready = true;
    l->next = 0;
    sql_turn(l->sql);
}

static void on_role_done(void *arg) {
    struct link *l = arg;
    struct sql *s = l->sql;
    l->told = false;
    if (s->now.answered && s->now.in_recovery && s->repl.rows.n)
        repl_gone(&s->repl, s->w);
    if (s->asking == ASK_ROLE)
        sql_turn(s); // a fresh primary is asked to write without waiting for the heartbeat
}

static const char *words_of(const struct sql *s, const struct pgconn_loss *why, char (*status)[NODE_PM_STATUS_MAX]) {
    if (!str_eq(why->sqlstate, "57P03"))
        return why->text;
    node_postmaster_status(s->w->node, STACK_PGDATA, *status);
    return sql_refusal(why->text, *status);
}

static void on_role_lost(void *arg, const struct pgconn_loss *why) {
    struct link *l = arg;
    struct sql *s = l->sql;
    char status[NODE_PM_STATUS_MAX];
    link_close(l);
    l->next = observer_now(s->w->o) + probe_period(s);
    not_answered(s, l->asked, words_of(s, why, &status));
    repl_gone(&s->repl, s->w);
}

// ---- write -----------------------------------------------------------------------------------------------------------
static void write_overdue(struct sql *s) {
    s->write.told = true;
    if (!s->now.answered || s->now.in_recovery)
        return;
    s->now.writable = false;
    STR_COPY(s->now.error, "a write was not acknowledged for 2 s");
    observe(s, s->write.asked, true);
}

// The connection is opened on standbys too: at a promotion the first write must not wait for a login.
static void write_turn(struct sql *s, usec_t now) {
    struct link *l = &s->write;
    if (silent(l, now)) {
        write_overdue(s);
        if (!l->ready)
            link_close(l);
    }
    if (!s->now.answered)
        return;
    if (!l->pg && now >= l->next)
        link_open(l, "bascule-writer", &write_ops, now);
    if (!l->ready || !pgconn_idle(l->pg) || s->now.in_recovery || now < l->next)
        return;
    s->setting_up = !s->row.has_table;
    ask(l, s->setting_up ? SQL_WRITE_SETUP : SQL_WRITE, now);
}

static void write_failed(struct sql *s, const char *why) {
    if (!s->now.answered || s->now.in_recovery)
        return; // the role tells it better
    s->now.writable = false;
    sql_explain(why, s->now.error, sizeof s->now.error);
    observe(s, s->write.asked, true);
}

static void on_write_result(void *arg, const PGresult *r) {
    struct link *l = arg;
    struct sql *s = l->sql;
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        write_failed(s, text ? text : "the write failed");
    } else if (!s->setting_up && str_eq(PQcmdTuples((PGresult *)r), "1")) { // libpq forgot the const
        l->told = false;
        s->now.writable = s->now.answered && !s->now.in_recovery;
        s->now.error[0] = '\0';
    }
}

static void on_write_done(void *arg) {
    struct link *l = arg;
    struct sql *s = l->sql;
    if (!s->setting_up && s->now.writable)
        observe(s, l->asked, true);
    l->told = false;
}

static void on_write_ready(void *arg) {
    struct link *l = arg;
    l->ready = true;
    l->next = 0;
    write_turn(l->sql, observer_now(l->sql->w->o));
}

static void on_write_lost(void *arg, const struct pgconn_loss *why) {
    struct link *l = arg;
    link_close(l);
    l->next = observer_now(l->sql->w->o) + probe_period(l->sql);
    if (why->was_ready)
        write_failed(l->sql, why->text);
}

static const struct pgconn_ops role_ops = {
    .ready = on_role_ready, .result = on_role_result, .done = on_role_done, .lost = on_role_lost};
static const struct pgconn_ops write_ops = {
    .ready = on_write_ready, .result = on_write_result, .done = on_write_done, .lost = on_write_lost};

// ---- life ------------------------------------------------------------------------------------------------------------
void sql_turn(struct sql *s) {
    usec_t now = observer_now(s->w->o);
    if (watched_on(s->w)) {
        role_turn(s, now);
        write_turn(s, now);
        return;
    }
    link_close(&s->role);
    link_close(&s->write);
    s->role.next = s->write.next = 0;
    if (s->emitted && str_eq(s->told.error, "powered off"))
        return;
    not_answered(s, now, "powered off");
    repl_gone(&s->repl, s->w);
}

int sql_new(struct watched *w, struct sql **ret, struct err *err) {
    (void)err;
    struct sql *s = xcalloc(1, sizeof *s);
    s->w = w;
    s->role.sql = s->write.sql = s;
    *ret = s;
    return 0;
}

void sql_free(struct sql *s) {
    if (!s)
        return;
    link_close(&s->role);
    link_close(&s->write);
    VEC_DONE(&s->repl.rows);
    free(s);
}

bool sql_writable(const struct sql *s) {
    return s && s->now.answered && s->now.writable;
}

bool sql_primary(const struct sql *s) {
    return s && s->now.answered && !s->now.in_recovery;
}

bool sql_answered(const struct sql *s) {
    return s && s->now.answered;
}

usec_t sql_last_asked(const struct sql *s) {
    return s->row_asked;
}

const struct sql_row *sql_last(const struct sql *s) {
    return &s->row;
}
