// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the room: the two parts of the evaluation of bounds.
#include "lab/measure/bounds.h"

void bound_set(struct phase *p, struct law_range r);
// races.c: a bound that is broken is widened by what was seen, and says so.
void races_widen_elect(const struct bound_facts *f, struct phase *p);
void races_widen_detect(const struct bound_facts *f, struct phase *p, usec_t ttl);
