// SPDX-License-Identifier: PostgreSQL
#pragma once
// A system that manages a cluster, its pure half: what the folds must know of it to tell a failover. Each system fills one in lab/ha/NAME/ and stands in the table
// of lab/ha/ha.c; the neutral rooms know this contract and none of the systems.
#include "lab/failover/phase.h"

// A fault, or an administrator's act, as its events tell it; nothing is owned.
struct ha_fault {
    const char *mechanism, *params, *nodes; // "net.drop", "direction=in path=all", "n1,n3"
    const char *leader;                     // who led, "" = not known
};

struct bound_case {
    struct ha_fault fault; // that the outage belongs to
    const char *id;        // of the fault
    usec_t asked;          // when it was ordered
    usec_t bite, healed;   // when it took effect; healed = USEC_NEVER: not yet
    usec_t now;            // the end of what is known
    bool no_quorum;        // the leader fell for want of the store's quorum
    usec_t quorum_lost;    // no_quorum: since when it served nobody
};

struct ha_system {
    const struct ha_kind
        *kind; // what it has and what its things are called; NULL: a system that this program does not know

    // A line of the log of one of its daemons. ret_words, when not NULL, gets the words that were found: static.
    enum ha_said (*said)(const char *service, const char *line, const char **ret_words);
    // Does an act with this mechanism name the new leader? Then nobody races.
    bool (*names_leader)(const char *mechanism);
    enum ha_effect (*effect)(const struct ha_fault *f);
    // The last moment at which an outage that begins may be the doing of a fault that took effect at `bite` and is over since `over` (USEC_NEVER: it goes on):
    // BLAME_AFTERMATH after its end, or as long as what it has set in motion can last.
    usec_t (*explains_until)(const struct ha_fault *f, usec_t bite, usec_t over, const struct leadership *l);
    // What was waited for until the leader had lost its hold: "the lease of a dead leader".
    const char *(*waited_for)(const struct ha_fault *f);
    // Best and worst case of each phase that is present, with the sentence that says why: fills bounded, bound_min, bound_max, inside and why. A phase that
    // goes on (`open`) has lasted `duration` so far, and is inside as long as it has not lasted longer than its most. Whatever the input,
    // 0 <= bound_min <= bound_max <= USEC_LONGEST.
    void (*bounds)(const struct leadership *l, const struct model *m, const struct bound_case *c,
                   struct phase phases[PHASE_COUNT]);
};
