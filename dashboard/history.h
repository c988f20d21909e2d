// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the model forgets: the past, as the screens need it. A fold over events like the model; nothing is read from anywhere else.
#include "lab/failover/leadership.h"
#include "lab/model/lanes.h" // state lanes: enum lane, struct segment, lane_of, segment_note
#include "lab/model/model.h"
#include "lab/model/outages.h"
#include "lab/record/event.h"
#include "lab/story/story.h"

// ---- faults, ticks -----------------------------------------------------------------------------------------
struct fault_band {
    char id[EVENT_NAME_MAX], mechanism[EVENT_NAME_MAX], target[EVENT_NAME_MAX], nodes[128], detail[EVENT_TEXT_MAX];
    usec_t asked;    // 0 = not told
    usec_t from, to; // effective .. healed; to = USEC_NEVER: in force
    bool verified;
    bool act;                    // an administrator's: asked .. done
    char params[EVENT_TEXT_MAX]; // "service=postgres process=backend", for the law that applies
};
struct tick { // 100 ms of the application
    usec_t at;
    uint16_t w_ok, w_bad, r_ok, r_bad;
    uint32_t w_max_us, r_max_us;
};
struct still {
    usec_t from, to;
};
struct log_entry {
    usec_t t;
    char node[NODE_NAME_MAX], service[16];
    enum line_level level;
    char *text;
};
struct branch { // one timeline of PostgreSQL, from the first time a writable node showed it
    int64_t timeline, parent;
    lsn_t at;
    char node[NODE_NAME_MAX];
    usec_t t;
};
struct key_entry { // a key under the cluster's prefix as it is now
    char key[EVENT_NAME_MAX], lease[EVENT_NAME_MAX];
    char *value;
    int64_t revision;
    usec_t changed;
};
struct expect_entry {
    int64_t index;
    enum expect_kind kind;
    char text[EVENT_TEXT_MAX];
};
struct step_entry {
    int64_t index;
    char name[EVENT_NAME_MAX], detail[EVENT_TEXT_MAX];
    enum step_status state;
    usec_t t;
};
struct plan_entry { // a step as the scenario has it
    char name[EVENT_NAME_MAX], text[EVENT_TEXT_MAX];
};
struct next_entry { // which step starts next, and what it will do to whom
    bool told;      // a log of an older program does not say it
    int64_t index;  // -1 = none is left
    bool stands;    // the scenario is held before it, and nothing of it is under way
    char name[EVENT_NAME_MAX], text[EVENT_TEXT_MAX];
};
struct row_entry { // a row of pg_stat_replication as it is now
    char node[NODE_NAME_MAX], standby[NODE_NAME_MAX], state[16], sync_state[16];
    lsn_t sent, flushed, replayed;
    int64_t lag_bytes;
    usec_t t;
};
struct wal_point { // how far the leader had written, about once a second: turns a lag in bytes into one in time
    usec_t t;
    lsn_t lsn;
};
struct client_error {
    usec_t t;
    enum client_phase phase;
    char node[NODE_NAME_MAX], text[160];
};
struct final_entry { // what a node held after the workload had ended
    char node[NODE_NAME_MAX];
    bool ok, leader;
    int64_t rows;
};
struct link_entry { // connectivity of one directed pair
    char from[NODE_NAME_MAX], to[NODE_NAME_MAX];
    enum link_path path;
    bool intended, measured, known;
    usec_t t;
};

struct history {
    usec_t now, began; // times of the last event, and of "ready" (0 = not yet)
    char scenario[EVENT_NAME_MAX], title[EVENT_TEXT_MAX], lab[EVENT_NAME_MAX], topology[EVENT_NAME_MAX],
        program[EVENT_NAME_MAX];
    uint64_t seed;
    usec_t wall;                           // CLOCK_REALTIME at run time 0
    segment_list lanes[NODES_MAX];         // PostgreSQL's, by index in model->nodes
    segment_list arbiter_lanes[NODES_MAX]; // the same of the arbiters: `lane` is an enum arbiter_lane
    usec_t heard[NODES_MAX];               // when anything was last told about the node, be it "no answer"
    VEC(struct fault_band) faults;
    VEC(struct fault_band) acts; // no band is drawn of them
    struct outages felt;         // by the application
    VEC(struct tick) ticks;
    VEC(struct still) still; // the application did nothing
    struct story *story;     // the moments that every other printer has too
    VEC(struct log_entry) logs;
    struct leadership leadership; // what phases and laws are told from
    VEC(struct branch) branches;
    VEC(struct key_entry) keys;
    VEC(struct step_entry) steps;   // last state of each
    VEC(struct plan_entry) planned; // every step, by its index; empty: an older program's log, or no scenario
    struct next_entry next;
    struct strbuf lesson; // of the scenario, as it wrote it; "" = none
    VEC(struct link_entry) links;
    VEC(struct expect_entry) expects;
    VEC(struct row_entry) rows;
    VEC(struct wal_point) wal;
    VEC(struct client_error) client_errors;
    VEC(struct final_entry) finals;
    enum lab_state lab_state;
    struct {
        char component[EVENT_NAME_MAX], version[EVENT_NAME_MAX];
    } versions[16];
    size_t n_versions;
    enum end_reason end_reason;
    char end_detail[EVENT_TEXT_MAX];
};
struct history *history_new(void);
void history_free(struct history *h);
// Call after model_apply of the same event: m is the model that has seen it.
void history_apply(struct history *h, const struct model *m, const struct event *ev);

// How long ago the leader had written no more than the standby has replayed now; false = not known. Good to about a second.
bool history_lag_time(const struct history *h, lsn_t replayed, usec_t now, usec_t *ret);
