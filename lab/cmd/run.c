// SPDX-License-Identifier: PostgreSQL
// bascule run: for each scenario read it, check the host, start a lab, follow it, fold its log into numbers, say the verdict.
#include "lab/cli/paths.h"
#include "lab/cli/style.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/random.h"
#include "lab/cmd/result.h"
#include "lab/cmd/start.h"
#include "lab/cmd/user_settings.h"
#include "lab/sandbox/sandbox.h"

struct options {
    struct start_options start;
    bool keep, json;
    bool random;        // --random: a scenario drawn by the seed instead of files
    usec_t duration;    // --duration, of a random one
    const char *replay; // --replay RUN
    char **files;
    size_t n_files;
};

enum { OPT_KEEP = 1, OPT_HOLD, OPT_JSON, OPT_RANDOM, OPT_DURATION, OPT_REPLAY };
static const struct argp_option argp_options[] = {
    {"keep", OPT_KEEP, NULL, 0, "leave the lab standing when the scenario is over", 0},
    {"hold", OPT_HOLD, NULL, 0,
     "stand before the first step, cluster and application running; `bascule next` takes a step, `bascule go` goes on",
     0},
    {"json", OPT_JSON, NULL, 0, "print result.json instead of the story", 0},
    {"random", OPT_RANDOM, NULL, 0, "no file: faults drawn by --seed on --set topology=NAME", 0},
    {"duration", OPT_DURATION, "TIME", 0, "how long a random run is to be, e.g. 6m (default 5m)", 0},
    {"replay", OPT_REPLAY, "RUN", 0, "no file: the schedule, seed and settings of a run folder once more", 0},
    {0},
};

static usec_t parse_duration(const char *text, struct argp_state *state) {
    struct err err = {0};
    usec_t duration = 0;
    if (random_duration(text, &duration, &err) < 0)
        argp_error(state, "--duration: %s", err.msg);
    return duration;
}

