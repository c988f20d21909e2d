// SPDX-License-Identifier: PostgreSQL
#pragma once
// Colours of the dashboard on dark and on light terminals, and how to find out which one this is. Pure: the terminal is asked in
// term_theme.c.
#include "dashboard/canvas.h"
#include "lab/base/err.h"

enum theme { THEME_AUTO, THEME_DARK, THEME_LIGHT }; // auto: COLORFGBG, else ask the terminal, else dark

// "auto", "dark", "light"; NULL = auto. Returns -EINVAL, with the words there are in err, for another one.
int theme_parse(const char *word, enum theme *ret, struct err *err);

// What rxvt, Konsole and others say in the environment: "FG;BG" or "FG;other;BG", numbers of the 16 colours. THEME_AUTO when it is NULL or
// says nothing that can be read. Source: rxvt(7), COLORFGBG; 7 and 9 to 15 are light.
enum theme theme_from_colorfgbg(const char *value);
// What a terminal answers to OSC 11, "ESC ] 11 ; rgb:RR/GG/BB" with one to four hex digits a channel, anywhere in `answer` (n bytes, need
// not be terminated). THEME_AUTO when there is none. Source: xterm's ctlseqs, "Operating System Commands", Ps = 1 1.
enum theme theme_from_answer(const char *answer, size_t n);

// A tone's colour, -1 = the terminal's own: an index of xterm's 256 colours (colours >= 256) or of the first eight. Every one of the 256 has
// a contrast of at least 4.5:1 (WCAG 2.1, 1.4.3) with black in the dark theme and with white in the light one; THEME_AUTO is dark.
short theme_colour(enum theme theme, enum tone tone, int colours);
