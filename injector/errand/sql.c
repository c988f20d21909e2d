// SPDX-License-Identifier: PostgreSQL
// SQL from an errand's process: blocking, with a deadline for the connection and one for each statement.
#include "injector/errand/errand.h"

#include <poll.h>

#include "lab/node/places.h"
#include "lab/observe/pgconn.h"
#include "lab/stack/stack.h"

static PGconn *open_conn(struct errand_io *io, const char *const *keys, const char *const *values) {
    PGconn *c = PQconnectdbParams(keys, values, 0);
    if (PQstatus(c) == CONNECTION_OK)
        return c;
    const char *text = PQerrorMessage(c);
    errand_pass(io, "no session with PostgreSQL on %s: %.*s", io->node, (int)strcspn(text, "\n"), text);
    PQfinish(c);
    return NULL;
}

PGconn *errand_sql(struct errand_io *io, const char *name, usec_t timeout) {
    char options[64];
    (void)snprintf(options, sizeof options, "-c jit=off -c lc_messages=C -c statement_timeout=%" PRIu64,
                   timeout / MSEC);
    const char *const keys[] = {"host",       "port",    "dbname", "user", "application_name", "connect_timeout",
                                "gssencmode", "options", NULL};
    const char *const values[] = {STACK_PGSOCKET, "5432", STACK_DATABASE, "postgres", name, "3", "disable",
                                  options,        NULL};
    return open_conn(io, keys, values);
}

PGconn *errand_sql_app(struct errand_io *io, const char *name) {
    const struct node_def *n = errand_node(io);
    const char *const keys[] = {"host",
                                "port",
                                "dbname",
                                "user",
                                "password",
                                "application_name",
                                "connect_timeout",
                                "gssencmode",
                                "tcp_user_timeout",
                                NULL};
    const char *const values[] = {n->address, "5432", STACK_DATABASE, STACK_APP_USER, stack_password("app"),
                                  name,       "3",    "disable",      "5000",         NULL};
    return open_conn(io, keys, values);
}

static bool logged_in(PGconn *c, usec_t end) {
    PostgresPollingStatusType st = PGRES_POLLING_WRITING; // before the first poll (libpq, PQconnectStart)
    while (st == PGRES_POLLING_READING || st == PGRES_POLLING_WRITING) {
        struct pollfd p = {.fd = PQsocket(c), .events = st == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        usec_t now = usec_now();
        if (p.fd < 0 || now >= end)
            return false;
        if (poll(&p, 1, (int)((end - now) / MSEC) + 1) > 0)
            st = PQconnectPoll(c);
    }
    return st == PGRES_POLLING_OK;
}

// Not PQconnectdb: only between the start and the answer can libpq be told to keep the code of a refusal.
const char *errand_login(const char *const *keys, const char *const *values, usec_t within, char sqlstate[static 6],
                         struct strbuf *why) {
    char text[PGCONN_TEXT_MAX];
    cleanup_pq PGconn *c = PQconnectStartParams(keys, values, 0);
    sqlstate[0] = '\0';
    if (c && PQstatus(c) != CONNECTION_BAD) {
        (void)PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
        if (logged_in(c, usec_now() + within))
            return sqlstate;
    }
    pgconn_explain(c ? PQerrorMessage(c) : "out of memory", sqlstate, text);
    strbuf_add(why, *text ? text : "no answer in time");
    if (!*sqlstate)
        (void)str_copy(sqlstate, 6, "none");
    return sqlstate;
}

static bool failed(PGconn *c, const PGresult *r, struct strbuf *why) {
    ExecStatusType st = PQresultStatus(r);
    if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK)
        return false;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE), *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *own = PQerrorMessage(c);
    if (why && text)
        strbuf_addf(why, "%s %s", state ? state : "", text);
    else if (why)
        strbuf_addf(why, "%.*s", (int)strcspn(own, "\n"), own);
    return true;
}

bool errand_exec(PGconn *c, const char *sql, struct strbuf *why) {
    cleanup_pqresult PGresult *r = PQexec(c, sql);
    return !failed(c, r, why);
}

bool errand_value(PGconn *c, const char *sql, struct strbuf *out) {
    cleanup_pqresult PGresult *r = PQexec(c, sql);
    if (failed(c, r, out))
        return false;
    if (PQntuples(r) > 0 && PQnfields(r) > 0)
        strbuf_add(out, PQgetvalue(r, 0, 0));
    return true;
}

bool errand_value_becomes(const struct errand_io *io, PGconn *c, const char *sql, const char *wanted, usec_t within,
                          struct strbuf *out) {
    for (usec_t end = usec_now() + within;;) {
        strbuf_clear(out);
        if (errand_value(c, sql, out) && str_eq(strbuf_str(out), wanted))
            return true;
        if (PQstatus(c) != CONNECTION_OK || usec_now() >= end || errand_stopped(io, 50 * MSEC))
            return false;
    }
}

PGconn *errand_sql_primary(struct errand_io *io, usec_t timeout) {
    cleanup_strbuf struct strbuf v = {0};
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", timeout);
    if (!c)
        return NULL;
    if (!errand_value(c, "SELECT pg_is_in_recovery()", &v))
        errand_pass(io, "%s: %s", io->node, strbuf_str(&v));
    else if (!str_eq(strbuf_str(&v), "f"))
        errand_pass(io, "PostgreSQL on %s is a standby", io->node);
    return io->told ? NULL : STEAL(c);
}
