// SPDX-License-Identifier: PostgreSQL
#pragma once
// Soft resource limits of processes that run: prlimit(2). The hard limit stays, so that a plain user can take it back.
#include <sys/resource.h>

#include "injector/process/victims.h"

struct limited { // one process whose limit was lowered
    struct victim victim;
    rlim_t before; // its soft limit
};
typedef VEC(struct limited) limited_list;

// Lowers the soft limit and remembers it. 0, or -errno with a message.
int limit_lower(const struct victim *v, int resource, rlim_t soft, limited_list *out, struct err *err);
// Gives back what each of them had; those that are gone are left out. How many were given back.
size_t limit_restore(const limited_list *list, int resource);
// "64MB", a whole number of MB from `least` to `most`, in bytes; -1 = it is not that.
int64_t limit_parse_mb(const char *text, int64_t least, int64_t most);
rlim_t limit_read(const struct victim *v, int resource); // the soft limit; 0 when the process is gone
