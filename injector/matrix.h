// SPDX-License-Identifier: PostgreSQL
#pragma once
// The connectivity matrix: for every service path between two nodes, may a connection be made (intended: power, links
// and the cuts in force) and does a probe in the lab's own network get through (measured). Told as `link` events.
// Network faults are verified by their own probes (net_check.h); this is what people look at, and what shows a cut that
// nobody asked us for.
#include "injector/fault.h"

// A path is directed by who connects. It needs frames both ways: a cut of one direction stops the connections of both.
#define MATRIX_PATHS(X)                                                                                                \
    X(SQL, "sql", SERVICE_APP | SERVICE_HAPROXY, SERVICE_POSTGRES, STACK_PGPORT)                                       \
    X(REPLICATION, "replication", SERVICE_POSTGRES, SERVICE_POSTGRES, STACK_PGPORT)                                    \
    X(REST, "rest", SERVICE_POSTGRES | SERVICE_HAPROXY, SERVICE_POSTGRES, STACK_PATRONI_PORT)                          \
    X(ETCD_CLIENT, "etcd_client", SERVICE_POSTGRES, SERVICE_ETCD, STACK_ETCD_PORT)                                     \
    X(ETCD_PEER, "etcd_peer", SERVICE_ETCD, SERVICE_ETCD, STACK_ETCD_PEER_PORT)
enum matrix_path {
#define X(path, name, from, to, port) MATRIX_##path,
    MATRIX_PATHS(X)
#undef X
        MATRIX_PATH_COUNT
};
const char *matrix_path_name(enum matrix_path path); // "etcd_client": `path` of the link event

struct matrix_link {
    int from, to; // indices into topology->nodes
    enum matrix_path path;
    bool known;     // the rest has been found out at least once
    bool intended;  // when measured
    bool measured;  // a probe came back
    bool refused;   // ... with a reset: the host was reached, nobody listens on the port
    usec_t rtt;     // of the probe that came back
    usec_t differs; // run time since when measured is not what is intended; 0 = it is
};

// world->cuts must be there (injector_new makes them). Probes begin at once and go on until matrix_free.
struct matrix;
int matrix_new(const struct fault_world *world, struct matrix **ret, struct err *err);
void matrix_free(struct matrix *m);
// Shown every event of the lab: a fault that takes effect or is healed, and a node's power, make it look at once.
void matrix_on_event(struct matrix *m, const struct event *ev);
const struct matrix_link *matrix_link(const struct matrix *m, size_t i); // NULL past the end; m may be NULL
