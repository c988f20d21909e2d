// SPDX-License-Identifier: PostgreSQL
#pragma once
// The words of the log. A field of type E(set) in lab/record/event.h holds one word of a closed set; each set is one table here, from which
// come its enum, the names of its values, and what the JSON writer and reader need. So a typo in C does not compile, and a switch without
// `default` names the word that it forgot. A word in a log that the table lacks reads as ..._UNKNOWN: the reader counts it and tells of it
// (lab/record/run.h), it is never dropped in silence.
//
// Each set has two values beside its words: ..._NONE = 0, the field is absent, and ..._UNKNOWN, the last one. A table only grows: a word that
// any bascule has written stays, or a recorded log would hold an unknown one.
#include <stddef.h>

// clang-format off
// A fault's life: asked -> effective -> verified | unverified; failed at any time; heal_asked -> healed -> heal_verified | heal_unverified
// (injector/injector.c).
#define FAULT_PHASE_WORDS(W)                                                                                           \
    W(FAULT_PHASE_ASKED, "asked")                                                                                      \
    W(FAULT_PHASE_EFFECTIVE, "effective")                                                                              \
    W(FAULT_PHASE_VERIFIED, "verified")         /* measured to bite */                                                 \
    W(FAULT_PHASE_UNVERIFIED, "unverified")                                                                            \
    W(FAULT_PHASE_HEAL_ASKED, "heal_asked")                                                                            \
    W(FAULT_PHASE_HEALED, "healed")                                                                                    \
    W(FAULT_PHASE_HEAL_VERIFIED, "heal_verified")                                                                      \
    W(FAULT_PHASE_HEAL_UNVERIFIED, "heal_unverified") /* it may still be in force */                                   \
    W(FAULT_PHASE_FAILED, "failed")             /* it was never in force */

#define ACTION_PHASE_WORDS(W)                                                                                          \
    W(ACTION_PHASE_ASKED, "asked")                                                                                     \
    W(ACTION_PHASE_DONE, "done")                                                                                       \
    W(ACTION_PHASE_FAILED, "failed")

#define LAB_STATE_WORDS(W)                                                                                             \
    W(LAB_STATE_BUILDING, "building")           /* switch and nodes are being made */                                  \
    W(LAB_STATE_STARTING, "starting")           /* the stack starts daemons; waiting until the cluster is complete */  \
    W(LAB_STATE_READY, "ready")                 /* complete, the application runs; a scenario's clock may start */     \
    W(LAB_STATE_COLLECTING, "collecting")       /* the scenario is over: application stopped, ledger read everywhere */ \
    W(LAB_STATE_KEPT, "kept")                   /* the scenario is over and the lab stays (--keep) */                  \
    W(LAB_STATE_BROKEN, "broken")               /* the lab itself failed */                                            \
    W(LAB_STATE_STOPPING, "stopping")           /* leaving; nothing is judged any more */

#define PROGRESS_PHASE_WORDS(W)                                                                                        \
    W(PROGRESS_PHASE_BUILD, "build")                                                                                   \
    W(PROGRESS_PHASE_START, "start")                                                                                   \
    W(PROGRESS_PHASE_WAIT, "wait")                                                                                     \
    W(PROGRESS_PHASE_COLLECT, "collect")

#define STEP_STATUS_WORDS(W)                                                                                           \
    W(STEP_STATUS_WAITING, "waiting")            /* for its condition, or its time */                                  \
    W(STEP_STATUS_STARTED, "started")                                                                                  \
    W(STEP_STATUS_DONE, "done")                                                                                        \
    W(STEP_STATUS_FAILED, "failed")                                                                                    \
    W(STEP_STATUS_SKIPPED, "skipped")            /* the run ended before it */

// Why a run ended.
#define END_REASON_WORDS(W)                                                                                            \
    W(END_REASON_COMPLETED, "completed")        /* every step was done */                                              \
    W(END_REASON_EXPECTATION, "expectation")    /* a condition of the scenario was not met in time */                  \
    W(END_REASON_UNVERIFIED, "unverified")      /* a fault was not seen to bite */                                     \
    W(END_REASON_UNWATCHED, "unwatched")        /* nobody watched when it mattered */                                  \
    W(END_REASON_INTERRUPTED, "interrupted")    /* somebody stopped it */                                              \
    W(END_REASON_BROKEN, "broken")              /* the lab itself failed */                                            \
    W(END_REASON_SKIPPED, "skipped")            /* this machine can't run it */

