// SPDX-License-Identifier: PostgreSQL
#include "lab/base/version.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "lab/base/str.h"

enum { PARTS_MAX = 6, PART_DIGITS_MAX = 9 };

struct version {
    int64_t part[PARTS_MAX];
};

// Reads "3.0.2" at p; the place behind it, or NULL. What follows it is not looked at.
static const char *read_version(const char *p, struct version *ret) {
    *ret = (struct version){0};
    if (*p == 'v' && isdigit((unsigned char)p[1]))
        p++;
    for (int i = 0; i < PARTS_MAX; i++) {
        const char *begin = p;
        for (; isdigit((unsigned char)*p) && p - begin <= PART_DIGITS_MAX; p++)
            ret->part[i] = ret->part[i] * 10 + (*p - '0');
        if (p == begin || p - begin > PART_DIGITS_MAX)
            return NULL;
        if (*p != '.' || !isdigit((unsigned char)p[1]))
            return p;
        p++;
    }
    return NULL;
}

static int compare(const struct version *a, const struct version *b) {
    for (int i = 0; i < PARTS_MAX; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return 0;
}

bool version_known(const char *version) {
    struct version v;
    return read_version(version, &v) != NULL;
}

enum relation { BELOW, AT_MOST, ABOVE, AT_LEAST, EXACTLY };

static const char *read_relation(const char *p, enum relation *ret) {
    static const struct {
        const char *sign;
        enum relation relation;
    } table[] = {{"<=", AT_MOST}, {"<", BELOW}, {">=", AT_LEAST}, {">", ABOVE}, {"=", EXACTLY}};
    *ret = EXACTLY;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (str_starts(p, table[i].sign)) {
            *ret = table[i].relation;
            p += strlen(table[i].sign);
            break;
        }
    return p + strspn(p, " ");
}

static bool relation_holds(enum relation r, int order) {
    switch (r) {
    case BELOW:
        return order < 0;
    case AT_MOST:
        return order <= 0;
    case ABOVE:
        return order > 0;
    case AT_LEAST:
        return order >= 0;
    case EXACTLY:
        break;
    }
    return order == 0;
}

// Walks through the range. With a version: does each part hold? NULL: only its form is looked at.
static bool check_parts(const char *range, const struct version *version, size_t *ret_bad, const char **ret_why) {
    const char *p = range + strspn(range, " ");
    bool all = true;
    for (;;) {
        enum relation relation;
        struct version limit;
        p = read_relation(p, &relation);
        const char *end = read_version(p, &limit);
        *ret_bad = (size_t)(p - range);
        *ret_why = "a version such as 3.0.3 is expected here";
        if (!end)
            return false;
        all = all && (!version || relation_holds(relation, compare(version, &limit)));
        p = end + strspn(end, " ");
        if (!*p)
            return all;
        *ret_bad = (size_t)(p - range);
        *ret_why = "only a comma and another limit may follow";
        if (*p != ',')
            return false;
        p++;
        p += strspn(p, " ");
    }
}

bool version_range_check(const char *range, size_t *ret_bad, const char **ret_why) {
    return check_parts(range, NULL, ret_bad, ret_why);
}

bool version_in_range(const char *range, const char *version) {
    struct version v;
    size_t bad;
    const char *why;
    return read_version(version, &v) && check_parts(range, &v, &bad, &why);
}
