// SPDX-License-Identifier: PostgreSQL
#pragma once
// Characters: reading UTF-8, how wide they are, and what they become on a terminal that only knows ASCII. Private to the room.
// wcwidth(3) is not used: it depends on the locale of whoever runs a test or a replay, and a screen must not.
#include <stddef.h>
#include <uchar.h>

// The character at *text, which is moved past it. A broken sequence is '?' and moves by one byte; at the end of the text 0.
char32_t glyph_next(const char **text);
// 0 (combining, zero width), 1 or 2 columns. Control characters are 1: they are shown as '?'.
int glyph_width(char32_t ch);
// One to three ASCII characters, "?" when there is no likeness.
const char *glyph_ascii(char32_t ch, char buf[static 2]);
// UTF-8 of one character into buf, which is terminated; its length.
size_t glyph_utf8(char32_t ch, char buf[static 5]);
