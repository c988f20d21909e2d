// SPDX-License-Identifier: PostgreSQL
#include "lab/node/environment.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

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

typedef VEC(char *) variables;

static void plain(const char *root, const char *const *inherit, variables *ret) {
    variables env = {0};
    VEC_PUSH(&env, path_variable(root));
    VEC_PUSH(&env, xstrdup("HOME=/var/lib/postgresql"));
    VEC_PUSH(&env, xstrdup("USER=postgres"));
    VEC_PUSH(&env, xstrdup("LOGNAME=postgres"));
    VEC_PUSH(&env, xstrdup("SHELL=/bin/bash"));
    VEC_PUSH(&env, xstrdup("LANG=C.UTF-8"));
    for (; inherit && *inherit; inherit++)
        if (getenv(*inherit))
            VEC_PUSH(&env, xasprintf("%s=%s", *inherit, getenv(*inherit)));
    *ret = env;
}

char **environment_new(const char *root, const char *const *inherit) {
    variables env = {0};
    plain(root, inherit, &env);
    VEC_PUSH(&env, NULL);
    return env.items;
}

// The node's users may have put anything there; only a small plain file counts, and opening it must not wait for a writer.
static char *environment_file(void) {
    cleanup_close int fd = open("/etc/environment", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    char text[16384];
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n <= 0)
        return NULL;
    text[n] = '\0';
    return xstrdup(text);
}

// "NAME=" at the begin of a line, NAME a word: its length with the sign, else 0.
static size_t name_length(const char *line) {
    size_t n = 0;
    while (line[n] == '_' || isalpha((unsigned char)line[n]) || (n > 0 && isdigit((unsigned char)line[n])))
        n++;
    return n > 0 && line[n] == '=' ? n + 1 : 0;
}

char **environment_login(const char *const *inherit) {
    variables env = {0};
    plain("", inherit, &env);
    cleanup_free char *text = environment_file();
    char *rest = NULL;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        size_t name = name_length(line);
        if (!name || str_starts(line, "PATH=")) // PATH is that of the node's PostgreSQL already
            continue;
        VEC_PUSH(&env, xstrdup(line));
    }
    VEC_PUSH(&env, NULL);
    return env.items;
}

void environment_free(char **env) {
    for (char **e = env; e && *e; e++)
        free(*e);
    free(env);
}
