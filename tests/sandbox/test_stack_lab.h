// SPDX-License-Identifier: PostgreSQL
#pragma once
// A whole lab in a test: three nodes and an application node in namespaces of their own, started by the stack, with a small feeder in
// place of the observer: it asks etcd and PostgreSQL on n1 every 10 ms. For tests/sandbox/test_stack_start.c and the start-up bench.
#include <systemd/sd-event.h>

#include "lab/stack/stack.h"

struct feed { // what the feeder saw last
    char leader[32];
    int members, streaming;
    bool config, initialize;
};

struct test_lab {
    sd_event *loop;
    struct event_sink sink;
    struct topology topology;
    struct stack_paths paths[NODES_MAX];
    struct switch_net *sw;
    struct node *nodes[NODES_MAX];
    struct stack *stack;
    const char *log_dir; // outside the lab; a folder a node below it
    struct feed feed;
    bool feeding;
    char broken[EVENT_TEXT_MAX];
    char waiting_for[EVENT_NAME_MAX]; // name of a service whose end we wait for
    bool service_ended;
    VEC(struct event) queue;
    bool draining, verbose;
};

void test_topology(struct topology *t); // patroni-3 with max_connections = 50
// All in the lab (pid 1 of it). They print what is wrong and return false.
bool test_lab_start(struct test_lab *lab, const char *cache_dir, bool fresh);
// Runs the loop until all members stream, have registered and the leader holds the lock; false after the deadline.
bool test_lab_wait_healthy(struct test_lab *lab, usec_t deadline);
bool test_lab_wait(struct test_lab *lab, bool (*met)(struct test_lab *lab), usec_t deadline);
// Runs a shell line on a node and gives its output (owned by the caller).
char *test_lab_shell(struct test_lab *lab, size_t node, const char *line);
