// SPDX-License-Identifier: PostgreSQL
#pragma once
// The observer's own parts, shared by its files and nobody else. One struct per kind of probe and node; each is driven by
// a call of its *_turn from the observer's heartbeat and by its own sockets.
#include "lab/observe/http.h"
#include "lab/observe/observe.h"
#include "lab/observe/pgconn.h"

// How often, and how long an answer may take. "No answer for 2 s" is an observation.
#define PROBE_SLOW  (100 * MSEC) // SQL on every node while all is well
#define PROBE_FAST  (20 * MSEC)  // ... while there is no writable leader or a fault is fresh
#define FRESH_FAULT (5 * SEC)
#define NO_ANSWER   (2 * SEC)

struct sql;       // SQL probes of one node
struct node_logs; // log tails of one node
struct noise;
struct final_read;

enum { NODE_PROBES_MAX = 4, LOGS_MAX = 8 };

struct watched { // one node
    struct observer *o;
    const struct node_def *def;
    struct node *node;
    const char *log_dir;
    struct http *http; // this node's loopback
    struct sql *sql;
    void *probes[NODE_PROBES_MAX]; // the system's, then HAProxy's; NULL = not on this node
    struct node_logs *logs;
};

struct observer {
    sd_event *loop;
    const struct topology *topology;
    const struct event_sink *sink;
    struct watched *nodes; // by index in topology->nodes
    size_t n_nodes;
    const struct system_probes *system;
    void *cluster; // its probe of all nodes together, NULL = none
    struct noise *noise;
    struct final_read *final_read;
    sd_event_source *heartbeat;
    usec_t fast_until;              // run time
    usec_t resumed;                 // run time at which the loop went on after it had stood still; 0 = it never did
    VEC(struct request *) requests; // observer_http under way
};

// observe.c
usec_t observer_now(const struct observer *o); // run time
bool observer_hurry(const struct observer *o); // probe fast?
bool watched_on(const struct watched *w);      // powered
// From when on an answer to a question of time `asked` could be heard: not while the loop stood still.
usec_t observer_listens_since(const struct observer *o, usec_t asked);

// sql.c
int sql_new(struct watched *w, struct sql **ret, struct err *err);
void sql_free(struct sql *s);
void sql_turn(struct sql *s);
bool sql_writable(const struct sql *s);
bool sql_primary(const struct sql *s); // answered and not in recovery
struct sql_row;
const struct sql_row *sql_last(const struct sql *s); // of the last answer
usec_t sql_last_asked(const struct sql *s);          // when the question was sent that sql_last answers
bool sql_answered(const struct sql *s);

// proxy.c
int proxy_open(struct watched *w, void **ret, struct err *err);
void proxy_turn(void *probe);
void proxy_close(void *probe);

// logs.c
struct node_logs *logs_new(struct watched *w);
void logs_free(struct node_logs *l);
void logs_turn(struct node_logs *l);

// noise.c
int noise_new(struct observer *o, struct noise **ret, struct err *err);
void noise_free(struct noise *n);
void noise_look(struct noise *n); // a loop that has stood still until now is told of at once

// final_read.c
int final_read_new(struct observer *o, usec_t deadline, void (*done)(void *arg), void *arg, struct final_read **ret,
                   struct err *err);
void final_read_free(struct final_read *f);
void final_read_turn(struct final_read *f);
