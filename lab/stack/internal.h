// SPDX-License-Identifier: PostgreSQL
#pragma once
// A running cluster, shared by the files of this room and nobody else.
#include "lab/stack/conf.h"
#include "lab/stack/stack.h"
#include "lab/stack/template.h"

// Where the start is. Only start.c moves it.
enum start_phase {
    START_NOT,      // stack_start has not been called
    START_DATA,     // etcd elects; data directories are being made
    START_POSTGRES, // the first leader's server comes up
    START_LOCK,     // its Patroni waits for etcd and takes the leader lock
    START_JOIN,     // the other Patronis join
    START_DONE,     // the cluster was complete once: what happens now is the scenario's
    START_BROKEN,
};

struct stack {
    struct stack_options o;
    struct conf conf;
    enum start_phase phase;
    size_t leader;              // index of the node that starts as leader
    bool has_leader;            // the topology has PostgreSQL at all
    bool data_ready[NODES_MAX]; // its data directory is there
    bool postmaster[NODES_MAX]; // its server was started by us
    bool leader_up;             // the leader's server accepts connections
    bool warm;
    size_t etcd_next; // node to look at when the next etcd is started
    usec_t deadline;  // absolute; the phase must be over by then
    struct template_worker *worker;
    sd_event_source *stagger, *tick, *watch; // next etcd; deadline and fallback; the leader's postmaster.pid
};

// start.c
int start_begin(struct stack *s, struct err *err);
void start_on_event(struct stack *s, const struct event *ev, const struct model *m);
void start_end(struct stack *s); // releases what only the start needs

// write.c: the files of all nodes, in their /etc and in the postgres user's home.
int write_configuration(const struct stack *s, struct err *err);

// services.c
void service_boot(struct node *n);              // what a booting server makes in its empty /run
void service_forget_postmaster(struct node *n); // removes a postmaster.pid of an earlier boot
int service_etcd(struct stack *s, size_t i, struct err *err);
int service_patroni(struct stack *s, size_t i, struct err *err);
int service_haproxy(struct stack *s, size_t i, struct err *err);
int service_postmaster(struct stack *s, size_t i, struct err *err); // PostgreSQL itself, as Patroni would start it
int service_dcs_settings(struct stack *s, struct err *err); // writes Patroni's dynamic configuration into etcd, once
// The last lines of a log below the node's /var/log, for a message.
void service_log_tail(struct node *n, const char *log, struct strbuf *out);

// clock/blob.c: the library that shifts a program's wall clock, a whole file.
extern const char clock_shim[], clock_shim_end[];

static inline const struct node_def *stack_def(const struct stack *s, size_t i) {
    return &s->o.topology->nodes.items[i];
}
static inline size_t stack_count(const struct stack *s) {
    return s->o.topology->nodes.n;
}
