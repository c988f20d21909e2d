// SPDX-License-Identifier: PostgreSQL
// bascule compare: recorded runs beside each other.
#include "lab/report/compare.h"
#include "lab/cli/runs.h"
#include "lab/cli/style.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/follow.h"
#include "lab/cmd/result.h"

struct options {
    bool json;
    char **runs;
    size_t n_runs;
};

static const struct argp_option argp_options[] = {{"json", 'j', NULL, 0, "print JSON", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    (void)arg;
    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARGS:
        o->runs = state->argv + state->next;
        o->n_runs = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (o->n_runs < 2)
            argp_error(state, "two runs at least (`bascule runs` lists them)");
        if (o->n_runs > COMPARE_RUNS_MAX)
            argp_error(state, "%d runs at most", COMPARE_RUNS_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct loaded {
    char *path;
    struct measure *fold;
};

static bool take_event(void *arg, const struct event *ev) {
    compare_take(arg, ev);
    return true;
}

static const char *last_part(char *path) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static int load(const char *word, struct loaded *l, struct compare_run *run, struct err *err) {
    l->path = runs_resolve(word, err);
    if (!l->path)
        return -ENOENT;
    run->name = last_part(l->path);
    cleanup_free char *events = xasprintf("%s/events.jsonl", l->path);
    int r = result_fold(l->path, &l->fold, &run->m, NULL, err);
    return r < 0 ? r : run_log_read(events, take_event, run, NULL, err);
}

static void tell(const compare_list *runs, bool json) {
    cleanup_strbuf struct strbuf text = {0};
    struct report_style style = cli_style(STDOUT_FILENO);
    if (json)
        compare_json(runs, &text);
    else
        compare_text(runs, &style, &text);
    (void)fputs(strbuf_str(&text), stdout);
}

int compare_main(int argc, char **argv) {
    static const struct argp argp = {argp_options,
                                     parse,
                                     "RUN RUN...",
                                     "Recorded runs beside each other: which settings and versions differ, what was "
                                     "measured, and the phases over one time axis. RUN is a folder, or as `bascule "
                                     "runs` names it: last, a name, the beginning of one, a scenario.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct options o = {0};
    cli_parse(&argp, "compare", argc, argv, 0, &o);
    struct loaded loaded[COMPARE_RUNS_MAX] = {{0}};
    compare_list runs = {0};
    struct err err = {0};
    int code = EXIT_PASS;
    for (size_t i = 0; i < o.n_runs && code == EXIT_PASS; i++)
        if (load(o.runs[i], &loaded[i], VEC_ADD(&runs), &err) < 0)
            code = cli_fail(EXIT_USAGE, &err);
    if (code == EXIT_PASS)
        tell(&runs, o.json);
    VEC_FOREACH (&runs, r)
        VEC_DONE(&r->settings);
    VEC_DONE(&runs);
    for (size_t i = 0; i < o.n_runs; i++) {
        measure_free(loaded[i].fold);
        free(loaded[i].path);
    }
    return code;
}
