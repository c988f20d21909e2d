// SPDX-License-Identifier: PostgreSQL
#pragma once
// The story of a run as moments in time. Private to the room.
#include "lab/base/vec.h"
#include "lab/measure/measure.h"

struct moment {
    usec_t t;
    int order; // among moments of the same time
    bool bad;  // a fault or a loss: to be seen at a glance
    char text[EVENT_TEXT_MAX];
    char detail[EVENT_TEXT_MAX]; // a second line, "" = none
};
typedef VEC(struct moment) moment_list;

void story_tell(const struct measures *m, moment_list *out); // sorted by time

// "net.drop on n1: asked at 7.174 s, effective +2.9 ms, verified +150.8 ms, ...", each time after the one before it; healed
// counts from the effect. Appends to out.
void text_fault_steps(const struct fault_measure *f, struct strbuf *out);
