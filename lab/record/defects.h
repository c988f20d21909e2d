// SPDX-License-Identifier: PostgreSQL
#pragma once
// Defects of certain versions of the programs that a lab can meet whatever is done to it: the words of docs/known-defects.md, for whoever must name
// one at the moment it strikes. A scenario may declare others, or these (its known_defects).
#include <stddef.h>

#include "lab/record/words.h"

struct defect_known {
    const char *id;
    const char *software, *versions; // a component of the version events; lab/base/version.h
    const char *reference;           // URL
    const char *text;                // what it does, one sentence
    enum defect_signature signature; // what of it can be seen in the log
    const char *explains;            // which expectations fail by it
};
// The catalogue: *ret_n rows.
const struct defect_known *defects_known(size_t *ret_n);
// The row with this signature whose versions of `software` (in any case) include this one; NULL: none, or no version.
const struct defect_known *defects_find(enum defect_signature signature, const char *software, const char *version);
