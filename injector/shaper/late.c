// SPDX-License-Identifier: PostgreSQL
#include "injector/shaper/late.h"

#include <stddef.h>

// 0..15 µs exactly, then 8 buckets to each doubling.
static unsigned bucket_of(uint64_t us) {
    if (us < 16)
        return (unsigned)us;
    unsigned top = 63 - (unsigned)__builtin_clzll(us);
    unsigned b = 16 + (top - 4) * 8 + (unsigned)(us >> (top - 3) & 7);
    return b < LATE_BUCKETS ? b : LATE_BUCKETS - 1;
}

static uint64_t end_of(unsigned bucket) {
    if (bucket < 16)
        return bucket;
    unsigned top = (bucket - 16) / 8 + 4, part = (bucket - 16) % 8;
    return ((UINT64_C(8) + part + 1) << (top - 3)) - 1;
}

void late_add(struct late *l, uint64_t ns) {
    l->n++;
    l->max_ns = l->max_ns < ns ? ns : l->max_ns;
    l->bucket[bucket_of(ns / 1000)]++;
}

void late_merge(struct late *l, const struct late *other) {
    l->n += other->n;
    l->max_ns = l->max_ns < other->max_ns ? other->max_ns : l->max_ns;
    for (size_t i = 0; i < LATE_BUCKETS; i++)
        l->bucket[i] += other->bucket[i];
}

uint64_t late_quantile_us(const struct late *l, double q) {
    uint64_t wanted = (uint64_t)(q * (double)l->n), sum = 0;
    for (unsigned i = 0; i < LATE_BUCKETS; i++) {
        sum += l->bucket[i];
        if (sum > wanted)
            return end_of(i) < l->max_ns / 1000 ? end_of(i) : l->max_ns / 1000;
    }
    return l->max_ns / 1000;
}
