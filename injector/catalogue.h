// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the injector: the rows of the actions. Those of the faults are fault_catalogue's (injector.h).
#include "injector/errand/action.h"
#include "injector/injector.h"

const struct action_row *const *action_rows(size_t *ret_n);
const struct action_row *action_find(const char *name); // by an older name, too; NULL when there is none
