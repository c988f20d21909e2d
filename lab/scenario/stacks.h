// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a scenario says of the system that manages its cluster: what it needs of it (`needs:`), and by which name it speaks to one of several (`stack:` of a
// topology, `for:` of the expectations).
#include "lab/ha/kind/kind.h"
#include "lab/plan/plan.h"
#include "lab/scenario/yaml/decode.h"

// NULL after a complaint that lists those that there are.
const struct ha_kind *stack_named(struct reader *r, const char *name, struct mark at);
// Fills plan->needs.
void needs_read(struct reader *r, const struct ynode *n, struct plan *plan);
// Has the system of the plan's topology all that the scenario needs? Without a topology nothing is known, and so nothing lacking.
bool needs_met(const struct plan *plan);
