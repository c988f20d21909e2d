// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a system adds to the observer: probes of its daemons, the logs that they write, and what it is asked over HTTP. Each system fills one in a folder of this
// room (patroni/) and stands in the table of probe.c; PostgreSQL, HAProxy, the logs and the heartbeat are the room's own.
#include "lab/observe/internal.h"
#include "lab/observe/log_lines.h"

// A probe of one node. turn: from the heartbeat, every 20 ms; it decides itself whether something is due, and does not wait.
struct node_probe {
    unsigned services; // of the nodes that have one of them (bits of enum service)
    int (*open)(struct watched *w, void **ret, struct err *err);
    void (*turn)(void *probe);
    void (*close)(void *probe); // NULL is allowed
};
// One of all nodes together.
struct cluster_probe {
    int (*open)(struct observer *o, void **ret, struct err *err);
    void (*turn)(void *probe);
    void (*close)(void *probe);
};

// A log of a node, and which of its lines are told.
struct log_file {
    const char *path;    // below /var/log
    const char *service; // as in the service events
    const char *clock;   // as in lab/stack/clock, NULL = it reads the host's
    const struct log_pattern *patterns;
};

typedef void (*observer_answer)(void *arg, int status, const char *body);
struct system_probes {
    const char *name; // of the system (struct stack_ops)
    const struct node_probe *nodes;
    size_t n_nodes;
    const struct cluster_probe *cluster; // NULL = none
    const struct log_file *logs;
    size_t n_logs;
    // Asks for a switchover from `leader` to `candidate`, NULL or "" = whoever is best. done gets the HTTP status (0 = no answer) and the words of the answer.
    int (*switchover)(struct observer *o, const char *leader, const char *candidate, usec_t deadline,
                      observer_answer done, void *arg, struct err *err);
};
extern const struct system_probes patroni_probes;

const struct system_probes *probes_of(const char *system); // NULL or "" = the first; NULL = none of that name
// Of the log of this service, whichever system writes it; NULL = none is known. Ends with a NULL word.
const struct log_pattern *probes_log_patterns(const char *service);
extern const struct log_file probes_common_logs[2]; // that every system's nodes may write

// A question over HTTP to a node's loopback that outlives its asker's turn; see observer_switchover for done.
int observer_http(struct observer *o, const char *node, const struct http_options *h, observer_answer done, void *arg,
                  struct err *err);
