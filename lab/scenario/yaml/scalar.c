// SPDX-License-Identifier: PostgreSQL
// Numbers with units. By hand and without strtod: locale, "inf", hex, signs and exponents are no part of any of them.
#include "lab/scenario/yaml/scalar.h"

#include <ctype.h>
#include <strings.h>

#include "lab/base/rate.h"
#include "lab/scenario/yaml/decode.h"

bool scalar_duration(const char *text, usec_t *ret, char why[static WHY_MAX]) {
    if (usec_parse(text, ret) == 0)
        return true;
    double number;
    bool is_number = scalar_number(text, &number, why);
    if (is_number && number >= 100) // as likely meant in milliseconds, which tc(8) and most daemons count in
        (void)snprintf(why, WHY_MAX, "duration '%s' has no unit: write '%sms' or '%ss' (units: us, ms, s, m, h)",
                       SHOWN(text), SHOWN(text), SHOWN(text));
    else if (is_number)
        (void)snprintf(why, WHY_MAX, "duration '%s' has no unit: write '%ss' (units: us, ms, s, m, h)", SHOWN(text),
                       SHOWN(text));
    else
        (void)snprintf(why, WHY_MAX, "'%s' is not a duration: expected a number and a unit, such as 250ms, 10s or 2m",
                       SHOWN(text));
    return false;
}

// Digits from *p on; false when there are none or too many for any use here.
static bool digits(const char **p, int64_t *ret) {
    int64_t n = 0;
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); (*p)++) {
        n = n * 10 + (**p - '0');
        if (n > INT64_C(1000000000000000))
            return false;
    }
    *ret = n;
    return true;
}

bool scalar_count(const char *text, int64_t *ret, char why[static WHY_MAX]) {
    const char *p = text;
    int64_t n = 0;
    if (digits(&p, &n) && !*p) {
        *ret = n;
        return true;
    }
    (void)snprintf(why, WHY_MAX, "'%s' is not a count: expected a whole number such as 0 or 12", SHOWN(text));
    return false;
}

// "12" or "12.5" at *p; moves it behind the number.
static bool decimal(const char **p, double *ret) {
    int64_t whole = 0;
    if (!digits(p, &whole))
        return false;
    double value = (double)whole, scale = 0.1;
    if (**p == '.') {
        (*p)++;
        if (!isdigit((unsigned char)**p))
            return false;
        while (isdigit((unsigned char)**p)) {
            value += scale * (*(*p)++ - '0');
            scale /= 10;
        }
    }
    *ret = value;
    return true;
}

bool scalar_number(const char *text, double *ret, char why[static WHY_MAX]) {
    const char *p = text;
    double value;
    if (decimal(&p, &value) && !*p) {
        *ret = value;
        return true;
    }
    (void)snprintf(why, WHY_MAX, "'%s' is not a number: expected something like 100 or 12.5", SHOWN(text));
    return false;
}

bool scalar_percent(const char *text, double *ret, char why[static WHY_MAX]) {
    const char *p = text;
    double value = 0;
    bool ok = decimal(&p, &value);
    while (*p == ' ')
        p++;
    if (ok && str_eq(p, "%") && value <= 100) {
        *ret = value;
        return true;
    }
    if (ok && !*p)
        (void)snprintf(why, WHY_MAX, "'%s' has no unit: write '%s%%'", SHOWN(text), SHOWN(text));
    else if (ok && str_eq(p, "%"))
        (void)snprintf(why, WHY_MAX, "'%s' is more than 100%%", SHOWN(text));
    else
        (void)snprintf(why, WHY_MAX, "'%s' is not a percentage: expected something like 99.5%%", SHOWN(text));
    return false;
}

// Powers of 1024 under every spelling, as PostgreSQL means its kB and MB (src/backend/utils/misc/guc.c, memory units).
static const struct {
    const char *unit;
    int64_t bytes;
} sizes[] = {{"", 1},          {"b", 1},          {"k", 1 << 10},    {"kb", 1 << 10}, {"kib", 1 << 10},
             {"m", 1 << 20},   {"mb", 1 << 20},   {"mib", 1 << 20},  {"g", 1 << 30},  {"gb", 1 << 30},
             {"gib", 1 << 30}, {"tb", 1LL << 40}, {"tib", 1LL << 40}};

bool scalar_size(const char *text, int64_t *ret, char why[static WHY_MAX]) {
    const char *p = text;
    double value = 0;
    bool ok = decimal(&p, &value);
    while (*p == ' ')
        p++;
    for (size_t i = 0; ok && i < ARRAY_SIZE(sizes); i++)
        if (strcasecmp(p, sizes[i].unit) == 0 && value * (double)sizes[i].bytes < 9e15) {
            *ret = (int64_t)(value * (double)sizes[i].bytes);
            return true;
        }
    (void)snprintf(why, WHY_MAX, "'%s' is not a size: expected bytes or a number and B, kB, MB or GB, such as 16MB",
                   SHOWN(text));
    return false;
}

bool scalar_bool(const char *text, bool *ret, char why[static WHY_MAX]) {
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        bool is_yes = strcasecmp(text, yes[i]) == 0;
        if (is_yes || strcasecmp(text, no[i]) == 0) {
            *ret = is_yes;
            return true;
        }
    }
    (void)snprintf(why, WHY_MAX, "'%s' is neither yes nor no: expected true or false", SHOWN(text));
    return false;
}

bool scalar_rate(const char *text, uint64_t *ret, char why[static WHY_MAX]) {
    if (rate_parse(text, ret) == 0 && *ret > 0)
        return true;
    (void)snprintf(why, WHY_MAX,
                   "'%s' is not a rate: expected bits a second as tc writes them, such as 512kbit or 10mbit",
                   SHOWN(text));
    return false;
}
