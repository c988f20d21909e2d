// SPDX-License-Identifier: PostgreSQL
#pragma once
// One-way probes, one per flow: a packet leaves a node's namespace and arrives in another's, or does not. Exact per
// direction and port, needs no process in the nodes (a frozen node's kernel still answers), and is what every network
// fault is verified with. All traffic is probed by UDP datagrams, a flow of a TCP port by a segment that belongs to no
// connection (segment.h), a flow of large packets by large ones.
#include "lab/reach/reach.h"

enum { PROBE_OVER_MAX = 1380 }; // the largest net_flow.over that can be probed: one frame, not fragments

struct probe;
struct probe_plan {
    unsigned rounds; // packets per flow
    usec_t every;    // between two of them
    usec_t linger;   // how long to listen after the last
    bool early;      // stop as soon as every flow has got one
};
#define PROBE_SILENCE ((struct probe_plan){.rounds = 5, .every = 20 * MSEC, .linger = 70 * MSEC}) // 150 ms in all

// Opens the sockets that the flows need. Flows are then named by their place in the list, which is copied.
int probe_new(const struct reach *net, const flow_list *flows, struct probe **ret, struct err *err);
void probe_free(struct probe *p); // NULL is fine; a run under way is dropped
// Sends a packet over each of these flows (by place) and sees it arrive: the proof that the way was open a moment before a
// cut. Takes 0.1 ms, at most 5 ms when one stays silent.
void probe_baseline(struct probe *p, const bool *wanted);
// Sends and listens; done(arg) is called once from the loop, results are read with the functions below.
int probe_run(struct probe *p, const struct probe_plan *plan, void (*done)(void *arg), void *arg, struct err *err);

bool probe_had_baseline(const struct probe *p, size_t flow); // its baseline packet has arrived
unsigned probe_sent(const struct probe *p, size_t flow);     // of the last run
unsigned probe_arrived(const struct probe *p, size_t flow);  // of the last run
