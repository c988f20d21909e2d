// SPDX-License-Identifier: PostgreSQL
#pragma once
// Plans made in C, so that these tests need no scenario file. The plan owns what is added to it; free with
// test_plan_free.
#include "lab/plan/plan.h"

struct plan *test_plan_new(void); // settle 2 s, observe 3 s, timeout 10 min, 100 writes/s, no step
void test_plan_free(struct plan *p);

// Adds a step hanging on the one before (the first: on the scenario's begin); the caller changes what it wants. The
// address is good until the next step is added. Plans of more than TEST_STEPS_MAX steps are refused, so in practice it
// stays good.
enum { TEST_STEPS_MAX = 16 };
struct step *test_step(struct plan *p, const char *name, enum step_kind kind);
struct step *test_inject(struct plan *p, const char *name, const char *mechanism, enum selector_kind who);
struct step *test_wait(struct plan *p, const char *name, enum condition_kind kind, usec_t within);
struct step *test_stays(struct plan *p, const char *name, enum condition_kind kind, usec_t how_long);
struct step *test_heal(struct plan *p, const char *name, int heals);
struct step *test_action(struct plan *p, const char *name, const char *action);
void test_target(struct step *s, enum selector_kind kind, const char *node);

// Adds an atom to a condition and gives it for changes.
struct condition_atom *test_atom(struct condition *c, enum condition_kind kind);
