// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which phase an outage is in while it happens, and how long the phase may take. The same definitions as lab/measure/phases.c, which
// judges a finished run, and the same laws; a test compares the two on recorded runs. Pure.
#include "dashboard/history.h"
#include "lab/measure/laws.h"
#include "lab/measure/measure.h"

enum { // those that an outage can be in; the numbers of enum phase_kind
    OP_DEMOTE = PHASE_DEMOTE,
    OP_NO_QUORUM = PHASE_NO_QUORUM,
    OP_QUORUM_BACK = PHASE_QUORUM_BACK,
    OP_DETECT = PHASE_DETECT,
    OP_ELECT = PHASE_ELECT,
    OP_RETURN = PHASE_RETURN,
    OP_PROMOTE = PHASE_PROMOTE,
    OP_REROUTE = PHASE_REROUTE,
    OP_COUNT
};
extern const char *const outage_phase_names[OP_COUNT];

struct outage_part {
    bool present;
    usec_t from, to; // to = USEC_NEVER: it goes on
    bool bounded;
    usec_t min, max;
    char why[EVENT_TEXT_MAX];
};
struct outage_story {
    bool open;
    usec_t from, to;                // of the outage; to = now while it is open
    const struct fault_band *cause; // NULL = no fault explains it; borrowed from the history
    int current;                    // phase that goes on, -1 = over
    bool in_place;                  // the leader kept its key: OP_RETURN instead of a promotion
    bool no_quorum;                 // the leader fenced itself because etcd had lost its quorum
    usec_t quorum_lost;             // then: since when etcd served nobody
    struct outage_part parts[OP_COUNT];
};
void outage_tell(const struct model *m, const struct history *h, const struct outage *o, usec_t now,
                 struct outage_story *ret);

// The fold's part of it: bounds for every phase that a law covers.
struct law_fault outage_law_fault(const struct fault_band *f);
enum law outage_law_of(const struct fault_band *f);
void outage_bounds(const struct model *m, const struct history *h, struct outage_story *s);
