// SPDX-License-Identifier: PostgreSQL
#pragma once
// What is known of a record's completeness. Made by lab/proof/, read by the measures and every printer.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/str.h"
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
    char unknown
        [400]; // not lacking, and not understood: "2 lines hold a word that this program does not know (...)"; "" = nothing
    char text[800]; // the state in one sentence: "sealed, and everything is as it was written"
};

enum record_state {
    RECORD_WHOLE,    // sealed as it was written; or nobody asked (NULL)
    RECORD_UNSEALED, // nothing is known to be missing, and nothing proves it
    RECORD_LIVE,     // what there is of it so far
    RECORD_DAMAGED,  // nothing that is read from it is a result
};
enum record_state record_state(const struct record_proof *r);
// One word for who has little room: "DAMAGED", "UNSEALED", "UNFINISHED"; whole: "".
const char *record_mark(const struct record_proof *r);
// In words, with the first lack: "DAMAGED, and without a seal: ledger.bin is missing; and 2 more". Whole and understood: nothing. Appends to out.
void record_words(const struct record_proof *r, struct strbuf *out);
