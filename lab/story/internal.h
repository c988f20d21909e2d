// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the room: what the story must remember between two events, and its parts by theme. Each part gets the event after the model has seen it.
#include "lab/model/health.h"
#include "lab/model/outages.h"
#include "lab/model/quorum.h"
#include "lab/story/story.h"

enum { LATENCIES = 32, MARKS = 8, SHORT_MAX = 160 };

#define STORY_UNEXPLAINED "no fault and no act of this run explains it"

struct pg_told {                                        // what was last told of a PostgreSQL
    bool known, answered, in_recovery, writable, wrote; // wrote: it accepted writes at some time
    int64_t timeline;
    usec_t last;         // of the last probe
    usec_t silent_since; // 0 = it answers, or its silence was told
    bool silence_told;
    usec_t fell;             // when it last ceased to accept writes
    uint64_t fall;           // that moment, as long as what follows may belong to it; 0 = none
    bool streams[NODES_MAX]; // as a sender: to whom
    usec_t stopped[NODES_MAX];
    bool still;                      // as a standby: it was told that it receives nothing
    enum moment_weight still_weight; // with this weight
};
struct patroni_told {
    bool known, answered, no_dcs; // no_dcs: it was told that it can't reach the DCS
    bool demoting;                // its log said so; until it promotes again
    usec_t silent_since, no_dcs_since;
};
struct mark_told { // a kind of log line that was told of a node a moment ago
    const struct log_mark *mark;
    usec_t t;
};
struct machine_told {
    bool entered;                      // a person was inside
    bool ran[4];                       // services that have run: the manager, etcd, haproxy, postgres
    bool ended[4];                     // and have ended since
    usec_t power_off;                  // 0 = on
    usec_t power_fault, process_fault; // a fault of the machine itself, of its processes was last asked; 0 = never
    struct mark_told marks[MARKS];
    size_t n_marks;
};

struct fault_told {
    char id[EVENT_NAME_MAX], nodes[EVENT_TEXT_MAX];
    usec_t asked;
    uint64_t effect; // its moment; 0 = not told yet
};

struct proxy_told { // a server in a backend of an HAProxy
    char node[EVENT_NAME_MAX], backend[EVENT_NAME_MAX], server[EVENT_NAME_MAX];
    bool up;
};
struct setting_told {
    char key[EVENT_NAME_MAX], node[EVENT_NAME_MAX], value[EVENT_TEXT_MAX];
};
struct wait_told { // a step that waits
    int64_t index;
    usec_t since;
    char detail[EVENT_TEXT_MAX];
};

struct app_told {
    struct outages felt;
    bool wrote;                                       // the first acknowledged write was told
    usec_t still_until;                               // its own standstill was told up to here
    usec_t began, ended;                              // of the latest outage; ended 0 = it goes on, or there was none
    usec_t latency[LATENCIES], latency_at[LATENCIES]; // of recent acknowledged writes
    size_t n_latency;
    usec_t resolution_due; // the end's resolution is stated when the second after it is over; 0 = nothing due
    usec_t before;         // the usual latency before the outage
    int64_t pause_reads, pause_reads_bad;   // since the last bucket with an acknowledged write
    int64_t outage_reads, outage_reads_bad; // in the pauses of the outage that are over
    char first_error[SHORT_MAX];            // since the last acknowledged write
    usec_t first_error_at;
    bool read_only_told;
    char server[NODE_NAME_MAX];
};

struct story {
    VEC(struct moment *) list;
    VEC(struct moment *) news;
    uint64_t last_id;
    struct model *model;
    usec_t now;
    bool closed, ready, finished;
    // leader key and lease
    char holder[NODE_NAME_MAX]; // who leads, as last told
    bool disputed;              // several say that they do
    bool key_known, key_held_once;
    int64_t key_created;
    usec_t key_gone, renewed, ttl;
    char lost_by[NODE_NAME_MAX]; // who held the key before it went or changed hands, and when that was
    usec_t key_lost;
    // etcd
    struct quorum_watch quorum;
    char etcd_leader[NODE_NAME_MAX];
    bool election_told;
    usec_t etcd_error; // resolution of what was last seen of etcd
    // health
    struct health_watch health;
    struct pg_told pg[NODES_MAX];
    struct patroni_told patroni[NODES_MAX];
    enum doubt doubt[NODES_MAX]; // as last told
    struct machine_told machine[NODES_MAX];
    VEC(struct fault_told) faults;
    struct app_told app;
    VEC(struct setting_told) settings;
    VEC(struct wait_told) waits;
    char progress[EVENT_TEXT_MAX];
    bool noise_told, thinned_told;
    int64_t
        stands_before; // number, from 1, of the step that a held scenario stands before, as last told; 0 = it does not stand
    char sync[EVENT_TEXT_MAX]; // synchronous standbys as last told, "" = none
    bool sync_known;
    VEC(struct proxy_told) proxies;
};

// Puts a moment to another time, before everything else of that time.
void move_moment(struct story *s, struct moment *m, usec_t t);
// The node shows the effect of something at t: a fault that was on its way to it has bitten by then, whatever the injector saw later.
void fault_bites_by(struct story *s, int node, usec_t t);
// Adds a moment that happened at t. The address is good until the next event; later it is found by its id.
struct moment *tell(struct story *s, usec_t t, enum moment_kind kind, enum moment_weight w, enum moment_mood mood,
                    const char *node, const char *fmt, ...) PRINTF_LIKE(7, 8);
struct moment *moment_find(struct story *s, uint64_t id); // NULL: forgotten, or id 0
void set_text(struct moment *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
void add_detail(struct moment *m, const char *fmt, ...)
    PRINTF_LIKE(2, 3); // after "; " when there is one already; nothing when it is empty
void ahead_words(struct moment *m, const char *node, const char *leader, lsn_t replayed, lsn_t written);
void name_defect(struct moment *m, const char *id, const char *about, const char *reference); // as its cause, once
int story_node(const struct story *s, const char *name); // index in the model, -1 = unknown
bool story_unexplained(const struct story *s, int node); // no fault or act concerns the node now

void tell_application(struct story *s, const struct event *ev);
void finish_application(struct story *s);
void tell_leader(struct story *s, const struct event *ev);
void tell_claim(
    struct story *s); // after the model has changed: who leads by the managers' words, where no authority says it
void tell_dcs(struct story *s, const struct event *ev);
void tell_fault(struct story *s, const struct event *ev);
void tell_action(struct story *s, const struct event *ev);
void tell_log(struct story *s, const struct event *ev);
void tell_machine(struct story *s, const struct event *ev);
void tell_manager(struct story *s, const struct event *ev);
void tell_divergence(struct story *s,
                     usec_t t); // after the model has changed: who follows another history, and who follows again
void tell_postgres(struct story *s, const struct event *ev);
void postgres_power(struct story *s, int node); // the machine lost its power
// Its key has just gone. Returns how long it had accepted no writes by then; 0 = it still did, or its fall was of another kind.
usec_t postgres_key_gone(struct story *s, const char *holder, const char *how);
void tell_sync(struct story *s, usec_t t); // after a change of the key "sync"
void tell_proxy(struct story *s, const struct event *ev);
void tell_scenario(struct story *s, const struct event *ev);
