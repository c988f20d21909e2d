// SPDX-License-Identifier: PostgreSQL
#include "lab/node/environment.h"

#include <glob.h>

#include "lab/base/inside.h"
#include "lab/base/vec.h"

#define PLAIN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Debian keeps initdb, pg_ctl and the like of each version in a folder outside PATH; the newest one is put in front.
static char *path_variable(const char *root) {
    glob_t g = {0};
    cleanup_free char *pattern = xasprintf("%s/usr/lib/postgresql/*/bin", root);
    const char *best = NULL;
    if (glob(pattern, 0, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc; i++)
            if ((!best || strverscmp(g.gl_pathv[i], best) > 0) && inside_exists(root, g.gl_pathv[i] + strlen(root)))
                best = g.gl_pathv[i];
    char *text = best ? xasprintf("PATH=%s:" PLAIN_PATH, best + strlen(root)) : xstrdup("PATH=" PLAIN_PATH);
    globfree(&g);
    return text;
}

char **environment_new(const char *root, const char *const *inherit) {
    VEC(char *) env = {0};
    VEC_PUSH(&env, path_variable(root));
    VEC_PUSH(&env, xstrdup("HOME=/var/lib/postgresql"));
    VEC_PUSH(&env, xstrdup("USER=postgres"));
    VEC_PUSH(&env, xstrdup("LOGNAME=postgres"));
    VEC_PUSH(&env, xstrdup("SHELL=/bin/bash"));
    VEC_PUSH(&env, xstrdup("LANG=C.UTF-8"));
    for (; inherit && *inherit; inherit++)
        if (getenv(*inherit))
            VEC_PUSH(&env, xasprintf("%s=%s", *inherit, getenv(*inherit)));
    VEC_PUSH(&env, NULL);
    return env.items;
}

void environment_free(char **env) {
    for (char **e = env; e && *e; e++)
        free(*e);
    free(env);
}
