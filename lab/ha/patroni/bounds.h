// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the room: the two parts of the evaluation of bounds.
#include "lab/ha/patroni/laws.h"

// Defaults of Patroni (primary_start_timeout) and etcd (--election-timeout).
#define BOUND_START_TIMEOUT (300 * SEC)
#define BOUND_ELECTION      SEC

struct bound_facts {
    struct bound_case at;
    const struct leadership *l;
    // Settings in force then; 0 = not known.
    usec_t ttl, loop_wait, retry_timeout;
    usec_t start_timeout, election; // primary_start_timeout and etcd's --election-timeout, their defaults when not told
    struct renewal renewal;         // the last one of the leader's lease before the fault
    const char *etcd_leader;        // its node, when the fault bit; "" = not known
    usec_t etcd_changed;            // when another one was first seen; USEC_NEVER = not
    usec_t named; // when an administrator asked for a new leader after the fault; USEC_NEVER = did not
    bool haproxy; // the topology has one
};

void patroni_bounds(const struct leadership *l, const struct model *m, const struct bound_case *c,
                    struct phase phases[PHASE_COUNT]);

void bound_set(struct phase *p, struct law_range r);
// races.c: a bound that is broken is widened by what was seen, and says so.
void races_widen_elect(const struct bound_facts *f, struct phase *p);
void races_widen_detect(const struct bound_facts *f, struct phase *p, usec_t ttl);
