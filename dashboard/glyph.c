// SPDX-License-Identifier: PostgreSQL
#include "dashboard/glyph.h"

#include <stdbool.h>
#include <stdint.h>

#include "dashboard/canvas.h"
#include "lab/base/plain.h"

// Length of the sequence that `first` begins, 0 when it can't begin one; its bits in *ret.
static int sequence_length(unsigned char first, char32_t *ret) {
    if (first >= 0xc2 && first < 0xe0) {
        *ret = first & 0x1f;
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *ret = first & 0x0f;
        return 3;
    }
    if (first >= 0xf0 && first < 0xf5) {
        *ret = first & 0x07;
        return 4;
    }
    return 0;
}

char32_t glyph_next(const char **text) {
    const unsigned char *p = (const unsigned char *)*text;
    if (!*p)
        return 0;
    *text += 1;
    if (*p < 0x80)
        return plain_is_safe(*p) ? *p : '?';
    char32_t ch = 0;
    int len = sequence_length(*p, &ch);
    for (int i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) // also the closing NUL
            return '?';
        ch = ch << 6 | (p[i] & 0x3f);
    }
    bool overlong = (len == 3 && ch < 0x800) || (len == 4 && ch < 0x10000);
    if (!len || overlong || ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff))
        return '?';
    *text += len - 1;
    return plain_is_safe(ch) ? ch : '?';
}

struct range {
    char32_t first, last;
};
// Zero width: general categories Mn, Me, Cf in broad strokes, what can turn up in a log line or a name. Two columns: East_Asian_Width
// W and F of Unicode 14 (UAX #11), exactly, because a character that the terminal shows wider than we think moves the rest of its line.
static const struct range zero[] = {
    {0x00ad, 0x00ad}, {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},   {0x0610, 0x061a},
    {0x064b, 0x065f}, {0x06d6, 0x06dc}, {0x0900, 0x0902}, {0x093c, 0x093c},   {0x0941, 0x0948},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},
    {0x200b, 0x200f}, {0x2028, 0x2029}, {0x2060, 0x2064}, {0x20d0, 0x20f0},   {0x302a, 0x302d},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff}, {0xe0000, 0xe01ef},
};
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa4c6},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfad9},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
    {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
    {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e},
    {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567},
    {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5},
    {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc},
    {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faf6},
    {0x20000, 0x3fffd},
};

static bool in_ranges(const struct range *r, size_t n, char32_t ch) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (ch > r[mid].last)
            low = mid + 1;
        else if (ch < r[mid].first)
            high = mid;
        else
            return true;
    }
    return false;
}

int glyph_width(char32_t ch) {
    if (ch < 0x300 && ch != 0xad)
        return 1;
    if (in_ranges(zero, ARRAY_SIZE(zero), ch))
        return 0;
    return in_ranges(wide, ARRAY_SIZE(wide), ch) ? 2 : 1;
}

// Latin-1 and Latin Extended-A, U+00A0 to U+017F, one letter each; two letters stand in the table below.
static const char latin[] = " !cL$Y|S\"Ca<--R-o+23'uP.,1o>?"
                            "???"
                            "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTs"
                            "aaaaaaaceeeeiiiidnooooo/ouuuuyty"
                            "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGg"
                            "GgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
                            "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSs"
                            "SsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
static const struct {
    char32_t ch;
    const char *ascii;
} likeness[] = {
    {0xc6, "AE"},    {0xe6, "ae"},   {0xdf, "ss"},    {0xb1, "+-"},   {0x152, "OE"}, {0x153, "oe"},  {0x2010, "-"},
    {0x2011, "-"},   {0x2012, "-"},  {0x2013, "-"},   {0x2014, "-"},  {0x2018, "'"}, {0x2019, "'"},  {0x201c, "\""},
    {0x201d, "\""},  {0x201e, "\""}, {0x2026, "..."}, {0x2190, "<-"}, {0x2191, "^"}, {0x2192, "->"}, {0x2193, "v"},
    {0x2194, "<->"}, {0x2260, "!="}, {0x2264, "<="},  {0x2265, ">="}, {0x2248, "~"}, {0x2212, "-"},  {0x20ac, "EUR"},
    {0x2581, "."},   {0x2582, "."},  {0x2583, ":"},   {0x2584, ":"},  {0x2585, "+"}, {0x2586, "+"},  {0x2587, "#"},
    {0x250c, "+"},   {0x2510, "+"},  {0x2514, "`"},   {0x2518, "'"},  {0x251c, "|"}, {0x2524, "|"},  {0x252c, "+"},
    {0x2534, "+"},   {0x253c, "+"},  {0x2550, "="},   {0x254c, "~"},
};

static const char *sign_likeness(char32_t ch) {
    static const struct {
        const char *utf8, *ascii;
    } signs[] = {
#define X(name, utf8, ascii) {utf8, ascii},
        SIGNS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        const char *p = signs[i].utf8;
        if (glyph_next(&p) == ch)
            return signs[i].ascii;
    }
    return NULL;
}

const char *glyph_ascii(char32_t ch, char buf[static 2]) {
    buf[0] = ch < 0x80 ? (char)ch : '?';
    buf[1] = '\0';
    if (ch < 0x80)
        return buf;
    for (size_t i = 0; i < ARRAY_SIZE(likeness); i++)
        if (likeness[i].ch == ch)
            return likeness[i].ascii;
    const char *sign = sign_likeness(ch);
    if (sign)
        return sign;
    if (ch >= 0xa0 && ch - 0xa0 < sizeof latin - 1)
        buf[0] = latin[ch - 0xa0];
    return buf;
}

size_t glyph_utf8(char32_t ch, char buf[static 5]) {
    size_t n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, ch >>= 6)
        buf[i] = (char)(0x80 | (ch & 0x3f));
    buf[0] = (char)(lead[n] | ch);
    buf[n] = '\0';
    return n;
}
