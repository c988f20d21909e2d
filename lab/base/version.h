// SPDX-License-Identifier: PostgreSQL
#pragma once
// Versions of programs, and ranges of them. Only the leading dotted numbers of a version count: "3.0.2", "3.0.2-1" and
// "v3.0.2~rc1" are the same here. A missing part is zero: 17 = 17.0.
#include <stdbool.h>
#include <stddef.h>

// Ranges: one or more of "< V", "<= V", "> V", ">= V", "V" (exactly this one), joined by commas, all of which must hold:
// "< 3.0.3", ">= 2.0, < 3.0.3".
// False with *ret_bad = where in the text it stopped making sense, and why (ret_why, static text).
bool version_range_check(const char *range, size_t *ret_bad, const char **ret_why);
// False also when the range or the version is no such text: see version_known before believing a "no".
bool version_in_range(const char *range, const char *version);
bool version_known(const char *version); // it begins with a number
