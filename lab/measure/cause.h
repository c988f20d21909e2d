// SPDX-License-Identifier: PostgreSQL
#pragma once
// What was injected, and which of it the outage belongs to (docs/measures.md, "The write outage", recovery; cause.c).
#include "lab/record/event.h"

struct fault_measure {
    char id[EVENT_NAME_MAX], mechanism[EVENT_NAME_MAX], target[EVENT_NAME_MAX], nodes[128], detail[EVENT_TEXT_MAX];
    usec_t asked, effective, verified;        // run time, 0 = did not happen
    usec_t heal_asked, healed, heal_verified; // the same
    usec_t over;                              // healed, failed; of an act: done or failed. 0 = it goes on
    bool ok;                                  // verified
    bool effective_seen;                      // the effect's time was observed, not assumed
    bool action;                              // an administrator's act (cluster.switchover), not a fault
    char what[EVENT_TEXT_MAX];                // every detail the injector gave while injecting
    char params[EVENT_TEXT_MAX];              // "service=postgres process=backend"
};

struct measured_cause {
    int fault;           // index in faults of the injection that the outage and the phases belong to; -1 = none
    usec_t recovery;     // from its effect to the end of the outage; 0 = there is none
    bool leader_changed; // another node took the leader key after the first injection
    char old_leader[NODE_NAME_MAX],
        new_leader[NODE_NAME_MAX]; // before the first injection, and the last one; "" = not known
};
