// SPDX-License-Identifier: PostgreSQL
#pragma once
// The outages that the application felt (docs/measures.md, "The write outage"; outage.c).
#include "lab/model/outages.h"

struct measured_outage {    // of writes: the longest one after the first injection
    bool present;           // there was one
    bool open;              // writes had not come back when the workload ended; end is that end
    usec_t start, end;      // last acknowledged write before, first after which writes keep succeeding
    usec_t length;          // end - start
    usec_t period, latency; // the write period and the usual latency of a write: together the resolution
    usec_t resolution;      // of length
    int count;              // how many outages there were
    usec_t total;           // all of them together
    usec_t threshold;       // pauses up to this long are not called an outage
    usec_t hiccup; // longest pause after the first injection that was slow, not down; 0 = none above the threshold
    usec_t first_write, last_write; // first and last acknowledged write of the run
    int64_t attempts_missing;       // writes that the clock asked for and the client never tried: it was stalled itself
    const struct outages *felt; // every one of the run, before the first injection too. Lives as long as the measures
};

struct measured_read_outage { // the longest of the run; length 0 = none
    usec_t length, start;
};
