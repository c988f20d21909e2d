// SPDX-License-Identifier: PostgreSQL
#pragma once
// What bascule prints on a terminal is plain text (lab/base/plain.h) and its own few escape sequences, whoever wrote the text: all of stdout
// and stderr goes through one filter. Pipes and files get the bytes as they are.
//
// An own sequence carries a mark that no log can know: "\033[" MARK "31m". The filter takes the mark out, and every escape without it.
#include <stdbool.h>
#include <stdio.h>

// At the very beginning of a program: puts the filter before each of stdout and stderr that is a terminal.
void terminal_guard(void);
// What to put behind "\033[" of an own sequence on stdout or stderr: "" when there is no filter. Borrowed, for the life of the program.
const char *terminal_mark(FILE *out);
// Prints an own sequence: "K" clears the rest of the line, "H" goes home, "2J" clears the screen, "r" is a carriage return.
void terminal_own(FILE *out, const char *sequence);
// stdout as it was, for who draws whole screens and cleans each cell himself (dashboard/).
FILE *terminal_stdout(void);
// Has the filter found that the terminal shows UTF-8? True without a filter.
bool terminal_utf8(void);
