// SPDX-License-Identifier: PostgreSQL
// Making connections. The happy path of a writer's connection:
//   connect -> ask who it is (address, backend, timeline) -> [the first one ever: create table app.ledger] -> idle
// A reader's: connect -> idle.
// What goes wrong: refused, not writable, silent: see the pauses in app.h. An attempt that got nowhere has sent no operation, so
// nothing is counted here; operations time out in the queue.
#include <stdlib.h>

#include "lab/workload/app.h"

// Not every user may call pg_walfile_name on a standby (it fails in recovery), hence the CASE.
#define SQL_WHO                                                                                                        \
    "SELECT host(inet_server_addr()), pg_backend_pid(), CASE WHEN pg_is_in_recovery() THEN 0 ELSE "                    \
    "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END"
// No unique constraint: a write that took effect twice must be visible (docs/measures.md, duplicated). One string = one transaction.
#define SQL_SETUP                                                                                                      \
    "CREATE SCHEMA IF NOT EXISTS app;"                                                                                 \
    "CREATE TABLE IF NOT EXISTS app.ledger (id bigint NOT NULL, client int NOT NULL, written_at timestamptz NOT "      \
    "NULL);"                                                                                                           \
    "CREATE INDEX IF NOT EXISTS ledger_id ON app.ledger (id);"                                                         \
    "SELECT coalesce(max(id), 0) FROM app.ledger"

static bool host_usable(const struct pool *p, const struct host *h) {
    VEC_FOREACH (&p->slots, s)
        if ((*s)->host == h && ((*s)->state == SLOT_IDLE || (*s)->state == SLOT_BUSY))
            return true;
    return false;
}

static bool is_connecting(const struct slot *s) {
    return s->state == SLOT_CONNECTING || s->state == SLOT_IDENTIFYING || s->state == SLOT_SETUP;
}

static size_t host_pending(const struct pool *p, const struct host *h) {
    size_t n = 0;
    VEC_FOREACH (&p->slots, s)
        n += is_connecting(*s) && (!h || (*s)->host == h);
    return n;
}

// May a further attempt to h begin (at its time)? With something usable only the rest of the pool is filled, one at a time.
static bool may_connect(const struct pool *p, const struct host *h) {
    size_t usable = pool_usable(p);
    if (p->app->stopping && p->queue_at == p->queue.n)
        return false;
    if (!usable)
        return host_pending(p, h) < PENDING_MAX;
    return host_usable(p, h) && !host_pending(p, NULL) && usable < p->want;
}

static int connect_slot(struct slot *s, struct err *err) {
    const struct app *a = s->pool->app;
    char user_timeout[16];
    (void)snprintf(user_timeout, sizeof user_timeout, "%" PRIu64, a->o->def.deadline / MSEC);
    bool writer = s->pool->kind == LEDGER_WRITE;
    const char *const keys[] = {
        "hostaddr",         "port",       "user",    "password",         "dbname",          "target_session_attrs",
        "tcp_user_timeout", "gssencmode", "sslmode", "application_name", "client_encoding", NULL};
    const char *const values[] = {s->host->address, s->host->port,
                                  a->user,          a->password,
                                  a->dbname,        writer ? a->session_attrs : "any",
                                  user_timeout,
                                  "disable", // no Kerberos probing, no TLS negotiation: a closed box
                                  "disable",        writer ? "bascule-app" : "bascule-reader",
                                  "UTF8",           NULL};
    return pgconn_open(a->loop, keys, values, &slot_ops, s, &s->pg, err);
}

static void start(struct pool *p, struct host *h, usec_t now) {
    struct slot *s = xcalloc(1, sizeof *s);
    *s = (struct slot){.pool = p, .host = h, .deadline = now + p->app->o->def.connect_timeout, .number = ++p->n_made};
    h->next_try = now + RETRY_SILENT;
    struct err err = {0};
    if (connect_slot(s, &err) < 0) {
        report_error(p->app, h, CLIENT_PHASE_CONNECT, "", err.msg);
        free(s);
        return;
    }
    VEC_PUSH(&p->slots, s);
}

void attempts_work(struct pool *p, usec_t now) {
    VEC_FOREACH (&p->hosts, h)
        if (now >= h->next_try && may_connect(p, h))
            start(p, h, now);
}

usec_t attempts_next(const struct pool *p) {
    usec_t next = USEC_NEVER;
    VEC_FOREACH (&p->hosts, h)
        if (h->next_try < next && may_connect(p, h))
            next = h->next_try;
    return next;
}

