// SPDX-License-Identifier: PostgreSQL
#pragma once
// Versions as numbers, and which of them can be in one lab. Pure: no file is opened here.
#include "lab/stack/stack.h"

#define VERSIONS_PG_ROOT "/usr/lib/postgresql" // Debian keeps each major version in a folder of its own below

struct version {
    int major, minor, patch; // "4.0.7"; what is missing is 0
};
struct version version_parse(const char *text);
bool version_at_least(const char *text, int major, int minor);

// Are these versions ones that the lab knows, and can they be members of one cluster? Before anything is started: -EINVAL with who
// has what and what to do.
struct stack_ops;
int versions_check(const struct stack_ops *ops, const struct topology *t, const struct stack_paths *paths,
                   struct err *err);
