// SPDX-License-Identifier: PostgreSQL
#pragma once
// What building an image needs on this host.
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/base/str.h"

// 0, or -ENOENT with everything that is missing and the commands that mend it. uid 0 needs no subordinate ids.
int need_check(uid_t uid, const char *user, struct err *err);
// Does /etc/subuid or /etc/subgid (its text) give `user` or `uid` a range of at least 65536 ids? *ret_free: the first id behind all
// ranges in the file, at least 100000. Pure.
bool need_has_range(const char *text, const char *user, uid_t uid, unsigned long *ret_free);
