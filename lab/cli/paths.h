// SPDX-License-Identifier: PostgreSQL
#pragma once
// Where bascule's own data lies: scenarios and topologies.
#include "lab/base/err.h"
#include "lab/base/str.h"

// $BASCULE_DATA_DIR, else "scenarios" beside the build folder the program was started from, else the installed share folder.
int paths_scenarios(struct strbuf *out, struct err *err);
int paths_topologies(struct strbuf *out, struct err *err);
// A scenario as the user names it: a path, or the bare name of a shipped one ("leader-crash").
int paths_scenario_file(const char *name, struct strbuf *out, struct err *err);
// The user's cache: $XDG_CACHE_HOME/bascule, else ~/.cache/bascule. Empty when there is no home.
void paths_cache(struct strbuf *out);
