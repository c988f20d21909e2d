// SPDX-License-Identifier: PostgreSQL
#pragma once
// The steps of a scenario.
#include "lab/scenario/steps/condition.h"

enum { STEPS_MAX = 100, INJECTIONS_MAX = 64 }; // the model shows no more than 128 steps and 64 faults

// The places of one step in the file, kept for what can only be judged when every step is known.
struct step_marks {
    struct mark step, after, when, stays, heals, target;
};
// Appends to plan->steps; returns their marks (same index, the caller frees), NULL when there are none.
struct step_marks *steps_read(struct reader *r, const struct ynode *list, struct plan *plan);
// Order: steps that wait for each other, begin after the scenario's timeout or wait for what no step before can cause.
void steps_check_order(struct reader *r, const struct plan *plan, const struct step_marks *marks);
