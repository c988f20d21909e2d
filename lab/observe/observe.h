// SPDX-License-Identifier: PostgreSQL
#pragma once
// Asks the running cluster, out of band: sockets are opened inside each node's own network namespace, to that node's loopback or
// unix socket, so no network fault blinds us and no packet is added to the lab's network. Everything seen becomes an event
// (manager, sql, replication, slot, authority, entry, grant, arbiter, config, proxy, log, noise). One loop, nothing blocks: a probe without an answer is an
// observation. Cost target: with supervisor and workload under 5 % of a core.
#include <systemd/sd-event.h>

#include "lab/node/node.h"
#include "lab/record/event.h"
#include "lab/topology/topology.h"

struct observer; // opaque
struct observer_options {
    sd_event *loop;
    const struct topology *topology;
    struct node *const *nodes; // by index in topology->nodes
    const struct event_sink *sink;
    const char *const *log_dirs; // host-side folder of each node's /var/log, same index
};
int observer_new(const struct observer_options *o, struct observer **ret, struct err *err);
void observer_free(struct observer *o);
// Feeds back the events of the others (node.power, fault, ...): probes are paced by what is going on (faster while there is no
// writable leader).
void observer_on_event(struct observer *o, const struct event *ev);
// Has the loop stood still until now? Then a noise event says so, before anything that is found out after it: call it before an event
// is logged.
void observer_look_at_the_clock(struct observer *o);

// Reads every id of the ledger table on each PostgreSQL node that answers (final.rows, final.read). done(arg) is called once all
// have answered or `deadline` (µs from now) has passed.
int observer_final_read(struct observer *o, usec_t deadline, void (*done)(void *arg), void *arg, struct err *err);

// Asks the cluster's manager for a switchover from `leader` to `candidate`, NULL or "" = whoever is best. done gets the HTTP status (0 = no answer) and the words of
// the answer; deadline: µs from now. -EOPNOTSUPP: the system of this lab has none.
int observer_switchover(struct observer *o, const char *leader, const char *candidate, usec_t deadline,
                        void (*done)(void *arg, int status, const char *body), void *arg, struct err *err);
