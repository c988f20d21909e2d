// SPDX-License-Identifier: PostgreSQL
#include "lab/base/usec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static usec_t clock_usec(clockid_t id) {
    struct timespec ts;
    (void)clock_gettime(id, &ts); // can't fail for these two clocks (clock_gettime(2))
    return (usec_t)ts.tv_sec * SEC + (usec_t)ts.tv_nsec / 1000;
}

usec_t usec_now(void) {
    return clock_usec(CLOCK_MONOTONIC);
}

usec_t usec_wall_now(void) {
    return clock_usec(CLOCK_REALTIME);
}

static const struct {
    const char *unit;
    usec_t usec;
} units[] = {{"us", 1}, {"ms", MSEC}, {"s", SEC}, {"m", MINUTE}, {"min", MINUTE}, {"h", 60 * MINUTE}};

// Integer and fraction by hand: strtod takes the locale, "inf", hex and signs, none of which is a duration. The fraction is
// in millionths. False when there is no number at *p, or one beyond any use.
static bool read_number(const char **p, usec_t *whole, usec_t *millionths) {
    *whole = *millionths = 0;
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); (*p)++) {
        *whole = *whole * 10 + (usec_t)(**p - '0');
        if (*whole > UINT64_C(1000000000000))
            return false;
    }
    if (**p != '.')
        return true;
    (*p)++;
    if (!isdigit((unsigned char)**p))
        return false;
    for (usec_t place = 100000; isdigit((unsigned char)**p); (*p)++, place /= 10)
        *millionths += place * (usec_t)(**p - '0');
    return true;
}

// The unit at *p in µs, moving behind it; 0 when there is none.
static usec_t read_unit(const char **p) {
    size_t n = 0;
    while (isalpha((unsigned char)(*p)[n]))
        n++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen(units[i].unit) == n && strncmp(*p, units[i].unit, n) == 0) {
            *p += n;
            return units[i].usec;
        }
    return 0;
}

static void skip_spaces(const char **p) {
    while (**p == ' ')
        (*p)++;
}

int usec_parse(const char *text, usec_t *ret) {
    const char *p = text;
    usec_t total = 0, last = USEC_NEVER;
    do {
        usec_t whole, millionths;
        if (!read_number(&p, &whole, &millionths))
            return -EINVAL;
        skip_spaces(&p);
        usec_t unit = read_unit(&p);
        if (!unit && !*p && last == USEC_NEVER && whole == 0 && millionths == 0)
            break;                                                // a bare 0
        if (!unit || unit >= last || whole > USEC_LONGEST / unit) // "30s1m" and "1m2m" are slips, no durations
            return -EINVAL;
        last = unit;
        total += whole * unit + millionths * unit / 1000000;
        skip_spaces(&p);
    } while (*p);
    if (total > USEC_LONGEST)
        return -EINVAL;
    *ret = total;
    return 0;
}

char *usec_format(char buf[static USEC_TEXT_MAX], usec_t t) {
    if (t == USEC_NEVER)
        (void)snprintf(buf, USEC_TEXT_MAX, "never");
    else if (t < 10 * MSEC && t % MSEC != 0)
        (void)snprintf(buf, USEC_TEXT_MAX, "%.1f ms", (double)t / 1e3);
    else if (t < SEC - MSEC / 2) // rounded: a resolution must not look finer than it is by being cut
        (void)snprintf(buf, USEC_TEXT_MAX, "%" PRIu64 " ms", (t + MSEC / 2) / MSEC);
    else if (t < 2 * MINUTE)
        (void)snprintf(buf, USEC_TEXT_MAX, "%.2f s", (double)t / 1e6);
    else
        (void)snprintf(buf, USEC_TEXT_MAX, "%" PRIu64 " min %02" PRIu64 " s", t / MINUTE, t % MINUTE / SEC);
    return buf;
}
