// SPDX-License-Identifier: PostgreSQL
#pragma once
// A connection as the application's role (no superuser), made from inside one node to the PostgreSQL of another.
#include "injector/fault/fault.h"
#include "lab/observe/pgconn.h"

// from: whose network it leaves through. As pgconn_open otherwise.
int app_conn_open(const struct fault_world *w, const struct node *from, const char *to_node,
                  const struct pgconn_ops *ops, void *arg, struct pgconn **ret, struct err *err);
// The node of the topology that runs the application.
struct node *app_conn_home(const struct fault_world *w);

// One question on a connection of its own: connect, run `sql` (NULL = only connect), close. done is called once, from
// the loop: sqlstate "" and text = first column of the first row when all went well; else the server's SQLSTATE (or
// "none": no answer from a server within `within`) and its words. *ret is NULL again by then.
struct app_ask;
typedef void (*app_ask_done)(void *arg, const char *sqlstate, const char *text);
int app_ask(const struct fault_world *w, const struct node *from, const char *to_node, const char *sql, usec_t within,
            app_ask_done done, void *arg, struct app_ask **ret, struct err *err);
void app_ask_drop(struct app_ask **a); // without calling done; NULL inside is fine
