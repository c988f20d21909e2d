// SPDX-License-Identifier: PostgreSQL
#pragma once
// A plan: the scenario with nothing left open. Names are checked against the topology, defaults filled in, durations in µs,
// mechanisms known. A plan never changes after it is made. Roles ("leader") stay symbolic: the engine resolves them at the
// instant of injection.
#include "lab/base/usec.h"
#include "lab/base/vec.h"
#include "lab/ha/kind/ability.h"
#include "lab/record/words.h"
#include "lab/topology/topology.h"

enum { STEP_NAME_MAX = 48 };

// ---- who: a target --------------------------------------------------------------------------------------------------
#define SELECTOR_KINDS(X)                                                                                              \
    X(NODE, "")                          /* one node by name */                                                        \
    X(LEADER, "leader")                  /* holder of the leader key */                                                \
    X(NOT_LEADER, "not_leader")          /* one PostgreSQL node that is not the leader, by seed */                     \
    X(REPLICA, "replica")                /* every replica */                                                           \
    X(ANY_REPLICA, "any_replica")        /* one replica, by seed */                                                    \
    X(SYNC_STANDBY, "sync_standby")      /* the synchronous standby(s) */                                              \
    X(ASYNC_STANDBY, "async_standby")    /* one replica that is not synchronous, by seed */                            \
    X(ARBITER_LEADER, "etcd_leader")     /* the node whose etcd member leads */                                        \
    X(ARBITER_FOLLOWER, "etcd_follower") /* one etcd member that does not lead, by seed */                             \
    X(ARBITER_MAJORITY, "etcd_majority") /* the smallest majority of etcd members, by seed; the leader's node last */  \
    X(OLD_LEADER, "old_leader")          /* the leader at the instant of the first injection */                        \
    X(APP, "app")                        /* the application's node */                                                  \
    X(PROXY, "proxy")                    /* the HAProxy node */                                                        \
    X(ALL, "all")                        /* every node but the application's */

enum selector_kind {
#define X(kind, name) SELECTOR_##kind,
    SELECTOR_KINDS(X)
#undef X
};
const char *selector_kind_name(enum selector_kind kind);
struct selector_words {
    const char *about; // for a list to choose from: "the node whose etcd member leads"; "" = not offered
    const char *one;   // "an etcd leader"
    const char *whom;  // "the leader of etcd"
    bool many;         // several nodes may be meant
};
const struct selector_words *selector_words(enum selector_kind kind);

struct selector {
    enum selector_kind kind;
    char node[NODE_NAME_MAX]; // SELECTOR_NODE only
};
typedef VEC(struct selector) selector_list;
bool selector_keyword(const char *text, enum selector_kind *ret);             // "leader", "any_replica", ...
void selector_text(const struct selector *s, char buf[static NODE_NAME_MAX]); // as it is written

// ---- when: a condition, all atoms must hold --------------------------------------------------------------------------
#define CONDITION_KINDS(X)                                                                                             \
    X(HEALTHY, "cluster is healthy")    /* one writable leader, every powered member streaming, etcd has a leader */   \
    X(COMPLETE, "cluster is complete")  /* healthy and every node of the topology is part of it */                     \
    X(LEADER_EXISTS, "a leader exists") /* leader key present and its PostgreSQL accepts writes */                     \
    X(LEADER_CHANGED, "leader changed") /* leader key held by another node than at the first injection */              \
    X(LEADER_IS, "leader is SEL")                                                                                      \
    X(ROLE_IS, "SEL is ROLE")                      /* ROLE: leader replica sync_standby streaming up down writable */  \
    X(LAG, "lag of SEL above|below SIZE")          /* bytes behind the leader's current position */                    \
    X(SLOT, "slot NAME holds above|below SIZE")    /* WAL that a replication slot of the leader holds back */          \
    X(KEY, "key NAME gone|present")                /* a key under the cluster's prefix: leader, sync, failover ... */  \
    X(LEASE_AGE, "lease age above|below DURATION") /* since the leader's last renewal */                               \
    X(LEASE_LEFT, "lease left above|below DURATION")                                                                   \
    X(QUORUM, "etcd has quorum")  /* a majority of members answers and agrees on a leader */                           \
    X(WRITES_FLOW, "writes flow") /* the application's last tick acknowledged a write, nothing failed */               \
    X(READS_FLOW, "reads flow")

