// SPDX-License-Identifier: PostgreSQL
#pragma once
// Best and worst case of each phase of an outage, with the sentence that says why. One evaluation of the laws (laws.h) and one set of words, for the report, which
// judges a finished run, and the dashboard, which shows a running one: each hands over what its own fold knows.
#include "lab/base/vec.h"
#include "lab/measure/laws.h"
#include "lab/measure/measure.h"

// A candidate's Patroni says why it did not become leader, or that it can't.
struct bound_said {
    usec_t t;
    const char *node;
    bool paused; // by its REST API: maintenance mode
    enum law_said said;
    const char *words; // static
};

struct bound_facts {
    struct law_fault fault; // that the outage belongs to
    usec_t bite, healed;    // when it took effect; healed = USEC_NEVER: not yet
    usec_t now;             // the end of what is known
    // Settings in force then; 0 = not known.
    usec_t ttl, loop_wait, retry_timeout;
    usec_t start_timeout, election; // primary_start_timeout and etcd's --election-timeout, their defaults when not told
    struct law_renewal renewal;     // the last one of the leader's lease before the fault
    const char *etcd_leader;        // its node, when the fault bit; "" = not known
    usec_t etcd_changed;            // when another one was first seen; USEC_NEVER = not
    usec_t named;                  // when an administrator asked for a new leader after the fault; USEC_NEVER = did not
    bool haproxy;                  // the topology has one
    bool no_quorum;                // the leader fell for want of etcd's quorum
    usec_t quorum_lost;            // no_quorum: since when etcd served nobody
    const struct bound_said *said; // in any order
    size_t n_said;
};

// Defaults of Patroni (primary_start_timeout) and etcd (--election-timeout).
#define BOUND_START_TIMEOUT (300 * SEC)
#define BOUND_ELECTION      SEC

// Fills bounded, bound_min, bound_max, inside and why of every phase that is present. A phase that goes on (`open`) has lasted `duration` so far, and is
// inside as long as it has not lasted longer than its most.
void bounds_evaluate(const struct bound_facts *f, struct phase phases[PHASE_COUNT]);
