// SPDX-License-Identifier: PostgreSQL
#pragma once
// The small sentences of `when`, `becomes` and `stays`.
#include "lab/scenario/steps/selector.h"

// Reads the scalar n. Complains about each wrong part at its column and about what can never hold. False after any
// complaint; ret is then empty. The owner frees ret with condition_done.
bool condition_read(struct reader *r, const struct ynode *n, struct condition *ret);
// The atoms that mean "other than at the first injection": they need one before them.
bool condition_needs_injection(const struct condition *c);