enum condition_kind {
#define X(kind, text) CONDITION_##kind,
    CONDITION_KINDS(X)
#undef X
};
enum {
#define X(kind, text) +1
    CONDITION_COUNT = CONDITION_KINDS(X)
#undef X
};
// A word of a sentence: itself, or a place where the atom has a value. Plan JSON and messages are made of the sentence, so a kind needs no words elsewhere.
#define CONDITION_PARTS(X)                                                                                             \
    X(WHO, "SEL")                                                                                                      \
    X(ROLE, "ROLE")                                                                                                    \
    X(NAME, "NAME") /* `key` of the atom */                                                                            \
    X(LIMIT, "above|below")                                                                                            \
    X(PRESENCE, "gone|present") /* gone = negated */                                                                   \
    X(BYTES, "SIZE")                                                                                                   \
    X(USEC, "DURATION")
enum condition_part {
#define X(part, text) CONDITION_PART_##part,
    CONDITION_PARTS(X)
#undef X
        CONDITION_PART_WORD
};
#define CONDITION_ROLES(X)                                                                                             \
    X(LEADER, "leader")                                                                                                \
    X(REPLICA, "replica")                                                                                              \
    X(SYNC_STANDBY, "sync_standby") X(STREAMING, "streaming") X(UP, "up") X(DOWN, "down") X(WRITABLE, "writable")
enum condition_role {
#define X(role, text) CONDITION_ROLE_##role,
    CONDITION_ROLES(X)
#undef X
};

enum { CONDITION_WORD_MAX = 16 }; // of a word of a sentence's form
struct condition_atom {
    enum condition_kind kind;
    bool negated;        // written "not ..." or the negative word of the pair (gone)
    bool above;          // LAG, SLOT, LEASE_*: above, else below
    struct selector who; // LEADER_IS, ROLE_IS, LAG
    enum condition_role role;
    char key[64];   // KEY; SLOT: its name (NAMEDATALEN)
    int64_t number; // bytes (LAG, SLOT) or µs (LEASE_*)
};
struct condition {
    VEC(struct condition_atom) atoms; // empty = always true
    char *text;                       // as written, for messages
};
void condition_done(struct condition *c);
const char *condition_kind_text(enum condition_kind kind); // the sentence's form: "leader is SEL"
// The next word of a sentence's form; *form moves behind it. False at the end. ret_word: the word of a CONDITION_PART_WORD, else untouched.
bool condition_part_next(const char **form, enum condition_part *ret, char ret_word[static CONDITION_WORD_MAX]);
void condition_atom_words(const struct condition_atom *a, struct strbuf *out); // "not lag of n2 above 4096 bytes"
const char *condition_role_name(enum condition_role role);
bool condition_role_find(const char *text, enum condition_role *ret); // false: no role is written so

// ---- what: steps -----------------------------------------------------------------------------------------------------
enum step_kind {
    STEP_WAIT,   // only a wait
    STEP_INJECT, // a fault from the injector's catalogue
    STEP_HEAL,   // undo an earlier injection (or all)
    STEP_ACTION, // an administrator's act: cluster.switchover, ...
};

struct step {
    char name[STEP_NAME_MAX]; // unique; "step-3" when the author gave none
    enum step_kind kind;
    int line; // in the scenario file

    // Start: `delay` after step `after` has ended (-1: after the scenario began, i.e. the cluster is complete and the
    // workload runs), then as soon as `when` has held without a break for `hold`. If that takes longer than `within`, the
    // step fails and with it the run.
    int after;
    usec_t delay;
    struct condition when;
    usec_t hold;
    usec_t within;
    // STEP_WAIT only, `stays`: from its start the condition must hold at every moment for `stays_for`; a break fails the run.
    struct condition stays;
    usec_t stays_for;

    char mechanism[STEP_NAME_MAX]; // INJECT, ACTION: "net.drop", "cluster.switchover"
    selector_list targets;         // INJECT, ACTION
    setting_list params;           // INJECT, ACTION: checked by the catalogue's parameter table
    int heals;                     // HEAL: index of the injecting step, -1 = everything
    usec_t duration;               // INJECT: healed by itself after this long; 0 = stays until healed or the end
};

