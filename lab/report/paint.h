// SPDX-License-Identifier: PostgreSQL
#pragma once
// Putting words on a terminal or into a file: colour, glyphs, cleaning and wrapping. Private to the room.
#include "lab/report/report.h"

enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_GOOD, PAINT_BAD, PAINT_WARN, PAINT_DIM };

struct glyphs {
    const char *line, *arrow, *plus_minus, *dash, *dots;
};
const struct glyphs *paint_glyphs(const struct report_style *s);

// Appends text in a colour (no colour: the text alone). The text is ours, not cleaned.
void paint_add(struct strbuf *out, const struct report_style *s, enum paint p, const char *text);
// Appends text that came from a log: control characters become '?', and without UTF-8 so does everything beyond ASCII.
void paint_clean(struct strbuf *out, const struct report_style *s, const char *text);
// The same, filled up with spaces to `width` columns: a cell of a table. A longer text stays whole.
void paint_cell(struct strbuf *out, const struct report_style *s, size_t width, const char *text);
// Appends cleaned text wrapped to the width; the first line begins at column `used`, the others are indented. Ends the
// line.
void paint_wrap(struct strbuf *out, const struct report_style *s, size_t used, size_t indent, const char *text);
void paint_rule(struct strbuf *out, const struct report_style *s);
// "  24.91 s": right-aligned to 8 digits and point, for columns.
const char *paint_seconds(char buf[static 32], usec_t t);
// Fewest words for a verdict: "PASS", and the colour that goes with it.
const char *paint_verdict(enum verdict v, enum paint *ret);
// The colour of a moment of the story: its mood, else its weight.
enum paint paint_moment(const struct moment *m);