void attempt_failed(struct slot *s, const struct pgconn_loss *why, usec_t now) {
    bool read_only = strstr(why->text, "session is read-only") || strstr(why->text, "server is in hot standby");
    // The kernel's word (tcp_user_timeout) and our own deadline come at about the same time and mean the same.
    bool silent = s->deadline <= now || strstr(why->text, "timed out");
    usec_t pause = read_only ? RETRY_READ_ONLY : RETRY_REFUSED;
    usec_t next =
        now + (s->pool->kind == LEDGER_READ ? 4 * pause : pause); // readers are in no hurry: no outage hangs on them
    // An answer, even a bad one, ends the waiting for silence; a timed-out attempt has its successors under way.
    if (!silent)
        s->host->next_try = next;
    report_error(s->pool->app, s->host, CLIENT_PHASE_CONNECT, why->sqlstate,
                 silent ? "no answer to the connection attempt" : why->text);
    slot_kill(s);
}

// A connection became usable: give up on the others.
static void attempts_settle(struct slot *winner) {
    struct pool *p = winner->pool;
    VEC_FOREACH (&p->slots, s)
        if (*s != winner && is_connecting(*s) &&
            ((*s)->host != winner->host || pool_usable(p) + host_pending(p, NULL) > p->want))
            slot_kill(*s);
}

static void become_usable(struct slot *s) {
    s->state = SLOT_IDLE;
    s->deadline = USEC_NEVER;
    report_well(s->host);
    s->host->next_try = 0; // the rest of the pool at once
    if (pool_usable(s->pool) == 1)
        attempts_settle(s);
}

static uint8_t node_by_address(const struct app *a, const char *address) {
    const struct topology *t = a->o->topology;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].address, address))
            return (uint8_t)(i + 1);
    return 0;
}

static void ask(struct slot *s, enum slot_state state, const char *sql) {
    s->state = state;
    s->op_failed = false;
    if (!pgconn_send(s->pg, sql, 0, NULL))
        slot_kill(s);
}

static void learn_who(struct slot *s, const PGresult *r) {
    struct app *a = s->pool->app;
    const char *address = PQgetvalue(r, 0, 0);
    if (!*address)
        address = s->host->address;
    s->node = node_by_address(a, address);
    const char *name = s->node ? a->o->topology->nodes.items[s->node - 1].name : address;
    report_server(a, name, address, strtoll(PQgetvalue(r, 0, 2), NULL, 10), strtoll(PQgetvalue(r, 0, 1), NULL, 10),
                  s->node);
}

static void on_ready(void *arg) {
    struct slot *s = arg;
    if (s->pool->kind == LEDGER_WRITE) {
        ask(s, SLOT_IDENTIFYING, SQL_WHO);
    } else {
        s->node = s->host->node;
        become_usable(s);
    }
    app_turn(s->pool->app);
}

static void on_result(void *arg, const PGresult *r) {
    struct slot *s = arg;
    if (s->state == SLOT_BUSY) {
        op_result(s, r);
    } else if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        s->op_failed = true;
        report_error(s->pool->app, s->host, CLIENT_PHASE_CONNECT, pgconn_sqlstate(r), text ? text : "error");
    } else if (s->state == SLOT_IDENTIFYING && PQntuples(r) == 1) {
        learn_who(s, r);
    } else if (s->state == SLOT_SETUP && PQntuples(r) == 1) {
        s->op.id = strtoull(PQgetvalue(r, 0, 0), NULL, 10) + 1; // carried to on_done: the transaction may still fail
    }
}

static void setup_done(struct slot *s) {
    struct app *a = s->pool->app;
    if (s->op_failed || s->op.id == 0) {
        s->host->next_try = app_now(a) + RETRY_SILENT;
        slot_kill(s);
        return;
    }
    uint64_t first_id = s->op.id;
    become_usable(s);
    if (!a->table_ready)
        app_begin_load(a, first_id);
}

static void on_done(void *arg) {
    struct slot *s = arg;
    struct app *a = s->pool->app;
    if (s->state == SLOT_BUSY)
        op_done(s, app_now(a));
    else if (s->state == SLOT_SETUP)
        setup_done(s);
    else if (s->state == SLOT_IDENTIFYING && s->op_failed)
        slot_kill(s);
    else if (s->state == SLOT_IDENTIFYING && a->table_ready)
        become_usable(s);
    else if (s->state == SLOT_IDENTIFYING)
        ask(s, SLOT_SETUP, SQL_SETUP);
    app_turn(a);
}

static void on_warning(void *arg, const PGresult *r) {
    struct slot *s = arg;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED),
               *routine = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
    if (s->state == SLOT_BUSY && severity && routine && classify_warning_is_local_only(severity, routine))
        s->local_only = true;
}

static void on_lost(void *arg, const struct pgconn_loss *why) {
    struct slot *s = arg;
    struct app *a = s->pool->app;
    usec_t now = app_now(a);
    if (is_connecting(s))
        attempt_failed(s, why, now);
    else
        op_lost(s, why, now);
    app_turn(a);
}

const struct pgconn_ops slot_ops = {
    .ready = on_ready, .result = on_result, .done = on_done, .warning = on_warning, .lost = on_lost};
