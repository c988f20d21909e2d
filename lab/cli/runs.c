// SPDX-License-Identifier: PostgreSQL
#include "lab/cli/runs.h"

#include <stdlib.h>

#include "lab/cli/user_config.h"
#include "lab/sandbox/sandbox.h"

int runs_dir(const char *given, struct strbuf *out, struct err *err) {
    const char *env = getenv("BASCULE_RUNS_DIR");
    const struct user_config *u;
    if (!given && !str_empty(env))
        given = env;
    int r = given ? 0 : user_config(&u, err);
    if (r < 0)
        return r;
    if (!given && !u->c.runs_dir)
        return run_default_dir(out, err);
    strbuf_add(out, given ? given : u->c.runs_dir);
    return 0;
}

char *runs_resolve(const char *word, struct err *err) {
    if (runs_is_path(word)) // needs no folder of runs, and perhaps the rights of root to be read
        return xstrdup(word);
    cleanup_strbuf struct strbuf parent = {0}, path = {0};
    if (sandbox_drop_root(err) < 0 || runs_dir(NULL, &parent, err) < 0 ||
        runs_find(strbuf_str(&parent), word, &path, err) < 0)
        return NULL;
    return xstrdup(strbuf_str(&path));
}
