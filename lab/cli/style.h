// SPDX-License-Identifier: PostgreSQL
#pragma once
// How a command may print.
#include "lab/report/report.h"

// The style for a descriptor: colour only on a terminal without NO_COLOR, UTF-8 by the locale, the terminal's width.
struct report_style cli_style(int fd);
