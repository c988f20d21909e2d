// SPDX-License-Identifier: PostgreSQL
#pragma once
// What is known of a record's completeness. Made by lab/proof/, read by the measures and every printer.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/vec.h"

struct record_lack {
    char text
        [320]; // one thing that is missing or wrong, in words: "9 lines of events.jsonl can't be read (the first is line 12)"
};
struct record_proof {
    bool live;                       // the lab still writes it: nothing is missing yet
    bool sealed;                     // it holds a seal (record.seal)
    bool complete;                   // the seal is true, or there is none and no rule finds anything missing
    VEC(struct record_lack) missing; // complete: empty
    char sha256[65];                 // of the events that were judged, in hex, by a true seal; "" = none
    int64_t bytes;                   // from the beginning of the log: so many it is the hash of
    char text[160];                  // the state in one sentence: "sealed, and everything is as it was written"
};
