// SPDX-License-Identifier: PostgreSQL
#pragma once
// Is a standby ahead of its leader? No two probes look at the same instant, and none has to: when the standby had replayed up to R by the time
// its probe was answered, and the leader, asked after that, had only written up to L < R, then the standby holds WAL that this leader never wrote.
// WAL positions of a running primary never go back, and it sends no WAL that it has not written. Pure; the measures fold a whole log with it, the
// model (lab/model/diverge.c) sees it while it is so.
#include "lab/base/cluster.h"
#include "lab/record/event.h"

struct ahead_position { // of a standby, answered at t
    usec_t t;
    lsn_t lsn;
};
struct ahead_watch {                    // one node as a standby
    struct ahead_position last, before; // the last two answers; t = 0: none
    usec_t clear;                       // when it was last known not to be ahead: its position, or it led itself
    bool open;                          // a stretch is going on, of this leader:
    char leader[NODE_NAME_MAX];
    usec_t from, to;                        // proven
    usec_t maybe_from;                      // it may have begun as early
    struct ahead_position standby, primary; // at the greatest distance; t = when they were answered and asked
    lsn_t kept;                             // the standby's position at the last pair of the stretch
};
enum ahead_found {
    AHEAD_NOT_KNOWN, // no pair in the right order
    AHEAD_PROVEN,
    AHEAD_REFUTED // the leader had written all that the standby has
};
// An answer of a standby; lsn: what it has replayed.
void ahead_standby(struct ahead_watch *w, usec_t t, lsn_t lsn);
// It is no standby, or does not answer. primary: it said that it is none.
void ahead_no_standby(struct ahead_watch *w, usec_t t, bool primary);
// The leader, asked at `asked`, had written to lsn. Opens or extends the stretch; the caller closes it (w->open = false) when it is refuted or the
// leader is another.
enum ahead_found ahead_compare(struct ahead_watch *w, const char *leader, usec_t asked, lsn_t lsn);
// The pair that the last ahead_compare with these arguments looked at.
const struct ahead_position *ahead_pair(const struct ahead_watch *w, usec_t asked);
