// SPDX-License-Identifier: PostgreSQL
// bascule runs: the recorded runs, newest last; `runs prune` removes old ones.
#include <libsmartcols/libsmartcols.h>
#include <time.h>

#include "lab/base/json.h"
#include "lab/cli/runs.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/follow.h"
#include "lab/sandbox/sandbox.h"

static const int RUNS_SCHEMA = 1; // of `runs --json`, docs/measures.md; raised when a key changes its meaning or goes

struct options {
    const char *runs_dir;
    bool json, prune, dry;
    const char *scenario; // list: only this one's
    long keep;            // prune: the newest N stay; -1 = not said
    usec_t older;         // prune: only what is older; 0 = not said
};

enum { OPT_RUNS_DIR = 1, OPT_KEEP, OPT_OLDER, OPT_DRY };
static const struct argp_option argp_options[] = {
    {"json", 'j', NULL, 0, "print JSON", 0},
    {"runs-dir", OPT_RUNS_DIR, "DIR", 0, "where the run folders lie (default ~/.local/state/bascule/runs)", 0},
    {"keep", OPT_KEEP, "N", 0, "prune: the newest N runs stay", 1},
    {"older", OPT_OLDER, "TIME", 0, "prune: only runs that began longer ago than TIME (30d, 12h)", 1},
    {"dry-run", OPT_DRY, NULL, 0, "prune: say what would be removed, remove nothing", 1},
    {0},
};

// "30d" beside the units of usec_parse: only here are days a likely wish.
static int parse_age(const char *text, usec_t *ret) {
    char *end;
    errno = 0;
    unsigned long days = strtoul(text, &end, 10);
    if (!errno && *text != '-' && end != text && str_eq(end, "d") && days <= 36500) {
        *ret = days * 24 * 60 * MINUTE;
        return 0;
    }
    return usec_parse(text, ret);
}

static long parse_keep(const char *text, struct argp_state *state) {
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < 0)
        argp_error(state, "--keep wants a number from 0 on, not '%s'", text);
    return n;
}

static void check_together(const struct options *o, struct argp_state *state) {
    bool chosen = o->keep >= 0 || o->older;
    if (!o->prune && (chosen || o->dry))
        argp_error(state, "--keep, --older and --dry-run belong to `runs prune`");
    if (o->prune && !chosen)
        argp_error(state, "prune removes nothing by itself: say --keep N, --older TIME, or both");
    if (o->prune && o->json)
        argp_error(state, "--json belongs to the list");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case OPT_RUNS_DIR:
        o->runs_dir = arg;
        return 0;
    case OPT_KEEP:
        o->keep = parse_keep(arg, state);
        return 0;
    case OPT_OLDER:
        if (parse_age(arg, &o->older) < 0 || o->older == 0)
            argp_error(state, "--older: '%s' is no time (30d, 12h, 90m)", arg);
        return 0;
    case OPT_DRY:
        o->dry = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0 && str_eq(arg, "prune"))
            o->prune = true;
        else if (!o->prune && !o->scenario)
            o->scenario = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        check_together(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// ---- the list ------------------------------------------------------------------------------------------------------

static const char *word_of(const struct run_entry *r) {
    return r->judged ? r->verdict : r->changed ? "(changed since)" : r->live ? "(runs now)" : "(no result)";
}

static void set(struct libscols_line *line, size_t column, const char *text) {
    (void)scols_line_set_data(line, column, *text ? text : "-");
}

static void add_row(struct libscols_table *table, const struct run_entry *r) {
    struct libscols_line *line = scols_table_new_line(table, NULL);
    char outage[48] = "", lost[32] = "";
    if (r->outage_ms >= 0)
        (void)snprintf(outage, sizeof outage, "%.2f s", r->outage_ms / 1000);
    if (r->lost >= 0)
        (void)snprintf(lost, sizeof lost, "%" PRId64, r->lost);
    set(line, 0, r->name);
    set(line, 1, r->topology);
    set(line, 2, outage);
    set(line, 3, lost);
    set(line, 4, word_of(r));
}

static bool wanted(const struct run_entry *r, const char *scenario) {
    return !scenario || str_eq(r->scenario, scenario);
}

static void print_table(const run_entry_list *runs, const struct options *o) {
    static const char *const heads[] = {"RUN", "TOPOLOGY", "OUTAGE", "LOST", "VERDICT"};
    struct libscols_table *table = scols_new_table();
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        (void)scols_table_new_column(table, heads[i], 0.05, i == 2 || i == 3 ? SCOLS_FL_RIGHT : 0);
    VEC_FOREACH (runs, r)
        if (wanted(r, o->scenario))
            add_row(table, r);
    (void)scols_print_table(table);
    scols_unref_table(table);
}

static void add_number(cJSON *o, const char *key, double v) {
    (void)(v >= 0 ? cJSON_AddNumberToObject(o, key, v) : cJSON_AddNullToObject(o, key));
}

static cJSON *run_json(const struct run_entry *r) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "name", r->name);
    (void)cJSON_AddStringToObject(o, "path", r->path);
    (void)cJSON_AddStringToObject(o, "scenario", r->scenario);
    (void)cJSON_AddStringToObject(o, "topology", r->topology);
    (void)cJSON_AddStringToObject(o, "lab", r->lab);
    add_number(o, "began_unix_s", r->began ? (double)r->began / 1e6 : -1);
    (void)cJSON_AddBoolToObject(o, "live", r->live);
    (void)cJSON_AddBoolToObject(o, "changed", r->changed);
    if (r->judged) {
        (void)cJSON_AddStringToObject(o, "verdict", r->verdict);
        (void)cJSON_AddStringToObject(o, "reason", r->reason);
    } else {
        (void)cJSON_AddNullToObject(o, "verdict");
        (void)cJSON_AddNullToObject(o, "reason");
    }
    add_number(o, "write_outage_ms", r->outage_ms);
    add_number(o, "resolution_ms", r->error_ms);
    add_number(o, "lost", (double)r->lost);
    return o;
}

