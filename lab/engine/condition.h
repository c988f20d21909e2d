// SPDX-License-Identifier: PostgreSQL
#pragma once
// Does a condition hold now, why not, and when could that change without any event?
#include "lab/engine/target.h"

// Unknown is not false: "lag of n2 below 1MB" is not met before a lag was seen, and neither is its negation.
enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

struct judgement {
    bool holds;
    usec_t changes; // earliest time at which `holds` may turn by the clock alone; USEC_NEVER = only an event can
    char why[200];  // the first atom that does not hold, in words; "" when it holds
};
struct judgement condition_judge(const struct scope *s, const struct condition *c);

// The condition as written, or put into words again when the plan was made by hand. Returns buf.
char *condition_words(const struct condition *c, char *buf, size_t size);
