// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which faults random mode may use, how often, and for how long.
#include "lab/scenario/vocabulary/vocabulary.h"

const struct random_use *random_uses(size_t *ret_n); // static
