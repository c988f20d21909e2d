// SPDX-License-Identifier: PostgreSQL
#pragma once
// The chain of a recovery: its phases, each beginning where the one before it ended, so that they add up to the recovery time. One definition, for a
// finished run and for one that goes on. Pure.
#include "lab/failover/leadership.h"

#define PHASES(X)                                                                                                      \
    X(DEMOTE, "demote")           /* etcd lost its quorum: fault effective -> the leader accepts no write any more */  \
    X(NO_QUORUM, "no-quorum")     /* -> etcd has a quorum again */                                                     \
    X(QUORUM_BACK, "quorum-back") /* -> the Patroni that will lead has written to etcd again */                        \
    X(DETECT, "detect")           /* fault effective -> leader key gone; told only by an authority */                  \
    X(ELECT, "elect")             /* -> a new leader key, or its manager says that it leads */                         \
    X(RETURN, "return")           /* fault effective -> the leader that kept its key accepts writes again */           \
    X(PROMOTE, "promote")         /* -> that node acknowledges a write (direct probe) */                               \
    X(REROUTE, "reroute")         /* -> first acknowledged write of the application */                                 \
    X(REJOIN, "rejoin")           /* writes back, or heal when later -> healthy, to the end */
enum phase_kind {
#define X(kind, name) PHASE_##kind,
    PHASES(X)
#undef X
        PHASE_COUNT
};

struct phase {
    const char *name;
    usec_t start, duration; // run time, µs
    usec_t error;           // the duration's resolution
    usec_t bound_min, bound_max;
    bool present; // its beginning was seen, and its end or that it goes on
    bool open;    // it goes on: duration is what it has lasted so far. Never in a finished run
    bool bounded; // a bound could be computed for this fault and these settings
    bool inside;  // bound_min - error <= duration <= bound_max + error
    char why
        [EVENT_TEXT_MAX]; // the formula with its numbers: "ttl 30 s - age of the lease 4.2 s, etcd's lease scan 0.5 s"
};

// What a fault does to leadership, by the laws of the system.
enum ha_effect {
    HA_NONE,    // no law speaks of it
    HA_LOSES,   // the leader loses, or gives away, its hold on leadership
    HA_RESTARTS // its server is started again in its place, unless that takes too long
};

struct recovery_case {     // what is asked
    usec_t start;          // when the fault took effect
    usec_t now;            // the end of what is known
    bool served;           // the application's writes are back, since `end`
    usec_t end;            // served: the first acknowledged write
    usec_t pause;          // served: how long it had gone without
    usec_t resolution;     // of end
    enum ha_effect effect; // of the fault
    bool live;             // what goes on is told, too
};
struct recovery {
    struct phase phases[PHASE_COUNT]; // but for rejoin, which lab/measure tells of a finished run
    int current;                      // live: the phase that goes on; -1 = none
    char leader[NODE_NAME_MAX];       // who took the key, or kept it; "" = not known
    usec_t cursor;                    // the end of the last phase that is over
    bool joined;                      // detect can't be told from elect: without an authority it is a part of it
    bool in_place;                    // the leader kept its key, and no loss of quorum made it fall
    bool no_quorum;                   // it fell because etcd had lost its quorum,
    usec_t quorum_lost;               // since then
};
void recovery_tell(const struct leadership *l, const struct recovery_case *c, struct recovery *ret);
