// SPDX-License-Identifier: PostgreSQL
#include <sys/stat.h>

#include "lab/runs/runs.h"

static bool is_run(const char *folder) {
    struct stat st;
    cleanup_free char *events = xasprintf("%s/events.jsonl", folder);
    return stat(events, &st) == 0;
}

bool runs_is_path(const char *word) {
    struct stat st;
    return strchr(word, '/') || is_run(word) || (stat(word, &st) == 0 && !S_ISDIR(st.st_mode));
}

static const struct run_entry *newest_of(const run_entry_list *runs, const char *scenario) {
    const struct run_entry *found = NULL;
    VEC_FOREACH (runs, r)
        if (str_eq(r->scenario, scenario))
            found = r;
    return found;
}

static const struct run_entry *find_named(const run_entry_list *runs, const char *word) {
    VEC_FOREACH (runs, r)
        if (str_eq(r->name, word))
            return r;
    return NULL;
}

static const struct run_entry *beginning_with(const run_entry_list *runs, const char *word, size_t *ret_n) {
    const struct run_entry *found = NULL;
    *ret_n = 0;
    VEC_FOREACH (runs, r)
        if (str_starts(r->name, word)) {
            found = r;
            ++*ret_n;
        }
    return found;
}

static int err_ambiguous(const run_entry_list *runs, const char *word, size_t n, struct err *err) {
    enum { SHOWN = 4 };
    cleanup_strbuf struct strbuf list = {0};
    size_t shown = 0;
    VEC_FOREACH (runs, r)
        if (str_starts(r->name, word) && shown < SHOWN)
            strbuf_addf(&list, "%s%s", shown++ ? ", " : "", r->name);
    return err_set(err, EINVAL, "%zu runs begin with '%s': %s%s; type more of the name, or 'last'", n, word,
                   strbuf_str(&list), n > SHOWN ? ", ..." : "");
}

static int not_found(const run_entry_list *runs, const char *parent, const char *word, struct err *err) {
    VEC(const char *) words = {0};
    VEC_FOREACH (runs, r) {
        VEC_PUSH(&words, r->name);
        if (*r->scenario)
            VEC_PUSH(&words, r->scenario);
    }
    VEC_PUSH(&words, "last");
    VEC_PUSH(&words, NULL);
    const char *near = runs->n ? str_nearest(word, words.items) : NULL;
    if (near)
        (void)err_set(err, ENOENT, "there is no run '%s' (did you mean '%s'?)", word, near);
    else if (runs->n)
        (void)err_set(err, ENOENT, "there is no run '%s' in %s (`bascule runs` lists them)", word, parent);
    else
        (void)err_set(err, ENOENT, "there is no run '%s': %s holds no run yet", word, parent);
    VEC_DONE(&words);
    return -ENOENT;
}

int runs_find(const char *parent, const char *word, struct strbuf *out, struct err *err) {
    if (runs_is_path(word)) {
        strbuf_add(out, word);
        return 0;
    }
    run_entry_list runs = {0};
    int code = runs_list(parent, &runs, err);
    const struct run_entry *found = NULL;
    size_t n = 0;
    if (code == 0 && runs.n && str_eq(word, "last"))
        found = &runs.items[runs.n - 1];
    if (code == 0 && !found)
        found = find_named(&runs, word);
    if (code == 0 && !found)
        found = newest_of(&runs, word);
    if (code == 0 && !found && *word) {
        found = beginning_with(&runs, word, &n);
        if (n > 1)
            code = err_ambiguous(&runs, word, n, err);
    }
    if (code == 0 && found)
        strbuf_add(out, found->path);
    else if (code == 0)
        code = not_found(&runs, parent, word, err);
    runs_done(&runs);
    return code;
}
