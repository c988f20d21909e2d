// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the room.
#include "lab/measure/measure.h"

// "net.drop on n1: asked at 7.174 s, effective +2.9 ms, verified +150.8 ms, ...", each time after the one before it; healed
// counts from the effect. Appends to out.
void text_fault_steps(const struct fault_measure *f, struct strbuf *out);
