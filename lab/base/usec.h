// SPDX-License-Identifier: PostgreSQL
#pragma once
// Time. usec_t is microseconds everywhere; a variable in another unit carries the unit in its name (timeout_ms).
// Two clocks exist: absolute CLOCK_MONOTONIC (sd-event timers), and *run time*, which is monotonic minus the run's start.
// Everything in an event, the model, the engine and the measures is run time; only the world rooms see absolute time.
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t usec_t;

#define MSEC         ((usec_t)1000)
#define SEC          ((usec_t)1000000)
#define MINUTE       (60 * SEC)
#define USEC_NEVER   UINT64_MAX // "no such time": sorts after every real one
// Ten years: the longest duration that anybody means. What is read from outside (scenarios, records) is refused beyond it.
#define USEC_LONGEST UINT64_C(315360000000000)

// Sum and difference that don't wrap: never above USEC_NEVER, never below 0.
static inline usec_t usec_add(usec_t a, usec_t b) {
    return a > USEC_NEVER - b ? USEC_NEVER : a + b;
}
static inline usec_t usec_sub(usec_t a, usec_t b) {
    return a > b ? a - b : 0;
}

usec_t usec_now(void);      // CLOCK_MONOTONIC, µs
usec_t usec_wall_now(void); // CLOCK_REALTIME, µs since 1970

// Reads "250ms", "1.5s", "2m", "1h", "300us", several of them from the largest unit down ("1m30s", "1h 5m"), or a bare "0" (a
// number without a unit other than 0 is refused: nobody knows what was meant). Returns 0, or -EINVAL with *ret untouched.
int usec_parse(const char *text, usec_t *ret);

#define USEC_TEXT_MAX 32
// "0 ms", "250 ms", "24.91 s", "2 min 05 s": for people. Returns buf.
char *usec_format(char buf[static USEC_TEXT_MAX], usec_t t);
