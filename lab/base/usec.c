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

int usec_parse(const char *text, usec_t *ret) {
    const char *p = text;
    if (!isdigit((unsigned char)*p))
        return -EINVAL;
    // Integer and fraction by hand: strtod takes the locale, "inf", hex and signs, none of which is a duration.
    usec_t whole = 0;
    for (; isdigit((unsigned char)*p); p++) {
        whole = whole * 10 + (usec_t)(*p - '0');
        if (whole > UINT64_C(1000000000000))
            return -EINVAL;
    }
    usec_t frac = 0, scale = 1;
    if (*p == '.') {
        p++;
        if (!isdigit((unsigned char)*p))
            return -EINVAL;
        for (; isdigit((unsigned char)*p); p++)
            if (scale < 1000000) {
                frac = frac * 10 + (usec_t)(*p - '0');
                scale *= 10;
            }
    }
    while (*p == ' ')
        p++;
    if (*p == '\0') {
        if (whole != 0 || frac != 0)
            return -EINVAL;
        *ret = 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(p, units[i].unit) == 0) {
            if (whole > UINT64_C(315360000000000) / units[i].usec) // ten years: more is a typing error
                return -EINVAL;
            *ret = whole * units[i].usec + frac * units[i].usec / scale;
            return 0;
        }
    return -EINVAL;
}

char *usec_format(char buf[static USEC_TEXT_MAX], usec_t t) {
    if (t == USEC_NEVER)
        (void)snprintf(buf, USEC_TEXT_MAX, "never");
    else if (t < 10 * MSEC && t % MSEC != 0)
        (void)snprintf(buf, USEC_TEXT_MAX, "%.1f ms", (double)t / 1e3);
    else if (t < SEC)
        (void)snprintf(buf, USEC_TEXT_MAX, "%" PRIu64 " ms", t / MSEC);
    else if (t < 2 * MINUTE)
        (void)snprintf(buf, USEC_TEXT_MAX, "%.2f s", (double)t / 1e6);
    else
        (void)snprintf(buf, USEC_TEXT_MAX, "%" PRIu64 " min %02" PRIu64 " s", t / MINUTE, t % MINUTE / SEC);
    return buf;
}
