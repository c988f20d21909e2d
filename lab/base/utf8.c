// SPDX-License-Identifier: PostgreSQL
#include "lab/base/utf8.h"

#include "lab/base/str.h"

size_t utf8_len(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return (s[1] & 0xC0) == 0x80 ? 2 : 0;
    if ((s[0] & 0xF0) == 0xE0) {
        if ((s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80)
            return 0;
        if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
            return 0;
        return 3;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        if ((s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80 || (s[3] & 0xC0) != 0x80)
            return 0;
        if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

static bool valid(const char *s) {
    size_t n = 1;
    for (; *s && n; s += n)
        n = utf8_len(s);
    return n;
}

void utf8_repair(char *text, size_t size) {
    text[size - 1] = '\0';
    if (valid(text))
        return;
    cleanup_free char *old = xstrdup(text);
    size_t len = 0;
    for (const char *p = old; *p;) {
        size_t n = utf8_len(p), add = n ? n : strlen(UTF8_REPLACEMENT);
        if (len + add >= size)
            break;
        memcpy(text + len, n ? p : UTF8_REPLACEMENT, add);
        len += add;
        p += n ? n : 1;
    }
    memset(text + len, 0, size - len);
}
