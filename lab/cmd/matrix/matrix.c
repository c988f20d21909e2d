// SPDX-License-Identifier: PostgreSQL
// bascule matrix: the same scenarios on several images, side by side.
#include "lab/cmd/matrix/matrix.h"

#include <libgen.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/cli/paths.h"
#include "lab/cli/runs.h"
#include "lab/cli/user_config.h"
#include "lab/sandbox/sandbox.h"

enum { JOBS_MAX = 64, RUNS_MAX = 1000 };

enum { OPT_IMAGE = 1, OPT_RUNS, OPT_JOBS, OPT_JSON, OPT_RUNS_DIR, OPT_SET, OPT_SEED, OPT_COLD };
static const struct argp_option argp_options[] = {
    {"image", OPT_IMAGE, "NAME,...", 0, "images to run on; \"host\" is this host's own system (default host)", 0},
    {"runs", OPT_RUNS, "N", 0, "run each that often (default 1)", 0},
    {"jobs", OPT_JOBS, "N", 0, "how many labs at a time (default 2); more than the processors bear makes runs invalid",
     0},
    {"json", OPT_JSON, NULL, 0, "print JSON instead of the table", 0},
    {"runs-dir", OPT_RUNS_DIR, "DIR", 0, "where the run folders go (default ~/.local/state/bascule/runs)", 0},
    {"set", OPT_SET, "KEY=VALUE", 0, "override a setting in all of them; may be repeated", 0},
    {"seed", OPT_SEED, "N", 0, "the seed of all of them", 0},
    {"cold", OPT_COLD, NULL, 0, "don't use prepared data directories from the cache", 0},
    {0},
};

struct options {
    struct matrix m;
    const char *runs_dir;
};

static unsigned long parse_number(const char *what, const char *text, unsigned long max, struct argp_state *state) {
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || n == 0 || n > max)
        argp_error(state, "%s wants a number from 1 to %lu, not '%s'", what, max, text);
    return n;
}

