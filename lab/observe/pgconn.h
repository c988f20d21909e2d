// SPDX-License-Identifier: PostgreSQL
#pragma once
// One asynchronous libpq connection on an sd-event loop. It connects, runs one query at a time and tells its owner through
// callbacks; it never blocks and keeps no deadline of its own: whoever owns it knows how long an answer may take.
#include <libpq-fe.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lab/base/err.h"

enum { PGCONN_TEXT_MAX = 200, PGCONN_STATE_MAX = 6 };

// Why a connection could not be made or ended.
struct pgconn_loss {
    bool was_ready;                  // false: it never got as far as `ready`
    char sqlstate[PGCONN_STATE_MAX]; // what the server said when it said something, "" = the network
    char text[PGCONN_TEXT_MAX];      // one line for people
};

struct pgconn_ops {
    void (*ready)(void *arg);                      // connected, idle: the first query may be sent
    void (*result)(void *arg, const PGresult *r);  // each result of a query, errors included; must not keep r
    void (*done)(void *arg);                       // the query is over, the connection idle: the next may be sent
    void (*warning)(void *arg, const PGresult *r); // a NOTICE or WARNING; may be NULL
    // The connection is of no use any more. The owner must call pgconn_close (here or later) and may open another.
    void (*lost)(void *arg, const struct pgconn_loss *why);
};

struct pgconn; // opaque

// Begins to connect. keys and values as for PQconnectStartParams (copied), numeric addresses only (a name would block in the
// resolver). A failure to connect, even an immediate one, comes through ops->lost from the loop, never from inside this call.
int pgconn_open(sd_event *loop, const char *const *keys, const char *const *values, const struct pgconn_ops *ops,
                void *arg, struct pgconn **ret, struct err *err);
// Sends one statement. n_params texts, may be 0; several statements in one string only without parameters. False: it was not sent
// (not idle, or libpq refused); then `lost` follows if the connection is gone.
bool pgconn_send(struct pgconn *c, const char *sql, int n_params, const char *const *params);
bool pgconn_idle(const struct pgconn *c); // ready and no query under way
void pgconn_close(struct pgconn *c);      // accepts NULL; allowed inside callbacks, none follows

// The last line that matters of a libpq message, and its SQLSTATE when the verbose form carries one. For any bytes.
void pgconn_explain(const char *message, char sqlstate[static PGCONN_STATE_MAX], char text[static PGCONN_TEXT_MAX]);
// SQLSTATE of a result, "" when it has none.
const char *pgconn_sqlstate(const PGresult *r);
