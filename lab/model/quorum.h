// SPDX-License-Identifier: PostgreSQL
#pragma once
// Do the arbiters serve? One answer for the story, the measures and the dashboard. While a leader is being elected a majority answers and nobody serves: that
// is no lost quorum unless it lasts.
#include "lab/model/model.h"

enum quorum_state {
    QUORUM_UNKNOWN, // it has not served yet; without arbiters it stays so
    QUORUM_LED,     // a majority follows a leader that answers (model_quorum)
    QUORUM_ELECTS,  // it does not serve, a majority answers
    QUORUM_LOST     // no majority answers, or they have agreed on no leader for QUORUM_ELECTION
};
#define QUORUM_ELECTION                                                                                                \
    (5 * SEC) // an election takes one to two election timeouts (1 s by default), a split vote as much again

struct quorum_watch {
    enum quorum_state state;
    usec_t since; // LED: since when it serves; ELECTS and LOST: since when it no longer does
};
// m has seen the event of time t. Returns true when the state has changed. Call it with every event: an election becomes a loss by time alone.
bool quorum_note(struct quorum_watch *w, const struct model *m, usec_t t);
// Members in all, or only those that answer.
size_t quorum_members(const struct model *m, bool answering);
