// SPDX-License-Identifier: PostgreSQL
#pragma once
// Bad files and the exact complaints about them. HEAD, STEPS and the like make a whole scenario around the
// part in question, so that a case shows only what it is about.
#include <stdbool.h>
#include <stddef.h>

#define HEAD  "title: t\ntopology: patroni-3\n" // what follows begins in line 3
#define STEPS HEAD "steps:\n"                   // a step begins in line 4

struct bad {
    const char *yaml, *complaints;
};
// Reads each and compares all complaints, letter by letter; a file with an error gives no plan.
void bad_check(const struct bad *table, size_t n);
// Reads and gives the complaints as text (the caller frees), and whether there was a plan.
char *bad_complaints(const char *yaml, size_t len, bool *ret_plan);
