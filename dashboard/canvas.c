// SPDX-License-Identifier: PostgreSQL
// The grid. Whatever is drawn is clipped to its area and to the canvas, so no caller checks sizes. A wide character takes two cells,
// the second one empty; overwriting either half removes the other. Text goes through glyph.c, which replaces what a cell can't show.
#include "dashboard/canvas.h"

#include <assert.h>

#include "dashboard/glyph.h"

void canvas_init(struct canvas *c, int rows, int cols, bool utf8) {
    *c = (struct canvas){.utf8 = utf8};
    canvas_resize(c, rows, cols);
}

void canvas_resize(struct canvas *c, int rows, int cols) {
    const int most = 2000; // no terminal is larger; a wrong window size must not cost gigabytes
    free(c->cells);
    c->rows = rows < 0 ? 0 : rows > most ? most : rows;
    c->cols = cols < 0 ? 0 : cols > most ? most : cols;
    c->cells = xcalloc((size_t)c->rows * (size_t)c->cols + 1, sizeof *c->cells);
    canvas_clear(c);
}

void canvas_done(struct canvas *c) {
    free(c->cells);
    *c = (struct canvas){0};
}

void canvas_clear(struct canvas *c) {
    for (int i = 0; i < c->rows * c->cols; i++)
        c->cells[i] = (struct cell){.ch = ' ', .tone = TONE_PLAIN};
}

struct rect canvas_rect(const struct canvas *c) {
    return (struct rect){.rows = c->rows, .cols = c->cols};
}

// The cell at (y, x) of area, or NULL where the area or the canvas ends.
static struct cell *cell_at(struct canvas *c, struct rect area, int y, int x) {
    if (y < 0 || x < 0 || y >= area.rows || x >= area.cols)
        return NULL;
    int row = area.y + y, col = area.x + x;
    if (row < 0 || col < 0 || row >= c->rows || col >= c->cols)
        return NULL;
    return &c->cells[row * c->cols + col];
}

static bool is_right_half(const struct cell *cell) {
    return cell->ch == 0;
}

// A wide character that loses one half loses the other: neighbours may lie outside the area, never outside the canvas.
static void break_wide(struct canvas *c, struct cell *cell) {
    long at = cell - c->cells;
    if (is_right_half(cell) && at % c->cols > 0)
        cell[-1].ch = ' ';
    if (at % c->cols + 1 < c->cols && is_right_half(&cell[1]) && !is_right_half(cell))
        cell[1].ch = ' ';
}

static void put(struct canvas *c, struct cell *cell, char32_t ch, enum tone tone) {
    break_wide(c, cell);
    *cell = (struct cell){.ch = ch, .tone = (uint8_t)tone};
}

// Draws one character of `width` columns; false when it does not fit any more.
static bool put_glyph(struct canvas *c, struct rect area, int y, int x, enum tone tone, char32_t ch, int width) {
    struct cell *cell = cell_at(c, area, y, x);
    struct cell *right = width == 2 ? cell_at(c, area, y, x + 1) : NULL;
    if (cell && width == 2 && !right) {
        put(c, cell, ' ', tone);
        return true;
    }
    if (!cell)
        return x < 0; // left of the area: go on until it begins
    put(c, cell, ch, tone);
    if (right) {
        if (is_right_half(right) || (right + 1 < c->cells + c->rows * c->cols && is_right_half(right + 1)))
            break_wide(c, right);
        *right = (struct cell){.ch = 0, .tone = (uint8_t)tone};
    }
    return true;
}

// What is drawn for the next character(s): in ASCII mode one character may become up to three.
struct reader {
    const char *text, *ascii;
    char buf[2];
    bool utf8;
};

static char32_t reader_next(struct reader *r, int *width) {
    *width = 1;
    if (r->ascii && *r->ascii)
        return (unsigned char)*r->ascii++;
    char32_t ch;
    do {
        ch = glyph_next(&r->text);
        *width = ch ? glyph_width(ch) : 1;
    } while (ch && *width == 0);
    if (!ch || r->utf8 || ch < 0x80)
        return ch;
    *width = 1;
    r->ascii = glyph_ascii(ch, r->buf);
    return (unsigned char)*r->ascii++;
}

