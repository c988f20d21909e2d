// SPDX-License-Identifier: PostgreSQL
#pragma once
// Lateness in buckets: quantiles to within 12 %, in constant memory.
#include <stdint.h>

enum { LATE_BUCKETS = 256 }; // 8 to each doubling, from 1 µs on
struct late {
    uint64_t n, max_ns;
    uint32_t bucket[LATE_BUCKETS];
};
void late_add(struct late *l, uint64_t ns);
void late_merge(struct late *l, const struct late *other);
uint64_t late_quantile_us(const struct late *l, double q); // upper end of its bucket; 0 = nothing there
