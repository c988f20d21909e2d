// SPDX-License-Identifier: PostgreSQL
#pragma once
// A running cluster, shared by the files of this room and nobody else.
#include "lab/stack/ops.h"
#include "lab/stack/template.h"

struct stack {
    struct stack_options o;
    const struct stack_ops *ops;
    struct conf conf;
    enum start_phase phase;
    size_t leader;              // index of the node that starts as leader
    bool has_leader;            // the topology has PostgreSQL at all
    bool data_ready[NODES_MAX]; // its data directory is there
    bool postmaster[NODES_MAX]; // its server was started by us
    bool leader_up;             // the leader's server accepts connections
    bool warm;
    size_t arbiter_next; // node to look at when the next arbiter is started
    usec_t deadline;     // absolute; the phase must be over by then
    struct template_worker *worker;
    sd_event_source *stagger, *tick, *watch; // next arbiter; deadline and fallback; the leader's postmaster.pid
};

// start.c
int start_begin(struct stack *s, struct err *err);
void start_on_event(struct stack *s, const struct event *ev, const struct model *m);
void start_end(struct stack *s); // releases what only the start needs

// write.c: the files of all nodes, in their /etc and in the postgres user's home.
int write_configuration(const struct stack *s, struct err *err);

// services.c: one daemon on one node, at the first boot and at any later one. Starting what already runs does nothing.
void service_boot(struct node *n);                                     // what a booting server makes in its empty /run
void service_forget_postmaster(const struct stack *s, struct node *n); // removes a postmaster.pid of an earlier boot
int service_postmaster(struct stack *s, size_t i, struct err *err); // PostgreSQL itself, as the manager would start it
int service_haproxy(struct stack *s, size_t i, struct err *err);
// With `clock: adjustable` a daemon reads the wall clock through a library; to be called before the daemon is started.
int service_with_clock(const struct stack *s, const struct node *n, struct service_spec *spec, struct err *err);
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
