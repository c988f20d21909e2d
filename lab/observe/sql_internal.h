// SPDX-License-Identifier: PostgreSQL
#pragma once
// Between sql.c and sql_replication.c.
#include "lab/observe/internal.h"
#include "lab/observe/sql_row.h"

struct repl_seen {
    struct repl_row row;
    usec_t emitted;
    bool fresh; // in the answer just read
};
struct repl { // what the leader says of its standbys and slots
    VEC(struct repl_seen) rows;
    usec_t next;
};
bool repl_due(const struct repl *r, usec_t now);
void repl_result(struct repl *r, struct watched *w, const PGresult *res);
void repl_gone(struct repl *r, struct watched *w); // not a primary any more: every row vanished

// A connection to a node's PostgreSQL over its unix socket, as the node's postgres user.
int sql_connect(struct watched *w, const char *dbname, const char *name, const struct pgconn_ops *ops, void *arg,
                struct pgconn **ret, struct err *err);