static void print_json(const run_entry_list *runs, const struct options *o) {
    cleanup_json cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(root, "schema_version", RUNS_SCHEMA);
    cJSON *array = cJSON_AddArrayToObject(root, "runs");
    VEC_FOREACH (runs, r)
        if (wanted(r, o->scenario))
            (void)cJSON_AddItemToArray(array, run_json(r));
    char *text = cJSON_Print(root);
    (void)printf("%s\n", text);
    cJSON_free(text);
}

static int no_run(const char *parent, const struct options *o) {
    static const char *const words[] = {"prune", NULL};
    if (o->scenario && str_nearest(o->scenario, words))
        log_error("no run of '%s' in %s (did you mean `bascule runs prune`?)", o->scenario, parent);
    else if (o->scenario)
        log_error("no run of '%s' in %s (`bascule runs` lists all)", o->scenario, parent);
    else
        (void)printf("no run yet in %s (`bascule run leader-crash` makes one)\n", parent);
    return o->scenario ? EXIT_USAGE : EXIT_PASS;
}

static int list(const run_entry_list *runs, const char *parent, const struct options *o) {
    size_t n = 0;
    VEC_FOREACH (runs, r)
        n += wanted(r, o->scenario);
    if (o->json)
        print_json(runs, o);
    else if (n == 0)
        return no_run(parent, o);
    else
        print_table(runs, o);
    return EXIT_PASS;
}

// ---- prune -----------------------------------------------------------------------------------------------------------

static bool is_old(const struct run_entry *r, const struct options *o, usec_t now) {
    return !o->older || (r->began && r->began < now && now - r->began > o->older);
}

static int prune(const run_entry_list *runs, const struct options *o) {
    usec_t now = usec_wall_now();
    uint64_t bytes = 0;
    size_t removed = 0, spared = o->keep > 0 ? (size_t)o->keep : 0;
    size_t candidates = runs->n > spared ? runs->n - spared : 0; // the list is oldest first
    int code = EXIT_PASS;
    for (size_t i = 0; i < candidates; i++) {
        const struct run_entry *r = &runs->items[i];
        struct err err = {0};
        if (!is_old(r, o, now) || r->live)
            continue;
        if (!o->dry && runs_remove(r, &bytes, &err) < 0) {
            code = cli_fail(EXIT_BROKEN, &err);
            continue;
        }
        removed++;
        (void)printf("%s %s\n", o->dry ? "would remove" : "removed", r->name);
    }
    if (o->dry)
        (void)printf("%zu of %zu runs would go\n", removed, runs->n);
    else
        (void)printf("%zu of %zu runs removed, %.1f MB free again\n", removed, runs->n, (double)bytes / 1e6);
    return code;
}

int runs_main(int argc, char **argv) {
    static const struct argp argp = {
        argp_options,
        parse,
        "[SCENARIO]\nprune --keep N | --older TIME",
        "Lists your recorded runs, the newest last. `bascule report last` tells one again. "
        "`runs prune` removes the old ones: with --keep and --older, those that are "
        "neither among the newest N nor young. A run that is being recorded stays.",
        NULL,
        NULL,
        NULL};
    struct options o = {.keep = -1};
    cli_parse(&argp, "runs", argc, argv, 0, &o);
    struct err err = {0};
    cleanup_strbuf struct strbuf parent = {0};
    run_entry_list runs = {0};
    int code;
    // Root's labs and their run folders belong to the user that root becomes for them.
    if (sandbox_drop_root(&err) < 0)
        code = cli_fail(EXIT_BROKEN, &err);
    else if (runs_dir(o.runs_dir, &parent, &err) < 0 || runs_list(strbuf_str(&parent), &runs, &err) < 0)
        code = cli_fail(EXIT_USAGE, &err);
    else
        code = o.prune ? prune(&runs, &o) : list(&runs, strbuf_str(&parent), &o);
    runs_done(&runs);
    return code;
}
