// SPDX-License-Identifier: PostgreSQL
#pragma once
// The relay: a process of its own in the switch's network namespace. It gets the frames of impaired pairs from the sink,
// lets the shaper's core decide, and sends them out of the receivers' ports when they are due. One message each over a
// SOCK_SEQPACKET socket.
#include "injector/relay/tap.h"
#include "injector/shaper/core.h"
#include "lab/base/cluster.h"

enum relay_op {
    RELAY_RULE, // to it: one more rule
    RELAY_SYNC, // to it, and the answer: all rules so far are in force
    RELAY_END,  // to it: the fault's rules end; answered once nothing of it is held any more
    RELAY_ASK,  // to it, and the answer: counters
    RELAY_HELLO // from it, first: ready, or why not
};
struct relay_message {
    enum relay_op op;
    uint32_t fault;
    bool discard; // RELAY_END: what is held is dropped
    bool ok;      // RELAY_HELLO
    struct shape_rule rule;
    struct shape_stats stats; // answers of RELAY_END and RELAY_ASK
    uint64_t at_us;           // RELAY_END: CLOCK_MONOTONIC when the rules ended
    uint64_t lost, unsent;    // by the relay since its start, unasked
    int why;                  // errno of the last unsent one
    char text[256];
};

struct relay_config {
    struct switch_sink sink;
    size_t n;
    uint32_t address[NODES_MAX]; // network order
    int port[NODES_MAX];         // interface index of the node's port
    struct tap tap;              // the relay's own
    struct err failed;           // what tap_open said
};
// For switch_run_function; arg is the config.
int relay_open(void *arg);
int relay_main(void *arg, int fd);
