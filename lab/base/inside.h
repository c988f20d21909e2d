// SPDX-License-Identifier: PostgreSQL
#pragma once
// Files of a root file system that is not ours, seen from outside: a link in it, also an absolute one or one with "..", is looked up
// in that root, as it would be by a process living there (openat2(2), RESOLVE_IN_ROOT; Linux 5.6).
#include <stdbool.h>
#include <stddef.h>

#include "lab/base/err.h"
#include "lab/base/str.h"

// A plain file of at most max bytes, appended to text. -ENOENT, and -EINVAL for anything that is no plain file.
int inside_read(const char *root, const char *path, size_t max, struct strbuf *text, struct err *err);
bool inside_exists(const char *root, const char *path); // root "" = the file system we live in
