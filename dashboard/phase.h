// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which phase an outage is in while it happens, and how long the phase may take: what the measures will say of it, told while it goes on
// (lab/failover/). Pure.
#include "dashboard/history.h"
#include "lab/failover/system.h"

struct outage_story {
    bool open;
    usec_t from, to;                // of the outage; to = now while it is open
    const struct fault_band *cause; // NULL = no fault explains it; borrowed from the history
    struct recovery recovery;       // bounds for every phase that a law covers
};
void outage_tell(const struct model *m, const struct history *h, const struct outage *o, usec_t now,
                 struct outage_story *ret);
