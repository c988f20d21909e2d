// SPDX-License-Identifier: PostgreSQL
#pragma once
// Divergence while it is so: which nodes follow another history than their leader. "streaming" and equal timeline numbers say nothing of it (two
// promotions from timeline 1 both make a timeline 2), positions that were asked for in the right order do.
#include "lab/model/ahead.h"
#include "lab/record/defects.h"

enum doubt {
    DOUBT_NONE,
    DOUBT_KEY, // the leader key was written over by a former holder: whether this node follows it has not been seen since
    DOUBT_AHEAD // proven: it has WAL that its leader never wrote, and it has not been seen moving on with the leader's since
};
struct model_doubt {
    enum doubt why;
    usec_t since; // AHEAD: proven from then on; KEY: when the key was written over
    // It follows again once it stands elsewhere, at a position that the leader has written: a standby of another history can't replay its leader's
    // WAL, so it stays where it is. 0 = not known yet where that is.
    lsn_t stands;
    struct ahead_watch watch;
};
struct model_theft { // of the leader key: written over, not deleted and made anew
    usec_t t;        // 0 = never
    char by[NODE_NAME_MAX], from[NODE_NAME_MAX];
    const struct defect_known *defect; // static; NULL: by no known one
};

struct model;
// The strongest doubt about any node that has power, and in *why (may be NULL) what is known, in words for a trainee.
enum doubt model_divergence(const struct model *m, char *why, size_t size);
// The doubt about this node; DOUBT_NONE for the leader and for what has no power.
struct model_node;
enum doubt model_node_doubt(const struct model *m, const struct model_node *n);
// The known defect that it comes from; NULL: there is no divergence, or none explains it.
const struct defect_known *model_divergence_defect(const struct model *m);
