// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the model forgets: the past, as the screens need it. A fold over events like the model; nothing is read from anywhere else.
#include "lab/model/lanes.h" // state lanes: enum lane, struct segment, lane_of, segment_note
#include "lab/model/model.h"
#include "lab/record/event.h"

// ---- faults, outages, ticks -----------------------------------------------------------------------------------------
struct fault_band {
    char id[EVENT_NAME_MAX], mechanism[EVENT_NAME_MAX], target[EVENT_NAME_MAX], nodes[128], detail[EVENT_TEXT_MAX];
    usec_t from, to; // effective .. healed; to = USEC_NEVER: in force
    bool verified;
};
struct outage { // no write acknowledged for more than 250 ms, as the application felt it
    usec_t from, to; // last acknowledged write, first one after; to = USEC_NEVER: it goes on
};
struct tick { // 100 ms of the application
    usec_t at;
    uint16_t w_ok, w_bad, r_ok, r_bad;
    uint32_t w_max_us, r_max_us;
};
struct told { // one line of the story, the same words as `bascule run` prints (report_live)
    usec_t t;
    char *text;
    uint8_t weight; // 0 detail, 1 event, 2 something a class must see
};
struct log_entry {
    usec_t t;
    char node[NODE_NAME_MAX], service[16], level[16];
    char *text;
};
struct lease_point { // a renewal of the leader's lease
    usec_t t, ttl;
    char holder[NODE_NAME_MAX];
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
struct step_entry {
    int64_t index;
    char name[EVENT_NAME_MAX], state[EVENT_NAME_MAX], detail[EVENT_TEXT_MAX];
    usec_t t;
};
struct slot_entry {
    char node[NODE_NAME_MAX], slot[EVENT_NAME_MAX];
    bool active;
    int64_t retained_bytes;
    usec_t t;
};
struct link_entry { // connectivity of one directed pair
    char from[NODE_NAME_MAX], to[NODE_NAME_MAX], path[32];
    bool intended, measured, known;
    usec_t t;
};

struct history {
    usec_t now, began; // times of the last event, and of "ready" (0 = not yet)
    char scenario[EVENT_NAME_MAX], title[EVENT_TEXT_MAX], lab[EVENT_NAME_MAX], topology[EVENT_NAME_MAX], program[EVENT_NAME_MAX];
    uint64_t seed;
    usec_t wall; // CLOCK_REALTIME at run time 0
    segment_list lanes[NODES_MAX]; // by index in model->nodes
    VEC(struct fault_band) faults;
    VEC(struct outage) outages;
    VEC(struct tick) ticks;
    VEC(struct told) story;
    VEC(struct log_entry) logs;
    VEC(struct lease_point) leases;
    VEC(struct branch) branches;
    VEC(struct key_entry) keys;
    VEC(struct step_entry) steps;   // last state of each
    VEC(struct slot_entry) slots;
    VEC(struct link_entry) links;
    struct { char component[EVENT_NAME_MAX], version[EVENT_NAME_MAX]; } versions[16];
    size_t n_versions;
    char end_reason[EVENT_NAME_MAX], end_detail[EVENT_TEXT_MAX];
};
struct history *history_new(void);
void history_free(struct history *h);
// Call after model_apply of the same event: m is the model that has seen it.
void history_apply(struct history *h, const struct model *m, const struct event *ev);
