// SPDX-License-Identifier: PostgreSQL
#pragma once
// A grid of cells that the views draw on. No terminal in sight: the ncurses side shows a canvas, tests and `replay --to-text`
// print one. Everything is clipped, nothing can be drawn outside.
#include <stdbool.h>
#include <stdint.h>
#include <uchar.h>

#include "lab/base/str.h"

// What a piece of text means; the terminal side chooses colour and attributes. Never the only sign: a word or a symbol says the same.
enum tone {
    TONE_PLAIN,
    TONE_DIM,    // old, unimportant
    TONE_STRONG, // headings, the thing to look at
    TONE_GOOD,   // healthy, acknowledged
    TONE_WARN,   // degraded, waiting
    TONE_BAD,    // failed, gone
    TONE_FAULT,  // an injected fault
    TONE_LEADER, // the leader
    TONE_REPLICA,
    TONE_KEY,      // a key to press
    TONE_BAR,      // title and key bar (reversed)
    TONE_SELECTED, // the cursor's line (reversed)
    TONE_COUNT
};

// Signs with a UTF-8 and an ASCII form, one column wide each on every terminal, so none that a font may show as an emoji:
// X(name, utf8, ascii)
// clang-format off
#define SIGNS(X) \
    X(GOOD, "✓", "+") X(BAD, "✗", "x") X(WARN, "!", "!") X(UNKNOWN, "?", "?") X(LEADER, "★", "*") \
    X(REPLICA, "○", "o") X(SYNC, "◆", "#") X(OFF, "·", "-") X(FAULT, "↯", "!") X(UP, "▲", "^") \
    X(DOWN, "▼", "v") X(RIGHT, "▶", ">") X(HLINE, "─", "-") X(VLINE, "│", "|") X(FULL, "█", "#") \
    X(HALF, "▒", "=") X(LIGHT, "░", ".") X(DOT, "•", "*")
// clang-format on
enum sign {
#define X(name, utf8, ascii) SIGN_##name,
    SIGNS(X)
#undef X
        SIGN_COUNT
};

struct cell {
    char32_t ch; // 0 = the right half of a wide character
    uint8_t tone;
};

struct canvas {
    int rows, cols;
    bool utf8; // false: only ASCII is ever stored
    struct cell *cells;
};

struct rect {
    int y, x, rows, cols;
};

void canvas_init(struct canvas *c, int rows, int cols, bool utf8);
void canvas_resize(struct canvas *c, int rows, int cols); // content is lost
void canvas_done(struct canvas *c);
void canvas_clear(struct canvas *c);
struct rect canvas_rect(const struct canvas *c);

// Text at (y, x) inside area (coordinates relative to it). Control characters become '?', broken UTF-8 '?'. In ASCII mode other
// characters are transliterated where a table knows how (é -> e), else '?'. Returns the column after the last one drawn.
int canvas_text(struct canvas *c, struct rect area, int y, int x, enum tone tone, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
// The same cut or padded to exactly `width` columns; a cut is shown by a last character '…' or '~'.
int canvas_field(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone, const char *text);
int canvas_sign(struct canvas *c, struct rect area, int y, int x, enum tone tone, enum sign sign);
void canvas_fill(struct canvas *c, struct rect area, char ch, enum tone tone);
void canvas_hline(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone);
// Changes the tone of what is drawn already (a selected line).
void canvas_retone(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone);

// The grid as text, one line a row, spaces at the end of a line removed. tones: a second block with one letter a cell (p d s g w b f l
// r k B S), so that golden screens hold colours too. Appends to out.
void canvas_to_text(const struct canvas *c, bool tones, struct strbuf *out);
