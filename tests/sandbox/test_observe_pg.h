// SPDX-License-Identifier: PostgreSQL
#pragma once
// A PostgreSQL of the test's own: private folder, private port on loopback, private socket. And stand-ins for node_*: one "node"
// that is this machine, so that observers and workload can be tried without building a lab.
#include <stdbool.h>
#include <sys/types.h>

#include "lab/base/str.h"

struct test_pg {
    char dir[64], data[96], sockets[96];
    int port;
    pid_t postmaster;
};

// Exits the program with 77 when PostgreSQL is not installed. Aborts the test on anything else that fails.
void test_pg_init(struct test_pg *pg);
void test_pg_start(struct test_pg *pg); // returns when it accepts connections
void test_pg_kill(struct test_pg *pg);  // SIGKILL to the postmaster; returns when all of its processes are gone
void test_pg_signal_all(const struct test_pg *pg, int sig); // postmaster and all its children
void test_pg_done(struct test_pg *pg);
// One statement as the superuser; the first column of the rows, one per line, appended to out (may be NULL).
void test_pg_query(const struct test_pg *pg, const char *db, const char *sql, struct strbuf *out);

// What the node_* stand-ins answer. root: host folder taken as the node's root.
extern struct test_node {
    bool on;
    pid_t init_pid;
} test_node;
