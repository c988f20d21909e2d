// SPDX-License-Identifier: PostgreSQL
#pragma once
// Runs as a person names them on the command line.
#include "lab/base/err.h"
#include "lab/base/str.h"
#include "lab/record/run.h"
#include "lab/runs/runs.h"

// The folder of runs: `given` (--runs-dir), else BASCULE_RUNS_DIR, else what the configuration file says, else the default one. Appends to out.
int runs_dir(const char *given, struct strbuf *out, struct err *err);
// "last", a name, the beginning of one, a scenario, or a path (runs_find) below the default folder. The caller frees; NULL with
// err set when nothing is meant by it.
char *runs_resolve(const char *word, struct err *err);
