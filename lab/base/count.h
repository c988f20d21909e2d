// SPDX-License-Identifier: PostgreSQL
#pragma once
// Sums of logged counts. One is within 2^53 (lab/record/event.h); a log has as many of them as it likes, so a sum stops at the ends
// of its type instead of wrapping.
#include <stdint.h>

static inline int64_t count_add(int64_t a, int64_t b) {
    int64_t r;
    return __builtin_add_overflow(a, b, &r) ? b > 0 ? INT64_MAX : INT64_MIN : r;
}
