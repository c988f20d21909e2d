// SPDX-License-Identifier: PostgreSQL
#pragma once
// A system that manages a cluster, its world half: which programs it is made of, which files it is configured by, how its data directories look and in which
// order it starts. Each system fills one in a folder of this room (patroni/) and stands in the table of stack.c; the files around know this contract and none of
// the systems. The pure half, its words and laws, is struct ha_system (lab/failover/system.h).
//
// What is the same for all is the room's own: initdb and its template, the first leader's postmaster and those of the standbys, HAProxy's start, the deadline of each
// phase, the files for people.
#include "lab/stack/conf.h"
#include "lab/stack/stack.h"

// Where the first start is. Only start.c moves it.
enum start_phase {
    START_NOT,      // stack_start has not been called
    START_DATA,     // the arbiters elect; data directories are being made
    START_POSTGRES, // the first leader's server comes up
    START_LEAD,     // its manager makes it the leader
    START_JOIN,     // the others join
    START_DONE,     // the cluster was complete once: what happens now is the scenario's
    START_BROKEN,
};

// A program that nodes need.
enum program_where { PROGRAM_ANYWHERE, PROGRAM_HOST_ONLY, PROGRAM_IMAGE_ONLY };
struct stack_program {
    const char *name;         // its file, looked for where a login looks; stack_program finds it by this name
    const char *what;         // for a message that misses it, "Patroni's etcd driver"
    const char *title;        // with its version in the log and in reports, "Patroni"; NULL = not told
    const char *package;      // Debian's, several with blanks between
    const char *option;       // makes it tell its version; NULL = it has none worth asking
    const char *place;        // where it lies when that is not in a PATH; NULL = in one
    const char *version_file; // tells the version of a program in /usr/bin, faster than the program itself; NULL = none
    unsigned services;        // needed where one of them runs (bits of enum service)
    enum program_where where; // and only there
};

// Which versions can be in one lab.
struct version;
struct version_rule {
    const char *program, *title;
    unsigned services; // of the nodes that it is about
    int major, minor;  // the oldest that the lab knows
    // May two nodes of one cluster have these? NULL = any two. otherwise: what to do.
    bool (*agree)(struct version a, struct version b);
    const char *otherwise;
};

// A configuration file.
struct stack_file {
    unsigned services; // written where one of them runs; 0 = on every node
    bool home;         // below the postgres user's home, not /etc
    const char *file;
    mode_t mode;
    void (*make)(const struct conf *c, const struct node_def *n, struct strbuf *out);
};

// A daemon that the stack starts.
struct stack_service {
    const char *name;    // as the node's init and the log call it
    unsigned service;    // runs where a topology asks for this one
    const char *carries; // a service that it starts itself and that is started through it, "postgres"; NULL = none
    int (*start)(struct stack *s, size_t i, struct err *err); // on node i; does nothing when it runs
};

struct stack_ops {
    const char *name; // as `stack:` of a topology and run.begin say it

    // Can this topology be started? -EINVAL with what is missing.
    int (*check)(const struct topology *t, struct err *err);

    const struct stack_program *programs;
    size_t n_programs;
    const struct version_rule *versions;
    size_t n_versions;

    const struct stack_file *files;
    size_t n_files;
    void (*folders)(struct node *n); // before the first boot; NULL = nothing to do
    void (*environment)(const struct conf *c, const struct node_def *n,
                        struct strbuf *out); // of its tools: NAME=VALUE lines

    // ---- a data directory, as the system would have made it
    const struct conf_default *server_parameters; // on the postmaster's command line; ends with a NULL key
    const struct conf_default *local_parameters;  // in the node's own file; ends with a NULL key
    const char *base_conf; // the name under which initdb's postgresql.conf is kept; NULL = its own
    void (*seed)(const struct conf *c, struct strbuf *out); // further SQL for the template, a statement a line
    int (*data_files)(const struct conf *c, const struct node_def *n, const char *data, const char *home,
                      struct err *err);

    // ---- services, in the order in which they are started
    const struct stack_service *services;
    size_t n_services;
    const char *manager; // the one of them that starts and stops PostgreSQL

    // ---- the first start
    unsigned arbiter;                                // starts at once, one after the other, on every node that has it
    usec_t (*arbiter_gap)(const struct topology *t); // between two of them
    // The first leader's server accepts connections: make it the leader.
    int (*lead)(struct stack *s, size_t leader, struct err *err);
    // Who leads by this event, "" = it does not say. Then the others may join.
    const char *(*leads)(const struct event *ev);
    // A standby whose server runs.
    int (*join)(struct stack *s, size_t i, struct err *err);
    // What is waited for in a phase; leader: who leads, or is to. Completes "waiting for ...".
    void (*waits_for)(enum start_phase phase, const char *leader, struct strbuf *out);
    const char *nobody_leads, *nobody_joins; // what has not come within the deadline of START_LEAD and START_JOIN
    const char *manager_log;                 // whose end tells why, below /var/log
};

extern const struct stack_ops patroni_ops;

// The system of this name, NULL or "" = the first. NULL, with the known ones in err: there is none.
const struct stack_ops *stack_ops_find(const char *name, struct err *err);
