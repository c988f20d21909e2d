// SPDX-License-Identifier: PostgreSQL
#pragma once
// The cluster as the events tell it so far: one fold, used by the engine (conditions, targets), by `bascule status` and by the
// dashboard. Pure: model_apply reads an event and nothing else. Unknown is a value: nothing here is assumed.
#include "lab/base/cluster.h"
#include "lab/base/vec.h"
#include "lab/ha/kind/kind.h"
#include "lab/model/diverge.h"
#include "lab/record/event.h"

enum { MODEL_FAULTS_MAX = 64, MODEL_STEPS_MAX = 128, MODEL_SLOTS_MAX = 512 };

// pg_stat_replication shows a walsender for as long as it has not given up (wal_sender_timeout, a minute), in the state that it was in. What the
// standby and its link say goes before that.
enum row_doubt {
    ROW_BELIEVED,
    ROW_CUT,  // a cut in force takes the standby's way to the leader, and a probe just now did not get through
    ROW_STILL // the standby has received nothing for EVENT_STILL, though the leader has written more
};

struct model_node {
    char name[NODE_NAME_MAX], address[ADDRESS_MAX];
    int64_t
        number; // place in the topology, from 1; by an old log that does not say it, the place among its node.info lines
    usec_t power_changed;
    unsigned services; // enum service
    bool on;           // powered
    // PostgreSQL, from SQL
    bool pg_answered, in_recovery, writable;
    int64_t timeline;
    lsn_t lsn, replayed;
    usec_t lsn_since;  // the first answer with this lsn
    usec_t pg_seen;    // time of the last answer, 0 = never
    usec_t pg_changed; // when answered/in_recovery/writable last changed
    char pg_error[120];
    // its manager, as it answers
    usec_t manager_seen;
    enum manager_role role; // MANAGER_ROLE_NONE = not known
    int http;
    char state[32];
    char manager_version[EVENT_NAME_MAX]; // where nodes differ; "" = as everywhere
    bool manager_answered;
    bool paused, pending_restart;
    bool registered;    // has a key members/NAME in the DCS
    bool has_led;       // led at some time
    bool claims;        // its manager's last word was that it leads; silence takes nothing back, the loss of power does
    usec_t claim_error; // how much earlier than at that word it may have begun, or ceased, to
    // replication, from the leader's pg_stat_replication
    bool streaming;   // row in state streaming on the current leader, and nothing contradicts it
    bool in_sync_key; // named by the DCS key "sync" as a synchronous standby
    enum row_doubt row_doubt;
    char sync_state[16];
    usec_t ahead_since; // since when the leader is seen to have written more than this lsn, 0 = it has not
    int64_t lag_bytes;  // behind the leader's current position; -1 unknown
    // its arbiter
    int64_t arbiter_term;
    usec_t arbiter_seen;
    char arbiter_id[24], arbiter_leader_id[24];
    bool arbiter_answered, arbiter_leads;
    bool watchdog_armed;
    usec_t watchdog_last, watchdog_timeout; // its last write, and how long after it the power goes
    usec_t watchdog_expired;                // when it last took the power, 0 = never
    // services as the init tells (0 unknown, pid when running, -1 exited)
    int64_t pid_manager, pid_arbiter, pid_haproxy;
};

// A row of pg_stat_replication, kept for every sender: rows of a new leader may be seen before its leader key is.
struct model_row {
    bool present, streaming;
    char sync_state[16];
    int64_t lag_bytes;
    bool lag_known;   // the standby has reported a replay position
    usec_t at, since; // the last word of it; since when it streams
};

struct model_fault {
    char id[EVENT_NAME_MAX], mechanism[EVENT_NAME_MAX], target[EVENT_NAME_MAX], nodes[128];
    enum fault_phase phase;
    char detail[EVENT_TEXT_MAX];               // what its last phase said; "" = nothing
    usec_t asked, effective, verified, healed; // 0 = not yet
    usec_t over;                               // healed, or failed; 0 = not yet
};

// A replication slot as a leader last showed it, on any node that has led.
struct model_slot {
    char node[NODE_NAME_MAX], slot[EVENT_NAME_MAX];
    bool active;
    int64_t retained_bytes; // WAL from its restart_lsn to the present position; 0 when it has none
    usec_t t;
};

struct model_key {
    char key[EVENT_NAME_MAX];
};

