// SPDX-License-Identifier: PostgreSQL
#pragma once
// Limits of the shell under which no command can do its work.
#include "lab/base/err.h"

// Before any command. A low soft limit of the stack is raised as far as the hard one allows. Negative: a sentence with the way out.
int limits_check(struct err *err);
