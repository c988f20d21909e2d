// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the files that read steps share: steps.c (names, kinds), step_start.c (when it starts, waits), step_mechanism.c
// (faults and actions).
#include "lab/scenario/read.h"
#include "lab/scenario/steps/steps.h"

struct draft { // a step's mapping, key by key
    const struct ynode *name, *inject, *heal, *act, *wait, *target, *with, *at, *after, *when, *hold, *within,
        *duration;
};

struct step_reader {
    struct reader *r;
    struct plan *plan;
    struct step *step;
    size_t index;
    const struct draft *draft;
    struct step_marks *marks;
};

int step_find(const struct plan *plan, const char *name); // index, or -1
// The step that the text names, or -1 after a complaint at n.
int step_named(const struct step_reader *s, const struct ynode *n, const char *text);
void step_read_start(const struct step_reader *s);                       // at, after
void step_read_when(const struct step_reader *s);                        // when, for, within
void step_read_wait(const struct step_reader *s, const struct ynode *n); // wait
void step_read_mechanism(const struct step_reader *s, const struct ynode *n,
                         bool action); // inject, do; target, with, duration
