// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which lines of a daemon's log tell the story of a failover. Text in, verdict out.
#include "lab/record/event.h"

struct log_line {
    char level[16];            // info, warning, error, fatal
    char text[EVENT_TEXT_MAX]; // without the daemon's own time stamp and pid
};
// False: a line of no interest (or of its own daemon's routine).
bool log_line_judge(const char *service, const char *line, struct log_line *ret);
