// SPDX-License-Identifier: PostgreSQL
#pragma once
// Files of a tree in which others make files and links, seen from outside: an image, the disk of a node, /proc/PID/root. A link in it,
// also an absolute one or one with "..", is looked up in that root, as it would be by a process living there (openat2(2),
// RESOLVE_IN_ROOT; Linux 5.6). With plain paths a link that a student makes in a node would lead the supervisor to a file of the host.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/base/str.h"

// As open(2), close-on-exec; -errno without a message.
int inside_open(const char *root, const char *path, uint64_t flags, mode_t mode);
// As fs_mkdirs and fs_write.
int inside_mkdirs(const char *root, const char *path, mode_t mode, struct err *err);
int inside_write(const char *root, const char *path, const void *data, size_t len, mode_t mode, struct err *err);
int inside_unlink(const char *root, const char *path); // -errno; the file itself, never what it names
// A plain file of at most max bytes, appended to text. -ENOENT, and -EINVAL for anything that is no plain file.
int inside_read(const char *root, const char *path, size_t max, struct strbuf *text, struct err *err);
bool inside_exists(const char *root, const char *path); // root "" = the file system we live in
