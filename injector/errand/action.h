// SPDX-License-Identifier: PostgreSQL
#pragma once
// An action: what an administrator does (`do:`), as opposed to what breaks.
#include "injector/errand/errand.h"

// One row of a table of actions.
struct action_row {
    struct mechanism about;
    const char *how;
    int (*check)(const struct topology *t, const setting_list *params, struct err *err);
    int (*check_node)(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err);
    struct errand_phase errand; // how it is done, unless injector/act.c or the supervisor does it
    usec_t patience;            // how long that may take; 0 = a minute
};
struct action_table {
    const struct action_row *rows;
    size_t n;
};
