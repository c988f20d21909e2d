// SPDX-License-Identifier: PostgreSQL
#pragma once
// Mounts, each with one clear error. Private to lab/sandbox and lab/node: only called inside the lab's mount
// namespaces.
#include <stdbool.h>

#include "lab/base/err.h"

int mount_tmpfs(const char *at, const char *options, struct err *err); // nosuid, nodev; the mount point must exist
int mount_proc(struct err *err);                                       // a fresh /proc of the caller's pid namespace
// A detached copy of what is mounted at path (with all below), to be placed later, even when path is hidden by then.
int mount_pick(const char *path, struct err *err);            // fd or negative
int mount_place(int picked, const char *at, struct err *err); // fd stays the caller's
int mount_bind(const char *from, const char *at, struct err *err);
// `names` as the upper layer over `at`: base/NAME is the upper folder, base/NAME.work its scratch. Both must exist.
int mount_overlay(const char *at, const char *base, const char *name, struct err *err);
// The same over another folder, `lower` (not `at` itself), and mounted on `at`.
int mount_overlay_of(const char *lower, const char *at, const char *base, const char *name, struct err *err);
// Makes the mount at path the root of this mount namespace; what was there before is gone from it.
int mount_become_root(const char *path, struct err *err);
// Covers `at` with a tmpfs in which everything of the host's folder is bound again, so that `extra` folders can be made
// there.
int mount_farm(const char *at, const char *const *extra, struct err *err);
// Nothing can be written through the mount at path any more; recursive: nor through those below it. Needs Linux 5.12.
int mount_read_only(const char *path, bool recursive, struct err *err);
int mount_writable(const char *path, struct err *err);           // takes it back, of that mount alone
int mount_mkdir(const char *path, mode_t mode, struct err *err); // exact mode whatever the umask; fine when it exists
