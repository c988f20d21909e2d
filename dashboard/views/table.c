// SPDX-License-Identifier: PostgreSQL
// Tables whose columns are chosen by width: those of low rank first, as long as they fit, drawn in their own order.
#include <stdio.h>

#include "dashboard/views/parts.h"

enum { COLUMNS_MAX = 24, REST_MIN = 30 };

void piece_set(struct piece *p, enum tone tone, int sign, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->text, sizeof p->text, fmt, ap);
    va_end(ap);
    p->tone = tone;
    p->sign = sign;
}

int piece_draw(struct canvas *c, struct rect area, int y, int x, int width, const struct piece *p) {
    if (p->sign < 0)
        return canvas_field(c, area, y, x, width, p->tone, p->text);
    (void)canvas_sign(c, area, y, x, p->tone, (enum sign)p->sign);
    return canvas_field(c, area, y, x + 2, width - 2, p->tone, p->text);
}

// Widths of the columns shown, 0 for the others. A column of width 0 in the table gets what is left.
static void choose(const struct column *columns, int n, int room, int widths[static COLUMNS_MAX]) {
    bool shown[COLUMNS_MAX] = {0};
    for (int rank = 0; rank < COLUMNS_MAX; rank++)
        for (int i = 0; i < n; i++) {
            int width = (columns[i].width ? columns[i].width : REST_MIN) + 1;
            if (columns[i].rank != rank || shown[i])
                continue;
            if (width > room + 1) // the last column needs no space after it
                goto rest;
            room -= width;
            shown[i] = true;
        }
rest:
    for (int i = 0; i < n; i++) {
        widths[i] = !shown[i] ? 0 : columns[i].width ? columns[i].width : REST_MIN + (room > 0 ? room : 0);
        if (shown[i] && !columns[i].width)
            room = 0;
    }
}

static void draw_right(struct canvas *c, struct rect area, int y, int x, int width, const struct piece *p) {
    int len = (int)strlen(p->text); // right-aligned columns hold numbers: ASCII
    if (p->sign >= 0 || len >= width)
        (void)piece_draw(c, area, y, x, width, p);
    else
        (void)canvas_field(c, area, y, x + width - len, len, p->tone, p->text);
}

size_t table_draw(struct canvas *c, struct rect area, const struct column *columns, int n, size_t rows, size_t first,
                  size_t selected, table_cell cell, const void *arg) {
    int widths[COLUMNS_MAX];
    n = n > COLUMNS_MAX ? COLUMNS_MAX : n;
    choose(columns, n, area.cols - 1, widths);
    size_t shown = 0;
    for (int y = 0; y < area.rows && (y == 0 || first + (size_t)y - 1 < rows); y++) {
        size_t row = first + (size_t)(y ? y - 1 : 0);
        for (int i = 0, x = 1; i < n; i++) {
            if (!widths[i])
                continue;
            struct piece p = {.tone = TONE_DIM, .sign = -1};
            if (y == 0)
                STR_COPY(p.text, columns[i].title);
            else
                cell(arg, row, i, &p);
            if (columns[i].right)
                draw_right(c, area, y, x, widths[i], &p);
            else
                (void)piece_draw(c, area, y, x, widths[i], &p);
            x += widths[i] + 1;
        }
        if (y > 0) {
            draw_selected(c, area, y, row == selected);
            shown++;
        }
    }
    return shown;
}
