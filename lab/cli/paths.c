// SPDX-License-Identifier: PostgreSQL
#include "lab/cli/paths.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lab/base/vec.h"

static bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int paths_scenarios(struct strbuf *out, struct err *err) {
    const char *env = getenv("BASCULE_DATA_DIR");
    if (!str_empty(env)) {
        if (!is_dir(env))
            return err_set(err, ENOENT, "BASCULE_DATA_DIR=%s is not a folder", env);
        strbuf_add(out, env);
        return 0;
    }
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n > 0) {
        exe[n] = '\0';
        for (int up = 0; up < 2; up++) { // away with the program's name, then with its folder
            char *slash = strrchr(exe, '/');
            if (slash)
                *slash = '\0';
        }
        static const char *const below[] = {"scenarios", "share/bascule/scenarios"};
        for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
            cleanup_free char *path = xasprintf("%s/%s", exe, below[i]);
            if (is_dir(path)) {
                strbuf_add(out, path);
                return 0;
            }
        }
    }
    return err_set(err, ENOENT,
                   "the shipped scenarios were not found beside the program; set BASCULE_DATA_DIR to their folder");
}

int paths_topologies(struct strbuf *out, struct err *err) {
    int r = paths_scenarios(out, err);
    if (r == 0)
        strbuf_add(out, "/topologies");
    return r;
}

static int is_yaml(const struct dirent *e) {
    return e->d_name[0] != '.' && str_ends(e->d_name, ".yaml");
}

// The shipped name that looks most like the typed one; "" when none does.
static void nearest_scenario(const char *dir, const char *typed, char *out, size_t size) {
    struct dirent **files = NULL;
    int n = scandir(dir, &files, is_yaml, alphasort);
    VEC(const char *) words = {0};
    for (int i = 0; i < n; i++) {
        files[i]->d_name[strlen(files[i]->d_name) - strlen(".yaml")] = '\0';
        VEC_PUSH(&words, files[i]->d_name);
    }
    VEC_PUSH(&words, NULL);
    const char *near = str_nearest(typed, words.items);
    (void)str_copy(out, size, near ? near : "");
    VEC_DONE(&words);
    for (int i = 0; i < n; i++)
        free(files[i]);
    free(files);
}

int paths_scenario_file(const char *name, struct strbuf *out, struct err *err) {
    if (strchr(name, '/') || str_ends(name, ".yaml") || access(name, F_OK) == 0) {
        strbuf_add(out, name);
        return 0;
    }
    int r = paths_scenarios(out, err);
    if (r < 0)
        return r;
    char near[NAME_MAX + 1];
    nearest_scenario(strbuf_str(out), name, near, sizeof near);
    strbuf_addf(out, "/%s.yaml", name);
    if (access(strbuf_str(out), F_OK) == 0)
        return 0;
    if (*near)
        return err_set(err, ENOENT, "there is no file and no shipped scenario '%s' (did you mean '%s'?)", name, near);
    return err_set(err, ENOENT, "there is no file and no shipped scenario '%s' (`bascule scenarios` lists them)", name);
}

void paths_cache(struct strbuf *out) {
    const char *env = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!str_empty(env))
        strbuf_addf(out, "%s/bascule", env);
    else if (!str_empty(home))
        strbuf_addf(out, "%s/.cache/bascule", home);
}