// "host,debian-13": cut in place; argv's strings are ours.
static void add_images(struct matrix *m, char *text, struct argp_state *state) {
    char *save = NULL;
    for (char *name = strtok_r(text, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        VEC_FOREACH (&m->images, other)
            if (str_eq(*other, name))
                argp_error(state, "image '%s' is named twice", name);
        VEC_PUSH(&m->images, name);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    switch (key) {
    case OPT_IMAGE:
        add_images(&o->m, arg, state);
        return 0;
    case OPT_RUNS:
        o->m.n_runs = parse_number("--runs", arg, RUNS_MAX, state);
        return 0;
    case OPT_JOBS:
        o->m.jobs = parse_number("--jobs", arg, JOBS_MAX, state);
        return 0;
    case OPT_JSON:
        o->m.json = true;
        return 0;
    case OPT_RUNS_DIR:
        o->runs_dir = arg;
        return 0;
    case OPT_SET:
        if (!strchr(arg, '=') || *arg == '=')
            argp_error(state, "--set wants KEY=VALUE, not '%s'", arg);
        if (str_starts(arg, "image="))
            argp_error(state, "say --image %s", arg + strlen("image="));
        VEC_PUSH(&o->m.settings, arg);
        return 0;
    case OPT_SEED:
        o->m.seed = arg;
        (void)parse_number("--seed", arg, ULONG_MAX, state);
        return 0;
    case OPT_COLD:
        o->m.cold = true;
        return 0;
    case ARGP_KEY_ARG:
        VEC_PUSH(&o->m.scenarios, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which scenario? (a file, or one of those in scenarios/, e.g. leader-crash)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_cell(struct matrix *m, const char *scenario, const char *image) {
    struct matrix_cell *c = VEC_ADD(&m->cells);
    struct err err = {0};
    cleanup_free char *copy = xstrdup(scenario);
    c->scenario = scenario;
    c->image = image;
    STR_COPY(c->label, basename(copy));
    if (str_ends(c->label, ".yaml"))
        c->label[strlen(c->label) - strlen(".yaml")] = '\0';
    if (!image_is_host(image) && image_find(image, &c->found, &err) < 0)
        STR_COPY(c->missing, err.msg);
    for (unsigned long i = 0; i < m->n_runs; i++)
        VEC_PUSH(&c->runs, ((struct matrix_run){.pidfd = -1, .verdict = "not run"}));
}

static int make_dir(struct matrix *m, const char *given, struct err *err) {
    cleanup_strbuf struct strbuf parent = {0};
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    int r = runs_dir(given, &parent, err);
    if (r == 0)
        r = fs_mkdirs(strbuf_str(&parent), 0755, err);
    if (r < 0)
        return r;
    (void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
    cleanup_free char *wanted = xasprintf("%s/matrix-%s-%d", strbuf_str(&parent), stamp, (int)getpid());
    if (mkdir(wanted, 0755) < 0 || !realpath(wanted, m->dir))
        return err_sys(err, errno, "make the folder '%s'", wanted);
    return 0;
}

// A typing error is told before the first lab has run for a minute.
static int check_scenarios(const struct matrix *m) {
    int code = EXIT_PASS;
    VEC_FOREACH (&m->scenarios, s) {
        cleanup_strbuf struct strbuf path = {0};
        struct err err = {0};
        if (paths_scenario_file(*s, &path, &err) < 0)
            code = cli_fail(EXIT_USAGE, &err);
    }
    return code;
}

static void done(struct matrix *m) {
    VEC_FOREACH (&m->cells, c) {
        VEC_FOREACH (&c->runs, r)
            cJSON_Delete(r->result);
        VEC_DONE(&c->runs);
    }
    VEC_DONE(&m->cells);
    VEC_DONE(&m->scenarios);
    VEC_DONE(&m->images);
    VEC_DONE(&m->settings);
}

int matrix_main(int argc, char **argv) {
    static const struct argp argp = {
        argp_options,
        parse,
        "SCENARIO...",
        "Runs the same scenarios on each of several images (Debian releases) and prints one table: versions, write "
        "outage, phases, lost writes, verdict.\v"
        "An image that is not there makes a row that says which command builds it. Exit status: the worst of all rows: "
        "3 before 2, 1, 5, 4 and 0. Ctrl-C ends the runs (once more: at once), prints what there is, and ends by "
        "SIGINT.",
        NULL,
        NULL,
        NULL};
    struct options o = {.m = {.n_runs = 1, .jobs = 2}};
    struct err err = {0};
    cli_parse(&argp, "matrix", argc, argv, 0, &o);
    if (o.m.images.n == 0)
        VEC_PUSH(&o.m.images, "host");
    int code = check_scenarios(&o.m), sig = 0;
    const struct user_config *config; // each run reads it anew; its mistakes are told once, here
    if (code == EXIT_PASS && sandbox_drop_root(&err) == 0 && user_config(&config, &err) < 0)
        code = cli_fail(EXIT_USAGE, &err);
    if (code == EXIT_PASS && (err.code || make_dir(&o.m, o.runs_dir, &err) < 0))
        code = cli_fail(EXIT_BROKEN, &err);
    if (code == EXIT_PASS) {
        VEC_FOREACH (&o.m.scenarios, s)
            VEC_FOREACH (&o.m.images, i)
                add_cell(&o.m, *s, *i);
        sig = matrix_run_all(&o.m);
        VEC_FOREACH (&o.m.cells, c)
            code = cli_worse(code, matrix_exit_code(c));
        (o.m.json ? matrix_print_json : matrix_print_table)(&o.m);
        (void)fflush(stdout);
    }
    (void)rmdir(o.m.dir); // only when nothing ran
    done(&o.m);
    if (sig) {
        (void)signal(sig, SIG_DFL);
        (void)raise(sig);
    }
    return code;
}
