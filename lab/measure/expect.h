// SPDX-License-Identifier: PostgreSQL
#pragma once
// What was expected, and whether it held (docs/measures.md, "Noise and verdict"; expect.c).
#include "lab/record/event.h"

struct expect_result {
    enum expect_kind kind;       // the implicit ones (unexpected_writes, split_brain) too; NONE: about a known defect
    char text[EVENT_TEXT_MAX];   // "the application could not write for 24.91 s (expected: write_outage <= 34s)"
    bool ok, known;              // known = false: it could not be judged, which is not a pass
    char defect[EVENT_NAME_MAX]; // failed, and this known defect explains it
    bool watched; // it says what happened, or did not, in [watched_from, watched_to]; else it needs no watching
    usec_t watched_from, watched_to, watched_hole; // and the longest hole in that; 0 = none
    bool inside;                                   // the sum of the bounds of its phases is a limit, too;
    bool law;                                      // it is known: law_min to law_max, and law_error beyond them
    usec_t law_min, law_max, law_error;
};
// "write_outage"; "known_defect" for NONE.
const char *expect_result_name(const struct expect_result *e);
