// SPDX-License-Identifier: PostgreSQL
#pragma once
// A PostgreSQL of the test's own: private folder, private port on loopback, private socket. And stand-ins for node_*: one "node"
// that is this machine, so that observers and workload can be tried without building a lab.
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab/base/str.h"

struct test_pg {
    char dir[64], data[96], sockets[96];
    int port;
    bool no_tcp; // listens on its socket only
    pid_t postmaster;
};

// Exits the program with 77 when PostgreSQL is not installed. Aborts the test on anything else that fails.
void test_pg_init(struct test_pg *pg);
void test_pg_start(struct test_pg *pg); // returns when it accepts connections
void test_pg_kill(struct test_pg *pg);  // SIGKILL to the postmaster; returns when all of its processes are gone
void test_pg_signal_all(const struct test_pg *pg, int sig); // postmaster and all its children
void test_pg_done(struct test_pg *pg);
// For the other fixtures.
pid_t test_spawn(const char *const *argv, const char *log); // as the postgres user when we are root
void test_fail(const char *what);                           // perror and abort
void test_pause_ms(long ms);
// One statement as the superuser; the first column of the rows, one per line, appended to out (may be NULL).
void test_pg_query(const struct test_pg *pg, const char *db, const char *sql, struct strbuf *out);

// A process whose root is pg's folder, so that /proc/PID/root/run/postgresql is its socket folder: the node's init.
void test_pg_node_root(const struct test_pg *pg);
void test_node_root_done(void);
void test_pg_append(const struct test_pg *pg, const char *file,
                    const char *text); // file below pg's folder, folders are made

// The observer knows one port for etcd and one for Patroni: they must be free on the loopback, so the test program enters a network
// namespace of its own, before it starts anything. Exits with 77 where that is not allowed.
void test_own_network(void);

// An etcd of the test's own.
struct test_etcd {
    char dir[64];
    pid_t pid;
};
void test_etcd_init(struct test_etcd *e);
void test_etcd_start(struct test_etcd *e); // returns when it has a leader
void test_etcd_kill(struct test_etcd *e);
void test_etcd_signal(const struct test_etcd *e, int sig);
void test_etcd_done(struct test_etcd *e);
void test_etcd_put(const struct test_etcd *e, const char *key, const char *value, int64_t lease);
void test_etcd_delete(const struct test_etcd *e, const char *key);
int64_t test_etcd_lease(const struct test_etcd *e, int ttl_s);
void test_etcd_keepalive(const struct test_etcd *e, int64_t lease);
void test_etcd_compact(const struct test_etcd *e); // everything but the latest revision

// What the node_* stand-ins answer.
extern struct test_node {
    bool on;
    pid_t init_pid;
} test_node;
