// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the room: what is kept of a record, and the groups of rules for one without a (true) seal.
#include "lab/base/json.h"
#include "lab/measure/idset.h"
#include "lab/model/model.h"
#include "lab/proof/proof.h"

enum { SAID_MAX = 40 }; // a record in ruins is told by its first lacks; the rest is a number

struct proof_node {
    char name[NODE_NAME_MAX];
    int64_t number; // as node.info says it, 0 = it does not
    unsigned services;
    bool told, powered; // by node.info, node.power
    bool on;
    usec_t seen[EVENT_KIND_COUNT]; // last event of this kind about it, or when it became possible to have one
    usec_t hole[EVENT_KIND_COUNT]; // longest time without one while it was on
    bool silent[EVENT_KIND_COUNT]; // by its last event of this kind it does not answer
    bool read, read_ok;            // final.read
    int64_t chunks_said, rows_said, duplicates, chunks_seen;
    struct idset rows;
    bool bad_rows; // a final.rows that holds no list of ids
};
struct proof_step {
    int64_t index;
    char name[EVENT_NAME_MAX];
    enum step_status state;
    bool started;
};
struct proof_fault {
    char id[EVENT_NAME_MAX], mechanism[EVENT_NAME_MAX];
    enum fault_phase phase; // the last one
    bool asked, effective, judged, verified, heal_asked, healed, heal_judged, failed;
    char jump[64]; // "verified without effective": the first step of the cycle that is missing
};
struct proof_action {
    char id[EVENT_NAME_MAX], action[EVENT_NAME_MAX];
    bool asked, ended;
};
struct proof_tick {
    usec_t from, t, first_ok, last_ok;
    int64_t w_ok;
    bool merged;
};
struct proof_stretch { // of operations that one record of the ledger stands for
    uint64_t from, to;
};
struct proof_sums { // of operations
    int64_t w_ok, w_failed, w_unknown, r_ok, r_failed;
};

struct proof {
    struct record_proof out;
    size_t unsaid; // lacks beyond SAID_MAX
    struct event begin;
    int64_t events, kinds[EVENT_KIND_COUNT];
    enum event_kind first;
    usec_t latest[EVENT_KIND_COUNT];
    int64_t backwards[EVENT_KIND_COUNT]; // lines whose time lies before that of an earlier line of the kind
    enum end_reason end_reason;
    // plan.c
    VEC(struct event) expects;
    VEC(struct event) defects;
    struct proof_node nodes[NODES_MAX];
    size_t n_nodes;
    char stranger[NODE_NAME_MAX]; // named by an event, by no node.info
    bool idle;                    // by the plan the application neither writes nor reads
    // course.c
    usec_t ready, collecting; // 0 = not yet
    bool left;                // stopping or kept, behind run.end
    VEC(struct proof_step) steps;
    VEC(struct proof_fault) faults;
    VEC(struct proof_action) actions;
    // watch.c
    struct model *model;
    bool was_complete; // the cluster, before the lab was said to be ready
    bool settings_seen;
    int64_t noises; // seconds of which it was told
    usec_t thinned_ticks,
        thinned_others; // the longest time that one line of theirs stands for (record.thinned); 0 = every line is there
    // client.c
    VEC(struct proof_tick) ticks;
    struct proof_sums said, kept; // by client.tick, by the ledger
    bool cut;                     // the application's process was killed: its last words are missing, and that is told
    int64_t broken;
    VEC(uint64_t) acks;               // when they came back
    VEC(struct proof_stretch) merged; // those that are known in a row only
};

// One thing that is missing.
void proof_lack(struct proof *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct proof_node *proof_node(struct proof *p, const char *name); // NULL when node.info did not tell of it

void proof_take_plan(struct proof *p, const struct event *ev);
void proof_judge_plan(struct proof *p, const char *json);
void proof_take_course(struct proof *p, const struct event *ev);
void proof_judge_course(struct proof *p, const cJSON *plan); // plan: NULL = none
void proof_take_watch(struct proof *p, const struct event *ev);
void proof_judge_watch(struct proof *p);
void proof_take_client(struct proof *p, const struct event *ev);
void proof_judge_client(struct proof *p, bool has_ledger);
bool proof_scenario(const struct proof *p); // the run of a scenario, not a lab that somebody stood up
bool proof_to_end(const struct proof *p);   // it went through all it was to go through
