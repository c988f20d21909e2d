// SPDX-License-Identifier: PostgreSQL
#pragma once
// The table of nodes of `bascule status`.
#include "lab/base/json.h"

// Prints it, a line a node. width: of the terminal in columns; what a trainee misses least (the address, then where the WAL stands) is left
// out when the lines would not fit, so that none breaks. 0 = no terminal: everything.
void status_print_nodes(const cJSON *status, int width);
