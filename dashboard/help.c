// SPDX-License-Identifier: PostgreSQL
#include "dashboard/help.h"

#include <stdio.h>

#include "dashboard/keys.h"

struct lines {
    VEC(char *) all;
};

static void add(struct lines *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add(struct lines *l, const char *fmt, ...) {
    struct strbuf b = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&b, fmt, ap);
    va_end(ap);
    VEC_PUSH(&l->all, b.data ? b.data : xstrdup(""));
}

static void add_view(struct lines *l, const struct view_ops *v) {
    add(l, "#This screen: %s", v->title);
    for (const char *p = v->help ? v->help : ""; *p;) {
        size_t n = strcspn(p, "\n");
        add(l, "  %.*s", (int)n, p);
        p += n + (p[n] == '\n');
    }
    add(l, "%s", "");
}

static void add_keys(struct lines *l, bool replay) {
    add(l, "#Everywhere");
    for (size_t i = 0; i < key_rows_n; i++)
        if (key_rows[i].where & (replay ? KEY_REPLAY : KEY_LIVE))
            add(l, "  %-6s %s", key_rows[i].shown, key_rows[i].help);
    add(l, "  %-6s %s", "arrows", "and h j k l: as the screen says; PgUp, PgDn, Home, End in lists");
    add(l, "  %-6s %s", "Enter", "details; Esc goes back");
    add(l, "%s", "");
    add(l, "#Screens");
    for (int i = 0; views[i]; i++)
        add(l, "  F%d or %d%s%c   %s", i + 1, i + 1, " or ", views[i]->letter, views[i]->title);
}

void help_draw(struct canvas *c, struct rect area, const struct view_ops *view, bool replay, int *top) {
    struct lines l = {0};
    add_view(&l, view);
    add_keys(&l, replay);
    int last = (int)l.all.n - area.rows;
    *top = *top > last ? last : *top;
    *top = *top < 0 ? 0 : *top;
    canvas_fill(c, area, ' ', TONE_PLAIN);
    for (int y = 0; y < area.rows && (size_t)(*top + y) < l.all.n; y++) {
        const char *text = l.all.items[*top + y];
        bool head = text[0] == '#';
        (void)canvas_text(c, area, y, 1, head ? TONE_STRONG : TONE_PLAIN, "%s", text + head);
    }
    if (last > *top)
        (void)canvas_text(c, area, area.rows - 1, area.cols - 10, TONE_KEY, "more: j/k");
    VEC_FOREACH (&l.all, line)
        free(*line);
    VEC_DONE(&l.all);
}
