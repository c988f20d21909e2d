// SPDX-License-Identifier: PostgreSQL
#include "lab/base/lsn.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const char *parse_half(const char *p, uint64_t *ret) {
    uint64_t v = 0;
    int digits = 0;
    for (; digits <= 8; p++, digits++) {
        int d;
        if (*p >= '0' && *p <= '9')
            d = *p - '0';
        else if (*p >= 'A' && *p <= 'F')
            d = *p - 'A' + 10;
        else if (*p >= 'a' && *p <= 'f')
            d = *p - 'a' + 10;
        else
            break;
        v = v * 16 + (uint64_t)d;
    }
    if (digits == 0 || digits > 8)
        return NULL;
    *ret = v;
    return p;
}

bool lsn_parse(const char *text, lsn_t *ret) {
    uint64_t hi, lo;
    const char *p = parse_half(text, &hi);
    if (!p || *p != '/')
        return false;
    p = parse_half(p + 1, &lo);
    if (!p || *p != '\0')
        return false;
    *ret = hi << 32 | lo;
    return true;
}

char *lsn_format(char buf[static LSN_TEXT_MAX], lsn_t lsn) {
    (void)snprintf(buf, LSN_TEXT_MAX, "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32), (uint32_t)lsn);
    return buf;
}
