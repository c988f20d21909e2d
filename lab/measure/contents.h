// SPDX-License-Identifier: PostgreSQL
#pragma once
// What each node's table held at the end, and whose history it follows (docs/measures.md, "Contents and history"; contents.c).
#include "lab/base/lsn.h"
#include "lab/base/vec.h"
#include "lab/record/event.h"

// What one node's ledger table held when the run was over, against what the final leader held.
struct node_contents {
    char node[NODE_NAME_MAX];
    bool read;     // whole; else why
    bool leader;   // the others are compared with this one
    bool primary;  // it was in no recovery when it was read
    char why[160]; // not read: the reason; read: why it has no row at all, "" = nothing to say
    int64_t rows, duplicates;
    int64_t only_here; // ids that no other node holds; -1 = not known (nobody else was read)
    int64_t absent;    // acknowledged writes that it lacks; -1 = not known (no ledger)
    int64_t foreign,
        missing; // rows that the leader lacks, rows of the leader that it lacks; -1 = the leader was not read
    bool behind; // it had not replayed all that the leader had when the reading began: what it lacks may come
    int64_t timeline;
    lsn_t lsn;         // standby: replayed
    int64_t ahead;     // bytes by which lsn was ahead of the leader's, which was asked for later; 0 = it was not
    bool diverged;     // by contents or by the order of positions, never by timeline numbers
    char because[160]; // diverged: the evidence
    int history;       // 1 = the leader's; the same number: the same rows, or the beginning of them; 0 = not read
};

struct measured_contents {
    VEC(struct node_contents) nodes;    // one per PostgreSQL node of which the final read says something
    int diverged;                       // how many of them follow another history than the leader
    char diverged_names[160];           // "n2 and n3"
    char diverged_text[EVENT_TEXT_MAX]; // the contents in one sentence; "" when nobody diverged
};
