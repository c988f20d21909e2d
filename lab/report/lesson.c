// SPDX-License-Identifier: PostgreSQL
// The head of a lesson, before a run: who follows the run is to know what it is about, not to read it all.
#include <ctype.h>

#include "lab/report/paint.h"

enum { ROWS_MOST = 4 };

// The first paragraph on one line.
static void first_paragraph(const char *lesson, struct strbuf *out) {
    lesson += strspn(lesson, " \n");
    const char *end = strstr(lesson, "\n\n");
    for (; *lesson && lesson != end; lesson++)
        strbuf_addn(out, *lesson == '\n' ? " " : lesson, 1);
    while (out->len && isspace((unsigned char)out->data[out->len - 1]))
        out->data[--out->len] = '\0';
}

// Whole lines, and a sign when there were more.
static void add_rows(const char *wrapped, struct strbuf *out) {
    for (int row = 0; row < ROWS_MOST && *wrapped; row++) {
        size_t n = strcspn(wrapped, "\n");
        bool cut = row + 1 == ROWS_MOST && wrapped[n] && wrapped[n + 1];
        strbuf_addf(out, "%.*s%s\n", (int)n, wrapped, cut ? " ..." : "");
        wrapped += n + (wrapped[n] == '\n');
    }
}

void report_lesson(const char *lesson, const char *whole, const struct report_style *style, struct strbuf *out) {
    cleanup_strbuf struct strbuf text = {0}, wrapped = {0};
    const struct report_style narrower = {.width = style->width > 80 ? 76 : style->width - 4,
                                          .utf8 = style->utf8,
                                          .mark = style->mark}; // room for " ..."
    first_paragraph(lesson ? lesson : "", &text);
    if (!text.len)
        return;
    paint_wrap(&wrapped, &narrower, 0, 0, strbuf_str(&text));
    add_rows(strbuf_str(&wrapped), out);
    strbuf_addf(out, "What to look at, and what to learn: %s\n", whole);
}
