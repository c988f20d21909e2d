// SPDX-License-Identifier: PostgreSQL
#include "lab/observe/log_stamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lab/base/str.h"

#define ZONE_STEP (15 * MINUTE) // UTC+5:45 is the oddest (tzdata: Asia/Kathmandu)

// ".123", ",123", ".123456": to µs. What is not there is the fraction.
static int64_t read_fraction(const char *p, usec_t *fraction) {
    int64_t us = 0;
    *fraction = SEC;
    if (*p != '.' && *p != ',')
        return 0;
    for (p++; isdigit((unsigned char)*p) && *fraction > 1; p++) {
        *fraction /= 10;
        us += (*p - '0') * (int64_t)*fraction;
    }
    return us;
}

static bool sane(const struct tm *t) {
    return t->tm_year >= 70 && t->tm_year < 300 && t->tm_mon >= 0 && t->tm_mon < 12 && t->tm_mday >= 1 &&
           t->tm_mday <= 31 && t->tm_hour >= 0 && t->tm_hour < 24 && t->tm_min >= 0 && t->tm_min < 60 &&
           t->tm_sec >= 0 && t->tm_sec <= 60;
}

static bool read_digits(const char *p, struct log_stamp *ret) {
    struct tm t = {0};
    char separators[3];
    int n = 0;
    if (sscanf(p, "%4d%1[-/]%2d%1[-/]%2d%1[ T]%2d:%2d:%2d%n", &t.tm_year, separators, &t.tm_mon, separators, &t.tm_mday,
               separators, &t.tm_hour, &t.tm_min, &t.tm_sec, &n) != 9 ||
        n < 17)
        return false;
    t.tm_year -= 1900;
    t.tm_mon--;
    if (!sane(&t))
        return false;
    int64_t us = read_fraction(p + n, &ret->fraction);
    ret->wall = (int64_t)timegm(&t) * (int64_t)SEC + us;
    return true;
}

bool log_stamp_read(const char *line, struct log_stamp *ret) {
    static const char json[] = "\"ts\":\"", raft[] = "raft";
    if (*line == '{') {
        const char *ts = strstr(line, json);
        return ts && read_digits(ts + strlen(json), ret);
    }
    return isdigit((unsigned char)*line) ? read_digits(line, ret)
                                         : str_starts(line, raft) && read_digits(line + strlen(raft), ret);
}

bool log_stamp_place(const struct log_stamp *s, int64_t wall_now, usec_t now, usec_t *ret) {
    int64_t step = (int64_t)ZONE_STEP, late = (wall_now - (s->wall + (int64_t)s->fraction - 1)) % step;
    if (late < 0)
        late += step;
    if (late >= step - (int64_t)s->fraction) // within its last digit: just now
        late = 0;
    if (late > (int64_t)LOG_STAMP_OLDEST || (usec_t)late > now)
        return false;
    *ret = now - (usec_t)late;
    return true;
}
