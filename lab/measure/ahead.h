// SPDX-License-Identifier: PostgreSQL
#pragma once
// Standbys ahead of their leader (docs/measures.md, "Contents and history"; ahead.c).
#include "lab/base/cluster.h"
#include "lab/base/lsn.h"
#include "lab/base/usec.h"

// A standby was ahead of its leader: it had replayed WAL that the leader, asked later, had not written yet.
struct ahead_span {
    char node[NODE_NAME_MAX], leader[NODE_NAME_MAX];
    usec_t from, to;       // proven
    usec_t resolution;     // how much longer it may have been, both ends together
    lsn_t lsn, leader_lsn; // at the greatest distance
    enum { AHEAD_OPEN, AHEAD_OVERTAKEN, AHEAD_WENT_BACK, AHEAD_NEW_LEADER, AHEAD_UNSEEN } end;
    // OPEN: to the end of the run. OVERTAKEN: the leader wrote past it, the standby stayed. WENT_BACK: the standby was rewound or
    // rebuilt. NEW_LEADER: another leader, or itself. UNSEEN: one of the two was not seen any more.
};
