// SPDX-License-Identifier: PostgreSQL
#pragma once
// The application: an open-loop client in the application's node. Attempts are scheduled by the clock, so a stall does not hide
// the attempts that should have happened; every write has a unique id, every operation ends as ok, failed or unknown
// (catalogue: docs/measures.md). It runs as a process of its own (node_run_function) and reports over a SEQPACKET socket.
#include <systemd/sd-event.h>

#include "lab/node/node.h"
#include "lab/plan/plan.h"
#include "lab/record/event.h"

struct workload; // the supervisor's handle
struct workload_options {
    sd_event *loop;
    const struct workload_def *def;
    const struct topology *topology;
    struct node *app;              // where it runs
    const struct event_sink *sink; // client.tick, client.error, client.server
    const char *ledger_path;       // every operation, one fixed-size record each (lab/record/ledger.h); created
    const char *conninfo;          // of the writer (multi-host or proxy); borrowed during the call
};
// Starts the process; it connects, creates table app.ledger when missing, and begins. Needs a writable leader.
int workload_start(const struct workload_options *o, struct workload **ret, struct err *err);
// No new operations; those in flight get their deadline. done(arg) once the process has reported its last tick and ended, or has been
// killed because it did not end in time (twice the deadline of an operation and 5 s): that is told as client.error "process".
int workload_stop(struct workload *w, void (*done)(void *arg), void *arg, struct err *err);
// Ends the process now, and returns when it has ended, at most after 2 s: nothing is written to the ledger any more. Tells nothing. May be NULL.
void workload_kill(struct workload *w);
// Another number of writes a second from now on; seen in the ticks. A level below the one the run began with would make its
// resolution (run.begin, period_us) a lie: the caller refuses that.
int workload_set_rate(struct workload *w, double writes_per_s, struct err *err);
// What one record of the ledger may stand for from now on, in a record that is thinned (lab/record/thin.h); 0 = one operation. Those that
// wait to be merged are then written as they are. Nothing happens when the process has ended.
void workload_set_merge(struct workload *w, usec_t merge);
void workload_free(struct workload *w);
