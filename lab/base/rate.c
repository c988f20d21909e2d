// SPDX-License-Identifier: PostgreSQL
#include "lab/base/rate.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

int rate_parse(const char *text, uint64_t *ret) {
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
    double value = 0, scale = 1;
    const char *p = text;
    bool fraction = false;
    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !fraction); p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        value = value * 10 + (*p - '0');
        scale *= fraction ? 10 : 1;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(p, units[i].unit) == 0 && value / scale * units[i].factor < 1e13) {
            *ret = (uint64_t)(value / scale * units[i].factor);
            return 0;
        }
    return -EINVAL;
}

char *rate_format(char buf[static 32], double bits_per_s) {
    const char *unit = bits_per_s >= 1e6 ? "Mbit/s" : "kbit/s";
    (void)snprintf(buf, 32, "%.2f %s", bits_per_s / (bits_per_s >= 1e6 ? 1e6 : 1e3), unit);
    return buf;
}
