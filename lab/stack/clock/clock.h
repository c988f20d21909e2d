// SPDX-License-Identifier: PostgreSQL
#pragma once
// The wall clocks of a node with `clock: adjustable`. All nodes share the host's clock; what PostgreSQL and Patroni read from it
// is shifted by a library that is preloaded into them (shim.c), by the nanoseconds in STACK_CLOCKS/postgres and
// STACK_CLOCKS/patroni: one int64_t in native byte order. A boot begins with 0.
#include "lab/node/node.h"

#define STACK_CLOCKS "/run/clock" // inside a node

// Before a daemon starts: the library and, where they are not there yet, the two files. The node is on.
int clock_prepare(const struct node *n, struct err *err);
// What a daemon is to be started with, in addition to its environment.
extern const char *const clock_env[];
// service: "postgres" or "patroni". The offset in force; daemons follow a set at once. -ENOENT: this boot has no such clock.
int clock_get(const struct node *n, const char *service, int64_t *ret_ns, struct err *err);
int clock_set(const struct node *n, const char *service, int64_t ns, struct err *err);
