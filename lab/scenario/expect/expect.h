// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a scenario says of its end: expectations, and defects of programs that may explain why one is not met.
#include "lab/plan/plan.h"
#include "lab/scenario/yaml/decode.h"

// Appends to plan->expects.
void expects_read(struct reader *r, const struct ynode *map, struct plan *plan);
// Appends to plan->defects. To be called after expects_read: a defect explains some of them.
void known_defects_read(struct reader *r, const struct ynode *list, struct plan *plan);
