// SPDX-License-Identifier: PostgreSQL
#pragma once
// The table of nodes of `bascule status`.
#include "lab/base/json.h"

// Prints it, a line a node. width: of the terminal in columns; what a trainee misses least (the address, then where the WAL stands) is left
// out when the lines would not fit, so that none breaks. 0 = no terminal: everything.
void status_print_nodes(const cJSON *status, int width);
// The steps of the scenario, one a line, folded to `width` columns; 0 = not at all. Nothing where there is none.
void status_print_steps(const cJSON *status, int width);
