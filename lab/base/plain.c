// SPDX-License-Identifier: PostgreSQL
#include "lab/base/plain.h"

#include "lab/base/utf8.h"

bool plain_is_safe(char32_t ch) {
    static const struct {
        char32_t first, last;
    } unsafe[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},  {0x200e, 0x200f},
                  {0x2028, 0x202e}, {0x2066, 0x2069}, {0xd800, 0xdfff}};
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        if (ch >= unsafe[i].first && ch <= unsafe[i].last)
            return false;
    return true;
}

// Of a sequence that utf8_len has found good.
static char32_t decode(const char *p, size_t len) {
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    char32_t ch = (unsigned char)*p & lead[len];
    for (size_t i = 1; i < len; i++)
        ch = ch << 6 | ((unsigned char)p[i] & 0x3f);
    return ch;
}

// utf8_len, with an end that need not be a NUL.
static size_t length(const char *p, size_t left) {
    char copy[5] = "";
    memcpy(copy, p, left < 4 ? left : 4);
    return *p ? utf8_len(copy) : 1;
}

void plain_add(struct strbuf *out, const char *text, size_t n, bool utf8) {
    size_t len;
    for (const char *p = text; p < text + n; p += len) {
        size_t good = length(p, (size_t)(text + n - p));
        len = good ? good : 1;
        bool keep = good && (*p == '\n' || *p == '\t' || plain_is_safe(decode(p, len))) && (len == 1 || utf8);
        if (keep)
            strbuf_addn(out, p, len);
        else
            strbuf_addn(out, "?", 1);
    }
}

size_t plain_unfinished(const char *text, size_t n) {
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)text[n - back];
        size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
        if (c >= 0xc2)
            return whole > back ? back : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}
