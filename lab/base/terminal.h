// SPDX-License-Identifier: PostgreSQL
#pragma once
// What bascule prints on a terminal is plain text (lab/base/plain.h) and its own few escape sequences, whoever wrote the text: all of stdout
// and stderr goes through one filter. Pipes and files get the bytes as they are.
//
// An own sequence carries a mark that no log can know: "\033[" MARK "31m". The filter takes the mark out, and every escape without it.
#include <stdbool.h>
#include <stdio.h>

enum { TERMINAL_EXIT = 3 }; // of a program whose output could not be written, whatever it did besides

// At the very beginning of a program. Opens /dev/null in the place of each of descriptors 0, 1 and 2 that is closed (`<&-`); puts the filter
// before each of stdout and stderr that is a terminal; and at exit flushes stdout: when not everything could be written (a full disk, a pipe
// closed with SIGPIPE ignored), that is an error and the exit status is TERMINAL_EXIT.
void terminal_guard(void);
// Has a write to stdout failed? For who would go on printing for ever.
bool terminal_failed(void);
// What to put behind "\033[" of an own sequence on stdout or stderr: "" when there is no filter. Borrowed, for the life of the program.
const char *terminal_mark(FILE *out);
// Prints an own sequence: "K" clears the rest of the line, "H" goes home, "2J" clears the screen, "r" is a carriage return.
void terminal_own(FILE *out, const char *sequence);
// stdout as it was, for who draws whole screens and cleans each cell himself (dashboard/).
FILE *terminal_stdout(void);
// Has the filter found that the terminal shows UTF-8? True without a filter.
bool terminal_utf8(void);
