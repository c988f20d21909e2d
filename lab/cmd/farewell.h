// SPDX-License-Identifier: PostgreSQL
#pragma once
// The word at the end of a lab by hand.
#include "lab/cmd/cmd.h"

// The lab of this run folder has ended: prints what became of the application's writes, gives the exit status, and leaves result.json and report.html in
// the folder. A run of a scenario gets its verdict from `bascule run`: nothing is printed of it, and the status is EXIT_PASS.
int farewell(const char *run_dir);