// A run has one source of its steps.
static void check_together(const struct options *o, struct argp_state *state) {
    if ((o->n_files > 0) + o->random + (o->replay != NULL) > 1)
        argp_error(state, "scenario files, --random and --replay exclude each other");
    if (o->duration && !o->random)
        argp_error(state, "--duration belongs to --random");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->start;
        return 0;
    case OPT_KEEP:
        o->keep = true;
        return 0;
    case OPT_HOLD:
        o->start.hold = true;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case OPT_RANDOM:
        o->random = true;
        return 0;
    case OPT_DURATION:
        o->duration = parse_duration(arg, state);
        return 0;
    case OPT_REPLAY:
        o->replay = arg;
        return 0;
    case ARGP_KEY_ARGS:
        o->files = state->argv + state->next;
        o->n_files = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        check_together(o, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        if (!o->random && !o->replay)
            argp_error(state, "which scenario? (a file, or one of those in scenarios/, e.g. leader-crash)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// One read scenario, waiting for its turn: all are read before the first lab starts, so a typing error in the last one is told
// before twenty minutes have passed.
struct job {
    struct plan *plan;
    struct strbuf text;
};
typedef VEC(struct job) job_list;

static int tell_result(const char *run_dir, const struct options *o, const struct report_style *style,
                       struct strbuf *table) {
    struct err err = {0};
    struct measure *fold = NULL;
    const struct measures *m = NULL;
    struct story *story = NULL;
    if (result_fold(run_dir, &fold, &m, &story, &err) < 0)
        return cli_fail(EXIT_BROKEN, &err);
    result_keep(run_dir, m);
    cleanup_strbuf struct strbuf text = {0};
    if (o->json)
        report_json(m, &text);
    else
        report_text(m, story, run_dir, style, &text);
    (void)fputs(strbuf_str(&text), stdout);
    (void)fflush(stdout);
    report_line(m, style, table);
    int code = result_exit_code(m->verdict);
    story_free(story);
    measure_free(fold);
    return code;
}

// What `bascule scenarios` tells, it knows by name.
static void whole_lesson(const struct plan *plan, struct strbuf *out) {
    struct err err = {0};
    cleanup_strbuf struct strbuf shipped = {0};
    if (paths_scenarios(&shipped, &err) == 0 && str_starts(plan->file, strbuf_str(&shipped)))
        strbuf_addf(out, "bascule scenarios %s", plan->name);
    else
        strbuf_add(out, plan->file);
}

static void announce(const struct plan *plan, const struct start_options *o) {
    struct report_style style = cli_style(STDOUT_FILENO);
    cleanup_strbuf struct strbuf whole = {0}, lesson = {0};
    whole_lesson(plan, &whole);
    report_lesson(plan->lesson, strbuf_str(&whole), &style, &lesson);
    (void)printf("%s: %s\n%sseed %llu, topology %s\n", plan->name, plan->title ? plan->title : "", strbuf_str(&lesson),
                 (unsigned long long)plan->seed, plan->topology->name);
    user_config_tell(o);
    (void)fflush(stdout);
}

static void keep_standing(struct lab_handle *lab) {
    struct err err = {0};
    if (start_detach(lab, &err) < 0) {
        log_error("the lab could not be kept: %s", err.msg);
        start_close(lab);
        return;
    }
    (void)fprintf(stderr,
                  "The lab '%s' is kept: bascule status, bascule psql NODE, ... and bascule down when you are done.\n",
                  lab->name);
}

static int run_job(const struct job *job, const struct options *o, struct strbuf *table) {
    struct err err = {0};
    if (start_check_host(job->plan, &err) < 0) {
        log_error("%s: skipped: %s", job->plan->name, err.msg);
        return EXIT_SKIPPED;
    }
    if (!o->json)
        announce(job->plan, &o->start);
    cleanup_strbuf struct strbuf run_dir = {0};
    struct lab_handle lab = {.pidfd = -1, .lifeline = -1};
    if (start_lab(job->plan, &o->start, strbuf_str(&job->text), true, o->keep, true, &run_dir, &lab, &err) < 0)
        return cli_fail(start_failed(&err), &err);
    struct follow_options fo = {
        .lab = &lab, .run_dir = strbuf_str(&run_dir), .quiet = o->json, .style = cli_style(STDOUT_FILENO)};
    char detail[EVENT_TEXT_MAX] = "";
    enum follow_end end = follow_lab(&fo, detail, sizeof detail);
    if (end == FOLLOW_ENDED && o->keep && !*detail)
        keep_standing(&lab);
    else
        start_close(&lab);
    if (end == FOLLOW_DIED) // of one that hung, follow_lab has spoken
        log_error("the lab's supervisor ended before its run did; what it recorded is in %s", strbuf_str(&run_dir));
    return tell_result(strbuf_str(&run_dir), o, &fo.style, table);
}

static int read_made(struct options *o, job_list *jobs) {
    struct err err = {0};
    struct strbuf text = {0};
    cleanup_strbuf struct strbuf path = {0};
    int r = o->random ? random_make(&o->start, o->duration, &path, &text, &err)
                      : random_again(o->replay, &o->start, &path, &text, &err);
    int code = EXIT_USAGE;
    struct plan *plan = NULL;
    if (r < 0)
        code = cli_fail(r == -ENOTSUP ? EXIT_SKIPPED : EXIT_USAGE, &err);
    else
        plan = start_read_text(strbuf_str(&path), &text, &o->start, &code);
    if (!plan) {
        strbuf_done(&text);
        return code;
    }
    VEC_PUSH(jobs, ((struct job){.plan = plan, .text = text}));
    return EXIT_PASS;
}

static int read_all(const struct options *o, job_list *jobs) {
    int worst = EXIT_PASS;
    for (size_t i = 0; i < o->n_files; i++) {
        int code = EXIT_PASS;
        struct strbuf text = {0};
        struct plan *plan = start_read_scenario(o->files[i], &o->start, &text, &code);
        if (!plan) {
            strbuf_done(&text);
            worst = code;
            continue;
        }
        VEC_PUSH(jobs, ((struct job){.plan = plan, .text = text}));
    }
    return worst;
}

static int run_all(const job_list *jobs, const struct options *o) {
    cleanup_strbuf struct strbuf table = {0};
    int worst = EXIT_PASS;
    for (size_t i = 0; i < jobs->n; i++) {
        worst = cli_worse(worst, run_job(&jobs->items[i], o, &table));
        size_t left = jobs->n - i - 1;
        if (!left || !follow_interrupted())
            continue;
        log_info("interrupted: %zu more %s not run", left, left == 1 ? "scenario is" : "scenarios are");
        break;
    }
    if (jobs->n > 1 && !o->json)
        (void)printf("\n%s", strbuf_str(&table));
    return worst;
}

int run_main(int argc, char **argv) {
    static const struct argp_child children[] = {{&start_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        argp_options,
        parse,
        "SCENARIO...",
        "Runs scenarios against a lab of real daemons and measures what the application felt.\v"
        "Ctrl-C heals everything and ends the lab (once more: at once); scenarios that come after it are not run.\n\n"
        "Exit status: 0 pass, 1 an expectation failed, 2 wrong use or a bad file, 3 the lab broke, 4 skipped or "
        "invalid "
        "(one that was interrupted is), 5 known defect. Of several scenarios the worst: 3 before 2, 1, 5, 4 and 0.",
        children,
        NULL,
        NULL};
    struct options o = {0};
    cli_parse(&argp, "run", argc, argv, 0, &o);
    job_list jobs = {0};
    struct err err = {0};
    int code = EXIT_PASS;
    if (!o.replay && user_config_settings(&o.start, true, &err) < 0) // a repeated run has the settings that it had
        code = cli_fail(EXIT_USAGE, &err);
    else
        code = o.random || o.replay
                   ? read_made(&o, &jobs)
                   : read_all(&o, &jobs); // as whoever we are: root may be the only one who can read them
    if (code == EXIT_PASS && sandbox_drop_root(&err) < 0)
        code = cli_fail(EXIT_BROKEN, &err);
    else if (code == EXIT_PASS)
        code = run_all(&jobs, &o);
    VEC_FOREACH (&jobs, job) {
        plan_free(job->plan);
        strbuf_done(&job->text);
    }
    VEC_DONE(&jobs);
    start_options_done(&o.start);
    return code;
}