#define SERVICE_STATE_WORDS(W)                                                                                         \
    W(SERVICE_STATE_STARTED, "started")                                                                                \
    W(SERVICE_STATE_EXITED, "exited")           /* by itself, with an exit status */                                   \
    W(SERVICE_STATE_SIGNALLED, "signalled")     /* a signal ended it */

#define WATCHDOG_STATE_WORDS(W)                                                                                        \
    W(WATCHDOG_STATE_ARMED, "armed")                                                                                   \
    W(WATCHDOG_STATE_KEPT, "kept")              /* a keepalive came */                                                 \
    W(WATCHDOG_STATE_DISARMED, "disarmed")      /* closed in good order */                                             \
    W(WATCHDOG_STATE_EXPIRED, "expired")        /* the power follows */

// A service path between two nodes (lab/reach/flows.h).
#define LINK_PATH_WORDS(W)                                                                                             \
    W(LINK_PATH_SQL, "sql")                                                                                            \
    W(LINK_PATH_REPLICATION, "replication")                                                                            \
    W(LINK_PATH_REST, "rest")                                                                                          \
    W(LINK_PATH_ETCD_CLIENT, "etcd_client")                                                                            \
    W(LINK_PATH_ETCD_PEER, "etcd_peer")                                                                                \
    W(LINK_PATH_ALL, "all")                     /* any packet */

// What the application was doing when an error came.
#define CLIENT_PHASE_WORDS(W)                                                                                          \
    W(CLIENT_PHASE_CONNECT, "connect")                                                                                 \
    W(CLIENT_PHASE_STATEMENT, "statement")      /* a write */                                                          \
    W(CLIENT_PHASE_READ, "read")                                                                                       \
    W(CLIENT_PHASE_TIMEOUT, "timeout")          /* no answer within the deadline */                                    \
    W(CLIENT_PHASE_PROCESS, "process")          /* the application's own process has ended */

// How bad a daemon's log line is (lab/observe/log_lines.c).
#define LINE_LEVEL_WORDS(W)                                                                                            \
    W(LINE_LEVEL_INFO, "info")                                                                                         \
    W(LINE_LEVEL_WARNING, "warning")                                                                                   \
    W(LINE_LEVEL_ERROR, "error")                                                                                       \
    W(LINE_LEVEL_FATAL, "fatal")

// What a scenario may expect of a run. The measures (lab/measure/expect.c) know how each is judged.
#define EXPECT_WORDS(W)                                                                                                \
    W(EXPECT_WRITE_OUTAGE, "write_outage")      /* duration range, "inside": the sum of the bounds of its phases */    \
    W(EXPECT_READ_OUTAGE, "read_outage")        /* duration range */                                                   \
    W(EXPECT_RECOVERY, "recovery")              /* the same */                                                         \
    W(EXPECT_LOST_WRITES, "lost_writes")        /* count range */                                                      \
    W(EXPECT_LOCAL_ONLY_WRITES, "local_only_writes") /* count range: acknowledged without their synchronous standby */ \
    W(EXPECT_LOCAL_ONLY_LOST, "local_only_lost") /* count range: those of them that are gone */                        \
    W(EXPECT_UNEXPECTED_WRITES, "unexpected_writes") /* count range; always expected to be 0 unless said */            \
    W(EXPECT_DUPLICATED_WRITES, "duplicated_writes") /* the same */                                                    \
    W(EXPECT_FOREIGN_ROWS, "foreign_rows")      /* the same: rows of standbys that the leader lacks */                 \
    W(EXPECT_SAME_HISTORY, "same_history")      /* yes, no: every node that answers follows the leader's history */    \
    W(EXPECT_DIVERGED_NODES, "diverged_nodes")  /* count range: nodes that don't */                                    \
    W(EXPECT_SPLIT_BRAIN, "split_brain")        /* duration range; always expected to be 0 unless said */              \
    W(EXPECT_NEW_LEADER, "new_leader")          /* yes, no, or a node name */                                          \
    W(EXPECT_REJOIN, "rejoin") /* duration range: writes back, or heal when later -> healthy again, for good */        \
    W(EXPECT_PHASES, "phases")                  /* "inside": each phase inside its computed bounds */                  \
    W(EXPECT_WRITE_AVAILABILITY, "write_availability") /* percent range over the run */                                \
    W(EXPECT_READ_AVAILABILITY, "read_availability")