// ---- expectations ----------------------------------------------------------------------------------------------------
// Kinds: enum expect_kind (lab/record/words.h), for each expectation is a line of the log.
struct expect {
    enum expect_kind kind;
    bool has_min, has_max;
    double min, max; // µs for durations, a count, or percent
    bool inside;     // WRITE_OUTAGE, RECOVERY: also inside the sum of the bounds of its phases (lab/measure/inside.c)
    bool wanted;     // NEW_LEADER, SAME_HISTORY yes/no
    char node[NODE_NAME_MAX]; // NEW_LEADER: this node, or ""
    char *text;               // as written, for the report
    const char *stack;        // said for this stack alone (its name, static); NULL = for all
    int line;
};
typedef VEC(struct expect) expect_list;
void expects_done(expect_list *list);

// ---- what a scenario is about -------------------------------------------------------------------------------------
// clang-format off
#define SCENARIO_GROUPS(X)                                                                                             \
    X(NONE, "", "")                                                                                                    \
    X(CRASH, "crash", "machines and processes that die or hang")                                                       \
    X(NETWORK, "network", "cuts, partitions, slow and lossy links")                                                    \
    X(DCS, "dcs", "etcd and what Patroni keeps in it")                                                                 \
    X(REPLICATION, "replication", "lag, synchronous standbys, slots, divergence")                                      \
    X(STORAGE, "storage", "disks that are full, slow, broken or forgetful")                                            \
    X(RESOURCE, "resource", "memory, processor, connections, clocks")                                                  \
    X(CONFIGURATION, "configuration", "settings that bite later")                                                      \
    X(HUMAN, "human", "what an administrator does, rightly or not")                                                    \
    X(CLIENT, "client", "the application, its driver and its proxy")
// clang-format on
enum scenario_group {
#define X(group, name, about) GROUP_##group,
    SCENARIO_GROUPS(X)
#undef X
        GROUP_COUNT
};
const char *scenario_group_name(enum scenario_group g);  // "crash"; "" for GROUP_NONE
const char *scenario_group_about(enum scenario_group g); // one line for people

// ---- known defects: what may go wrong with certain versions of a program, and is then neither pass nor fail ----------
enum { DEFECTS_MAX = 16 };
struct known_defect {
    char *id;        // unique: "patroni-2693"
    char *software;  // a component of the version events: "patroni"
    char *versions;  // lab/base/version.h
    char *reference; // URL
    char *text;      // what it does, one sentence
    enum defect_signature signature;
    char *explains; // names of expectations and "conditions" (the scenario's own waits), as one text: "a, b"
    bool always;    // on an affected version its absence is a failure
    int line;
};

// ---- the application's load ------------------------------------------------------------------------------------------
enum route { ROUTE_MULTI_HOST, ROUTE_HAPROXY };
struct workload_def {
    double writes_per_s; // default 100
    double reads_per_s;  // per PostgreSQL node, default 10
    enum route route;
    usec_t deadline;        // an operation without an answer by then is unknown (default 2 s); also tcp_user_timeout
    usec_t connect_timeout; // default 2 s
};

struct plan {
    char *file; // as given
    char *name; // file name without folder and ".yaml"
    char *title;
    char *lesson; // Markdown, several lines
    enum scenario_group group;
    unsigned needs; // bits of enum ability: what the system that manages the cluster must have
    int needs_line; // 0 = the file does not say it
    uint64_t seed;
    struct topology *topology; // owned
    struct workload_def workload;
    usec_t settle;  // the cluster must have been complete this long before the scenario begins (default 2 s)
    usec_t observe; // keep measuring this long after the last step (default 3 s)
    usec_t timeout; // the whole scenario, an upper bound on everything (default 10 min)
    VEC(struct step) steps;
    expect_list expects; // those of the run's stack
    VEC(struct known_defect) defects;
};
void plan_free(struct plan *p);

// The plan as JSON (for the run folder's plan.json): every default visible. Appends to out.
void plan_to_json(const struct plan *p, struct strbuf *out);
