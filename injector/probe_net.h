// SPDX-License-Identifier: PostgreSQL
#pragma once
// One-way probes: a UDP datagram leaves a node's namespace and arrives in another's, or does not. Exact per direction,
// needs no process in the nodes (a frozen node's kernel still answers), and is what every network fault is verified
// with.
#include "injector/net_cuts.h"

struct probe;
struct probe_plan {
    unsigned rounds; // datagrams per pair
    usec_t every;    // between two of them
    usec_t linger;   // how long to listen after the last
    bool early;      // stop as soon as every pair has got one
};
#define PROBE_SILENCE ((struct probe_plan){.rounds = 5, .every = 20 * MSEC, .linger = 70 * MSEC}) // 150 ms in all

// Opens a socket in every node that the pairs name.
int probe_new(const struct fault_world *w, const struct pair_set *pairs, struct probe **ret, struct err *err);
void probe_free(struct probe *p); // NULL is fine; a run under way is dropped
// Sends a datagram over each of these pairs and sees it arrive: the proof that the way was open a moment before a cut.
// Takes 0.1 ms, at most 5 ms when one stays silent.
void probe_baseline(struct probe *p, const struct pair_set *pairs);
// Sends and listens; done(arg) is called once from the loop, results are read with the functions below.
int probe_run(struct probe *p, const struct probe_plan *plan, void (*done)(void *arg), void *arg, struct err *err);

bool probe_had_baseline(const struct probe *p, int from, int to); // its baseline datagram has arrived
unsigned probe_sent(const struct probe *p, int from, int to);     // of the last run
unsigned probe_arrived(const struct probe *p, int from, int to);  // of the last run
