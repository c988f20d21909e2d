// SPDX-License-Identifier: PostgreSQL
#include "lab/report/paint.h"

#include <stdio.h>

#include "lab/base/plain.h"

const struct glyphs *paint_glyphs(const struct report_style *s) {
    static const struct glyphs utf8 = {"─", "→", "±", "–", "…"}, ascii = {"-", "->", "+-", "-", "..."};
    return s->utf8 ? &utf8 : &ascii;
}

void paint_add(struct strbuf *out, const struct report_style *s, enum paint p, const char *text) {
    static const int codes[] = {0, 1, 32, 31, 33, 2};
    const char *mark = s->mark ? s->mark : "";
    if (s->colour && p != PAINT_PLAIN)
        strbuf_addf(out, "\033[%s%dm%s\033[%s0m", mark, codes[p], text, mark);
    else
        strbuf_add(out, text);
}

void paint_clean(struct strbuf *out, const struct report_style *s, const char *text) {
    for (const char *p = text; *p; p += *p != '\0') {
        size_t n = strcspn(p, "\n\t");
        plain_add(out, p, n, s->utf8);
        p += n;
        if (!*p)
            break;
        strbuf_add(out, " ");
    }
}

static size_t columns(const char *p, size_t n) { // characters, not bytes; our texts have no wide ones
    size_t c = 0;
    for (size_t i = 0; i < n; i++)
        c += ((unsigned char)p[i] & 0xC0) != 0x80;
    return c;
}

void paint_cell(struct strbuf *out, const struct report_style *s, size_t width, const char *text) {
    size_t before = out->len;
    paint_clean(out, s, text);
    for (size_t n = columns(strbuf_str(out) + before, out->len - before); n < width; n++)
        strbuf_addn(out, " ", 1);
}

void paint_wrap(struct strbuf *out, const struct report_style *s, size_t used, size_t indent, const char *text) {
    cleanup_strbuf struct strbuf clean = {0};
    paint_clean(&clean, s, text);
    size_t width = s->width > 40 ? (size_t)s->width : 40, at = used;
    bool fresh = true;
    for (const char *p = strbuf_str(&clean); *p;) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        if (n == 0)
            break;
        size_t w = columns(p, n);
        if (!fresh && at + 1 + w > width) {
            strbuf_addf(out, "\n%*s", (int)indent, "");
            at = indent;
            fresh = true;
        }
        if (!fresh)
            strbuf_addn(out, " ", 1);
        strbuf_addn(out, p, n);
        at += w + !fresh;
        fresh = false;
        p += n;
    }
    strbuf_addn(out, "\n", 1);
}

void paint_rule(struct strbuf *out, const struct report_style *s) {
    int width = s->width > 40 ? s->width : 40;
    for (int i = 0; i < (width < 100 ? width : 100); i++)
        strbuf_add(out, paint_glyphs(s)->line);
    strbuf_addn(out, "\n", 1);
}

const char *paint_seconds(char buf[static 32], usec_t t) {
    (void)snprintf(buf, 32, "%8.2f s", (double)t / 1e6);
    return buf;
}

const char *paint_verdict(enum verdict v, enum paint *ret) {
    static const char *const words[] = {"PASS", "FAIL", "INVALID", "SKIPPED", "ERROR", "KNOWN DEFECT"};
    static const enum paint colours[] = {PAINT_GOOD, PAINT_BAD, PAINT_WARN, PAINT_WARN, PAINT_BAD, PAINT_WARN};
    *ret = colours[v];
    return words[v];
}

enum paint paint_moment(const struct moment *m) {
    switch (m->mood) {
    case MOOD_GOOD:
        return PAINT_GOOD;
    case MOOD_BAD:
        return PAINT_BAD;
    case MOOD_WARN:
        return PAINT_WARN;
    case MOOD_NEUTRAL:
        break;
    }
    return m->weight == TOLD_MAIN ? PAINT_BOLD : m->weight == TOLD_EVENT ? PAINT_PLAIN : PAINT_DIM;
}
