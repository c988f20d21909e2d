// SPDX-License-Identifier: PostgreSQL
#pragma once
// Best and worst case of each phase of an outage, with the sentence that says why: the laws (laws.h) applied to what is known of leadership. One evaluation
// and one set of words, for the report, which judges a finished run, and the dashboard, which shows a running one.
#include "lab/failover/phase.h"

struct bound_case {
    struct law_fault fault; // that the outage belongs to
    const char *id;         // of the fault
    usec_t asked;           // when it was ordered
    usec_t bite, healed;    // when it took effect; healed = USEC_NEVER: not yet
    usec_t now;             // the end of what is known
    bool no_quorum;         // the leader fell for want of etcd's quorum
    usec_t quorum_lost;     // no_quorum: since when etcd served nobody
};

// Defaults of Patroni (primary_start_timeout) and etcd (--election-timeout).
#define BOUND_START_TIMEOUT (300 * SEC)
#define BOUND_ELECTION      SEC

// Fills bounded, bound_min, bound_max, inside and why of every phase that is present. A phase that goes on (`open`) has lasted `duration` so far, and is
// inside as long as it has not lasted longer than its most.
void bounds_tell(const struct leadership *l, const struct model *m, const struct bound_case *c,
                 struct phase phases[PHASE_COUNT]);
