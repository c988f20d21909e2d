// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which lines of a daemon's log tell the story of a failover. Text in, verdict out.
#include "lab/record/event.h"

// A line is told when it has one of these words; the first that fits wins, so the dull ones (NONE) come before the wide ones.
struct log_pattern {
    const char *word;
    enum line_level level; // NONE = not told
};

struct log_line {
    enum line_level level;
    char text[EVENT_TEXT_MAX]; // without the daemon's own time stamp and pid
};
// False: a line of no interest (or of its own daemon's routine).
bool log_line_judge(const char *service, const char *line, struct log_line *ret);
// Are the words of a PostgreSQL with this lc_messages ("" = not set) those that log_line_judge looks for? Of another language it tells
// the lines with an error's SQLSTATE, and no others.
bool log_language_is_known(const char *lc_messages);
