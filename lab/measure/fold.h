// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the room: what the fold keeps of a log, and the steps of measure_finish in the order they run.
#include "lab/failover/system.h"
#include "lab/measure/idset.h"
#include "lab/measure/measure.h"
#include "lab/model/health.h"
#include "lab/model/watch.h"

struct tick {
    usec_t from, to;
    int64_t w_tried, w_ok, w_failed, w_unknown, r_tried, r_ok, r_failed;
    usec_t first_ok, last_ok, first_latency, last_latency;
};
struct sql_seen {
    usec_t t, asked, previous, latency;
    int node;
    bool answered, writable, in_recovery;
    bool stopping;    // "the database system is shutting down"
    usec_t lsn_asked; // 0 = not recorded
    lsn_t lsn;        // primary: current; standby: replayed; received as long as nothing was replayed
};
struct crash_seen { // a postmaster ends all its children because one of them crashed, by its log
    usec_t t;
    int node;
};
struct power_seen {
    usec_t t;
    int node;
    bool on;
};
struct noise_seen {
    usec_t t;
    int64_t p99;
};
struct health_change { // lab/model/health.h; hiccups are left out
    usec_t t, error;
    bool healthy;
};
struct ack_run { // writes of the application that one node acknowledged without a break of a second
    int node;
    usec_t first_invoked, first_returned, last_invoked, last_returned;
};
struct ack { // one acknowledged write of the ledger; in a thinned record many, none of them far from the next
    uint64_t id, last;
    usec_t invoked;         // no later than that: of many, when the first was due
    usec_t first, returned; // when the first and the last came back
    int node;               // -1 = not known
    bool durable;
};

struct node_state {
    char name[NODE_NAME_MAX];
    bool postgres, arbiter, haproxy;
    bool in_recovery; // by the last probe
    // final read
    bool read, read_leader;
    bool read_said; // there is a final.read of it
    char read_error[160];
    int64_t chunks_said, chunks_seen, duplicates, timeline;
    lsn_t lsn, goal;
    usec_t lsn_asked, lsn_read;
    struct idset rows;
};

struct expectation {
    enum expect_kind kind;
    char node[EVENT_NAME_MAX], text[EVENT_TEXT_MAX];
    bool has_min, has_max, wanted, inside;
    double min, max;
};

struct measure {
    struct measures out;
    struct node_state nodes[NODES_MAX];
    size_t n_nodes;
    bool closed;      // the lab is being stopped: what dies now is no finding
    usec_t closed_at; // since then; 0 = it is not
    struct watch *watch;
    struct outages felt; // fed with ticks and ledger in outage_measure
    bool finished;
    struct record_proof record;
    int64_t period_us;
    VEC(struct tick) ticks;
    struct leadership leadership; // until the lab is stopped
    VEC(struct sql_seen) sql;
    struct model *model; // until the lab is stopped
    struct health_watch health;
    VEC(struct crash_seen) crashes;
    VEC(struct power_seen) power;
    VEC(struct noise_seen) noise;
    VEC(struct health_change) healths;
    VEC(struct expectation) expectations;
    // ledger
    int64_t ledger_records, ledger_broken;
    bool client_cut;                              // its process ended before it had reported everything
    struct idset ok, failed, unknown, local_only; // local_only: a part of unknown
    int64_t acked;                                // writes in `acks`
    VEC(struct ack) acks;                         // sorted by `returned` in measure_finish
    VEC(struct ack_run) runs;                     // made of them
    usec_t first_try, last_try;                   // schedules of the first and last write
};

int fold_ledger_node(const struct measure *m, uint8_t number); // of a ledger record; -1 = not known
int fold_find_node(const struct measure *m, const char *name);

void outage_measure(struct measure *m);
void cause_choose(struct measure *m);
void availability_measure(struct measure *m);
void cluster_measure(struct measure *m);
void phases_measure(struct measure *m); // and their bounds
void writes_measure(struct measure *m);
void splitbrain_measure(struct measure *m);
void watched_measure(
    struct measure *m); // fills out.holes; after outage_measure, before everything that asks about them
// The time that claims about the whole run speak of.
usec_t watched_from(const struct measure *m);
usec_t watched_to(const struct measure *m);
// The longest part of a hole of one of these sources (bits: 1 << WATCH_...) inside [from, to]; false = it was watched throughout.
#define WATCHED_CLUSTER (1U << WATCH_OBSERVER | 1U << WATCH_POSTGRES)
bool watched_hole(const struct measure *m, unsigned sources, usec_t from, usec_t to, struct watch_hole *ret);
// What an expectation's number says about time: of [from, to]. With a hole in it, the truth lies in [least, most] and not at what was
// measured (most 1e18: without limit).
struct watched_claim {
    usec_t from, to;
    bool holed;
    struct watch_hole hole; // the longest, inside [from, to]
    double least, most;     // in the unit of the expectation
};
// false: the number needs no watching. The contents of the tables at the end are proof by themselves, and the leader key's history is
// kept by the store: a watch that was interrupted gets every revision afterwards (lab/observe/patroni/etcd.c).
bool watched_claim(const struct measure *m, enum expect_kind kind, struct watched_claim *ret);
void ahead_measure(struct measure *m);
void contents_measure(struct measure *m); // after ahead_measure
void defect_find(struct measure *m);      // which known defects show their signature; after ahead_measure
// The limits that the laws set to an outage or a recovery (inside.c).
struct inside {
    bool known, told;         // told: the three numbers are; an outage that does not end has none
    usec_t min, max;          // the sum of the bounds of the phases that it spans
    usec_t error;             // that may lie beyond them: its own resolution
    char why[EVENT_TEXT_MAX]; // not known: why
};
void inside_measure(const struct measures *o, enum expect_kind kind, struct inside *ret); // after phases_measure
void expect_measure(struct measure *m);
void defect_explain(struct measure *m); // which failed expectations they explain; after expect_measure
void verdict_measure(struct measure *m);

const struct node_state *fold_final_leader(const struct measure *m); // whose final read counts; NULL = nobody's
bool fold_read_whole(const struct node_state *n);
// Parts of the record are missing: what it does not show can't be told from what did not happen.
bool fold_damaged(const struct measure *m);
// Does the defect explain a failure of this kind?
bool defect_explains(const struct defect_measure *d, const char *kind);

// An expectation's value as it was measured.
struct reading {
    bool known;
    bool sentence;             // text is a whole sentence, not a value
    double value;              // µs, count or percent
    char text[EVENT_TEXT_MAX]; // the value for people, or why it is not known
    char law
        [EVENT_TEXT_MAX]; // what the laws say of it, as a clause: "the settings allow 21.80 s to 34.50 s"; "" = nobody asked
};
// words.c: the outcome of an expectation as a sentence, what was expected in brackets behind it.
void words_outcome(const struct measures *o, const struct expectation *x, const struct reading *r, char *out,
                   size_t size);
bool words_known(enum expect_kind kind); // has it words? (every kind of a scenario has)
bool words_is_count(enum expect_kind kind);

// The stretch in which a node accepted writes: proven [from, to] lies inside possible [maybe_from, maybe_to].
struct span {
    int node;
    usec_t from, to, maybe_from, maybe_to;
};
typedef VEC(struct span) span_list;
void cluster_spans(const struct measure *m, span_list *out); // from direct probes
