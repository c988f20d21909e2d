// SPDX-License-Identifier: PostgreSQL
#pragma once
// A made-up run in fake time, for the tests of measure and report: three PostgreSQL nodes with etcd and an application
// that writes every 10 ms; one fault; a failover. Tests change its numbers, or its events once it is built.
#include "lab/measure/measure.h"

struct world {
    // knobs, set by world_leader_crash and changed by the test before world_build
    const char *mechanism, *target, *nodes, *detail, *params;
    usec_t fault; // takes effect; 0 = none
    bool verified;
    usec_t writes_stop, writes_back; // schedules in [stop, back) fail; equal = no outage
    usec_t latency;
    usec_t gone, put, writable, writable_previous; // of the new leader; 0 = does not happen
    const char *new_leader, *etcd_leader;
    usec_t renewed, renew_error; // leader's lease; renewed 0 = no lease event
    usec_t streaming;            // n3 streams from the new leader
    usec_t begin, end;           // of the workload
    bool final_read;
    const char *end_reason; // NULL = no run.end
    // what world_build makes
    VEC(struct event) events;
    VEC(struct ledger_record) ledger;
};

void world_leader_crash(struct world *w); // 30/10/10, node.power_off of n1 at 10 s, writes back at 38.90 s
void world_build(struct world *w);        // events sorted by time, ledger in order of completion
void world_done(struct world *w);
struct event *world_add(struct world *w, struct event ev); // keeps the order; the pointer lives until the next addition
// Of the write with this id; NULL = there is none.
struct ledger_record *world_record(struct world *w, uint64_t id);
// Text of the nth final.rows: EVENT_TEXT_MAX bytes that may be written over.
char *world_ranges(struct world *w, int nth);
struct event *world_find(struct world *w, enum event_kind kind, int nth);
void world_expect(struct world *w, const char *kind, double min, double max); // < 0 = no such limit
void world_sql(struct world *w, const char *node, usec_t t, usec_t previous, bool answered, bool writable);
// `standby` streams from `node`, with no lag until the test gives it one; the pointer lives until the next addition.
struct event *world_row(struct world *w, usec_t t, const char *node, const char *standby);
// Folds it. The caller frees *ret with measure_free.
const struct measures *world_measure(const struct world *w, bool with_ledger, struct measure **ret);

// One such run and what is measured of it.
struct run {
    struct world w;
    struct measure *m;
    const struct measures *o;
};
void run_crash(struct run *r); // world_leader_crash, not built yet
void run_fold(struct run *r, bool with_ledger);
// Which expectations failed, as one text, "lost_writes split_brain"; lives until the next call.
const char *run_failed(const struct run *r);
// Folds it: these expectations failed, and with them the run; "" = none, and it passed.
void run_caught(struct run *r, const char *by);
void run_end(struct run *r);
// Of one node or expectation; the test fails when there is none.
struct event *run_final(struct run *r, const char *node);
void run_rows(struct run *r, const char *node, const char *ranges); // the last read found these rows there
const struct node_contents *run_contents(const struct run *r, const char *node);
const struct expect_result *run_expected(const struct run *r, const char *kind);
void run_expect_flag(struct run *r, const char *kind, bool wanted);
// The leader (n2) and n3 are asked five times for their positions, from 39 s on.
enum { RUN_POSITIONS = 5 };
void run_positions(struct run *r, const lsn_t leader[RUN_POSITIONS], const lsn_t standby[RUN_POSITIONS]);
usec_t phases_sum(const struct measures *m); // of those before the rejoin