struct model {
    usec_t now;                 // time of the last event
    const struct ha_kind *kind; // the system that manages the cluster, as run.begin says; never NULL
    struct model_node nodes[NODES_MAX];
    size_t n_nodes;
    struct model_row rows[NODES_MAX][NODES_MAX]; // [sender][standby], indexes into nodes
    bool cut[NODES_MAX][NODES_MAX]; // [standby][leader]: the way for replication, by a fault in force and a probe
    VEC(struct model_slot) slots;
    bool dcs_read; // at least one key under the prefix was read: a missing key is really missing
    char leader
        [NODE_NAME_MAX]; // who may lead, by the authority or, where there is none, by its manager's word alone (claim.c); "" = nobody, or not known
    bool leader_known;   // the authority, or any manager, was heard at least once
    bool leader_disputed;   // several nodes claim to lead, and nothing says which: then leader is ""
    int64_t leader_created; // revision of the key's creation, 0 = not recorded
    usec_t leader_changed;  // when that last changed hands, began or ended
    usec_t leader_error;    // and how much earlier that may have been; 0 with an authority, which is heard at once
    char sync_key[EVENT_TEXT_MAX];
    char sync_leader[NODE_NAME_MAX];      // the leader that the sync key speaks of
    char lease[EVENT_NAME_MAX];           // on the leader key
    usec_t lease_renewed, lease_ttl;      // 0 = unknown
    char followed[NODE_NAME_MAX];         // the last leader, also when there is none now
    usec_t leads_since;                   // when that one first answered as a primary, 0 = not yet
    struct model_doubt doubts[NODES_MAX]; // diverge.h; by index in nodes
    struct model_theft theft;             // the last one
    char manager_version[EVENT_NAME_MAX]; // "" = nodes differ, or not recorded
    bool key_failover, key_pause;
    VEC(struct model_key) keys; // every key present under the prefix
    struct model_fault faults[MODEL_FAULTS_MAX];
    size_t n_faults;
    size_t acts_open; // asked, neither done nor failed
    usec_t acted;     // time of the last word on an act, 0 = none
    enum lab_state lab_state;
    char progress[EVENT_TEXT_MAX];
    // client
    usec_t tick_at;                                                      // end of the last tick's bucket
    int64_t w_ok, w_failed, w_unknown, w_tried, r_ok, r_failed, r_tried; // totals
    int64_t tick_w_ok, tick_w_bad, tick_r_ok, tick_r_bad;                // last tick
    usec_t w_last_ok;
    usec_t thinned_ticks,
        thinned_others; // what one tick, or one observation, of the record may stand for now; 0 = itself
    char client_node[NODE_NAME_MAX];
    // live settings, µs; 0 = unknown
    usec_t ttl, loop_wait, retry_timeout;
    int64_t maximum_lag;
    bool synchronous_mode;
};

struct model *model_new(void);
void model_free(struct model *m);
void model_apply(struct model *m, const struct event *ev);

struct model_node *model_node(struct model *m, const char *name); // NULL when unknown
// The node that a ledger record means by `number`; NULL when it is not known, or one without PostgreSQL: that acknowledges no write.
const struct model_node *model_ledger_node(const struct model *m, uint8_t number);
const struct model_node *model_leader(const struct model *m); // or NULL

// Named facts. Each says in *why (may be NULL) what is missing, in words for a trainee: "n3 is not streaming yet". Since when one holds, and
// what is a mere hiccup: lab/model/health.h.
// Why there is no leader now, in the words of the system: "nobody holds the leader key", "n1 and n2 say that they lead". Returns buf.
char *model_nobody(const struct model *m, char *buf, size_t size);
// One writable leader, every powered member streaming from it on its timeline, and quorum where arbiters decide.
bool model_healthy(const struct model *m, char *why, size_t size);
bool model_complete(const struct model *m, char *why, size_t size); // healthy, and every node is powered and part of it
bool model_quorum(const struct model *m);    // a majority of the arbiters follows a leader that answers
bool model_no_quorum(const struct model *m); // the system needs one and has none: nobody can be made leader
// Up: powered, and what it is there for answers (PostgreSQL; else the arbiter; else being powered is enough). Returns 1, 0, or -1 when
// nothing was seen of it yet.
int model_node_up(const struct model_node *n);
bool model_is_replica(const struct model *m,
                      const struct model_node *n); // answers, in recovery, not the leader
// The sync key while its leader still leads (or nobody does); else what the leader's pg_stat_replication says.
bool model_is_sync_standby(const struct model *m, const struct model_node *n);
const struct model_slot *model_slot(const struct model *m, const char *node, const char *slot); // NULL: none there
bool model_key_present(const struct model *m, const char *key);
// Whose entry it is, when it is one with which a node registers ("members/n1" -> "n1"); else NULL.
const char *model_member_entry(const struct model *m, const char *key);
const char *model_role_name(enum manager_role role); // its word, "unknown" when there is none