static int draw(struct canvas *c, struct rect area, int y, int x, enum tone tone, const char *text) {
    struct reader r = {.text = text, .utf8 = c->utf8};
    int width;
    for (char32_t ch; x < area.cols && (ch = reader_next(&r, &width)); x += width)
        if (!put_glyph(c, area, y, x, tone, ch, width))
            break;
    return x < area.cols ? x : area.cols;
}

int canvas_text(struct canvas *c, struct rect area, int y, int x, enum tone tone, const char *fmt, ...) {
    cleanup_strbuf struct strbuf b = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&b, fmt, ap);
    va_end(ap);
    return draw(c, area, y, x, tone, strbuf_str(&b));
}

static int text_width(const char *text, bool utf8) {
    struct reader r = {.text = text, .utf8 = utf8};
    int sum = 0, width;
    while (reader_next(&r, &width))
        sum += width;
    return sum;
}

int canvas_field(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone, const char *text) {
    if (width <= 0)
        return x;
    bool cut = text_width(text, c->utf8) > width;
    int room = cut ? width - 1 : width, used = 0, w;
    struct reader r = {.text = text, .utf8 = c->utf8};
    for (char32_t ch; used < room && (ch = reader_next(&r, &w)) && used + w <= room; used += w)
        (void)put_glyph(c, area, y, x + used, tone, ch, w);
    for (; used < room; used++)
        (void)put_glyph(c, area, y, x + used, tone, ' ', 1);
    if (cut)
        (void)put_glyph(c, area, y, x + room, tone, c->utf8 ? U'…' : '~', 1);
    return x + width;
}

int canvas_sign(struct canvas *c, struct rect area, int y, int x, enum tone tone, enum sign sign) {
    static const struct {
        const char *utf8;
        char ascii;
    } signs[SIGN_COUNT] = {
#define X(name, u, a) [SIGN_##name] = {u, a[0]},
        SIGNS(X)
#undef X
    };
    assert(sign < SIGN_COUNT);
    const char *p = signs[sign].utf8;
    (void)put_glyph(c, area, y, x, tone, c->utf8 ? glyph_next(&p) : (unsigned char)signs[sign].ascii, 1);
    return x + 1;
}

void canvas_fill(struct canvas *c, struct rect area, char ch, enum tone tone) {
    for (int y = 0; y < area.rows && area.y + y < c->rows; y++)
        for (int x = 0; x < area.cols && area.x + x < c->cols; x++) {
            struct cell *cell = cell_at(c, area, y, x);
            if (cell)
                put(c, cell, (unsigned char)ch, tone);
        }
}

void canvas_hline(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone) {
    for (int i = 0; i < width && x + i < area.cols; i++)
        (void)canvas_sign(c, area, y, x + i, tone, SIGN_HLINE);
}

void canvas_retone(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone) {
    for (int i = 0; i < width && x + i < area.cols; i++) {
        struct cell *cell = cell_at(c, area, y, x + i);
        if (cell)
            cell->tone = (uint8_t)tone;
    }
}

// ---- as text ----------------------------------------------------------------------------------------------------------
static void trim_end(struct strbuf *out, size_t from, char blank) {
    while (out->len > from && out->data[out->len - 1] == blank)
        out->len--;
    strbuf_addn(out, "\n", 1);
}

void canvas_to_text(const struct canvas *c, bool tones, struct strbuf *out) {
    static const char letters[TONE_COUNT + 1] = "pdsgwbflrkBS";
    char utf8[5];
    for (int y = 0; y < c->rows; y++) {
        size_t from = out->len;
        for (int x = 0; x < c->cols; x++) {
            char32_t ch = c->cells[y * c->cols + x].ch;
            if (ch)
                strbuf_addn(out, utf8, glyph_utf8(ch, utf8));
        }
        trim_end(out, from, ' ');
    }
    if (!tones)
        return;
    strbuf_add(out, "---- tones\n");
    for (int y = 0; y < c->rows; y++) {
        size_t from = out->len;
        for (int x = 0; x < c->cols; x++)
            strbuf_addn(out, &letters[c->cells[y * c->cols + x].tone], 1);
        trim_end(out, from, 'p');
    }
}
