// SPDX-License-Identifier: PostgreSQL
#pragma once
// Seeded draws: the same seed gives the same draws on every machine.
#include <stddef.h>
#include <stdint.h>

// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014; the constants of the reference
// implementation. Turns a counter, or any number, into one that looks random.
static inline uint64_t splitmix64(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

// A stream of draws; start it with {seed}.
struct random {
    uint64_t state;
};
static inline uint64_t random_next(struct random *r) {
    uint64_t x = splitmix64(r->state);
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return x;
}
// 0 to n - 1; n > 0. The bias of the remainder is below n / 2^64.
static inline uint64_t random_below(struct random *r, uint64_t n) {
    return random_next(r) % n;
}
