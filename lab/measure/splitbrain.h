// SPDX-License-Identifier: PostgreSQL
#pragma once
// Two nodes that accepted writes at the same time (docs/measures.md, "Split brain"; splitbrain.c).
#include "lab/base/usec.h"

struct measured_split_brain {
    usec_t min, max; // proven and possible overlap
    bool unknown;    // the record is damaged: the two above are 0
    char nodes[128]; // "n1 and n2"
};