// What of a known defect can be seen in the log. The measures (lab/measure/defect.c) know how.
#define DEFECT_WORDS(W)                                                                                                \
    W(DEFECT_LEADER_KEY_OVERWRITTEN, "leader_key_overwritten") /* a former holder takes the key while another holds it */ \
    W(DEFECT_STANDBY_AHEAD, "standby_ahead") /* a standby is ahead of its leader for longer than the probes' resolution */ \
    W(DEFECT_SHUTDOWN_HANGS, "shutdown_hangs") /* told to stop in a crash restart, PostgreSQL says so for a minute */

// What a manager says that its node is. Each system's own words are translated (lab/observe/).
#define MANAGER_ROLE_WORDS(W)                                                                                          \
    W(MANAGER_ROLE_LEADER, "leader")                                                                                   \
    W(MANAGER_ROLE_REPLICA, "replica")                                                                                 \
    W(MANAGER_ROLE_SYNC_STANDBY, "sync_standby")                                                                       \
    W(MANAGER_ROLE_STANDBY_LEADER, "standby_leader") /* leads a cluster that follows another one */                    \
    W(MANAGER_ROLE_UNINITIALIZED, "uninitialized") /* it has no data yet */                                            \
    W(MANAGER_ROLE_OTHER, "other")              /* a word of a system's that has no translation */

#define STORE_WATCH_WORDS(W)                                                                                             \
    W(STORE_WATCH_CONNECTED, "connected")                                                                                \
    W(STORE_WATCH_LOST, "lost")

// set = name of the enum, prefix of its values and of its table
#define WORD_SETS(X)                                                                                                   \
    X(fault_phase, FAULT_PHASE)                                                                                        \
    X(action_phase, ACTION_PHASE)                                                                                      \
    X(lab_state, LAB_STATE)                                                                                            \
    X(progress_phase, PROGRESS_PHASE)                                                                                  \
    X(step_status, STEP_STATUS)                                                                                        \
    X(end_reason, END_REASON)                                                                                          \
    X(service_state, SERVICE_STATE)                                                                                    \
    X(watchdog_state, WATCHDOG_STATE)                                                                                  \
    X(link_path, LINK_PATH)                                                                                            \
    X(client_phase, CLIENT_PHASE)                                                                                      \
    X(line_level, LINE_LEVEL)                                                                                          \
    X(expect_kind, EXPECT)                                                                                             \
    X(defect_signature, DEFECT)                                                                                        \
    X(store_watch_state, STORE_WATCH)                                                                                  \
    X(manager_role, MANAGER_ROLE)

// A set as data: words[0] = "" is the absent word, the last one, "?", stands for any that the set lacks.
struct word_set {
    const char *name; // of the enum
    const char *const *words;
    unsigned n; // values are 0 to n - 1
};
// The value of a word: 0 for "", the last for one that the set lacks.
unsigned word_set_find(const struct word_set *set, const char *word);
// The word of a value, "" for 0, "?" for an unknown one and for numbers that are no value. Never NULL.
const char *word_set_name(const struct word_set *set, unsigned value);

#define WORD_VALUE(value, word) value,
#define X(set, PREFIX)                                                                                                 \
    enum set { PREFIX##_NONE, PREFIX##_WORDS(WORD_VALUE) PREFIX##_UNKNOWN };                                           \
    extern const struct word_set set##_words;                                                                          \
    const char *set##_name(enum set value);  /* as word_set_name */                                                    \
    enum set set##_from(const char *word);   /* as word_set_find */
WORD_SETS(X)
#undef X
#undef WORD_VALUE
// clang-format on
