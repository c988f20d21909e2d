// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the room: what the page keeps of a log, and the parts that turn it into the page's JSON block.
//   html_fold.c   events -> lanes, ticks, rows                   html_words.c  one event -> one row of the event list
//   html_ticks.c  ticks -> as many columns as can be looked at   html_lost.c   ledger and final read -> ids
//   html_links.c  service paths that were not open
//   html_data.c   all of it -> JSON                              html.c        JSON and template -> page
#include <cjson/cJSON.h>

#include "lab/base/vec.h"
#include "lab/measure/idset.h"
#include "lab/model/lanes.h"
#include "lab/model/watch.h"
#include "lab/report/html.h"
#include "lab/story/story.h"

struct html_span {   // somebody holds something (the leader key, the application's connection), from when to when
    usec_t from, to; // to = USEC_NEVER: still
    char who[NODE_NAME_MAX];
};
typedef VEC(struct html_span) span_list;
// From t on it is `who`; "" = nobody.
void html_span_note(span_list *l, usec_t t, const char *who);

struct html_tick {
    usec_t from, length;
    int64_t w_ok, w_failed, w_unknown, r_ok, r_failed, w_max_us, r_max_us;
    int64_t w_low; // fewest good writes in any 100 ms of it: an average must not hide a short outage
};
typedef VEC(struct html_tick) tick_list;

struct html_row {   // of the event list
    usec_t t, last; // last: of `count` equal ones
    int64_t count;
    const char *kind; // event_kind_name or moment_kind_name, static
    enum moment_weight weight;
    size_t order; // among rows of the same time
    char node[NODE_NAME_MAX], service[24], level[16];
    char *text;
};
struct html_noise {
    usec_t t;
    int64_t p99_us;
};
struct html_setting {
    char key[EVENT_NAME_MAX], node[NODE_NAME_MAX], value[EVENT_TEXT_MAX];
    int64_t changes;
};
struct html_step {
    int64_t index;
    char name[EVENT_NAME_MAX], detail[EVENT_TEXT_MAX];
    enum step_status state;
    usec_t t;
};
struct html_ack {
    uint64_t id, last;
    usec_t returned; // of the last
    int node;        // index in the topology, -1 = not known
};
struct html_file {
    char *path, *nodes, *text; // nodes: "n1, n2"
};
struct html_seen { // what the event list said last about a node
    bool manager_told, manager_answered;
    enum manager_role role;
    char state[EVENT_NAME_MAX];
};

struct html_link { // a service path of a pair while it was not open
    char from[NODE_NAME_MAX], to[NODE_NAME_MAX];
    enum link_path path;
    usec_t since, until; // USEC_NEVER = to the end
    bool intended, measured;
};

struct html_page {
    struct event begin; // run.begin
    struct model *model;
    struct story *story;
    bool closed; // the lab is being stopped: what dies now is no finding
    usec_t end;  // of what is drawn
    segment_list lanes[NODES_MAX], arbiters[NODES_MAX];
    span_list servers;
    struct html_seen seen[NODES_MAX];
    tick_list ticks;
    VEC(struct html_row) rows;
    VEC(struct html_noise) noise;
    VEC(struct html_setting) settings;
    VEC(struct html_step) steps;
    VEC(struct html_link) links;
    VEC(struct html_file) files;
    cJSON *plan;
    char *overrides; // NULL = none
    // ids
    struct idset ok, unknown, found[NODES_MAX]; // found: by the final read of each node
    bool read_leader[NODES_MAX];
    VEC(struct html_ack) acks;
};

int html_node(const struct html_page *p, const char *name); // index in the model's table, -1 = not there
// Turns an event into a row, or into nothing when it says nothing new to a reader.
void html_words(struct html_page *p, const struct event *ev);
// Takes out of the lanes what nobody watched: all of it when the observer stood still, one PostgreSQL's when its probe was silent. Once.
void html_holes(struct html_page *p, const watch_hole_list *holes);
// Puts the moments of the ended story among the rows. Once, when nothing more is added.
void html_moments(struct html_page *p);
// Stretches worth every detail: around faults and the outage.
bool html_interesting(const struct measures *m, usec_t t);
void html_ticks(const struct html_page *p, const struct measures *m, tick_list *out, usec_t *ret_step);

struct html_range { // ids of one kind, without a gap
    uint64_t from, to;
    usec_t first, last; // when they were acknowledged; 0 = not known
    int node;           // who acknowledged them, -1 = not known or several
};
typedef VEC(struct html_range) range_list;
void html_lost(const struct html_page *p, range_list *lost, range_list *unexpected);

void html_link_event(struct html_page *p, const struct event *ev);
// [from, to, path, since, until or null, intended, measured], under the key "links".
void html_links_put(const struct html_page *p, struct strbuf *out);

void html_data(const struct html_page *p, const struct measures *m, struct strbuf *out);
