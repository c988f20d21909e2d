// SPDX-License-Identifier: PostgreSQL
#pragma once
// The recovery in its phases (docs/measures.md, "Phases"; phases.c).
#include "lab/base/cluster.h"
#include "lab/failover/phase.h"

struct measured_phases {
    struct phase list[PHASE_COUNT]; // by enum phase_kind
    char leader[NODE_NAME_MAX];     // who took the key in the phases: the last leader may be yet another one
    usec_t begin_error;             // how well the fault's own time is known, at which the first one begins
    usec_t rejoin;                  // duration of the last phase; 0 when nobody ever left
    bool rejoin_known;
};
