// SPDX-License-Identifier: PostgreSQL
// bascule up: a lab that stands until `bascule down`.
#include "injector/injector.h"
#include "lab/cli/paths.h"
#include "lab/cli/style.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/result.h"
#include "lab/cmd/start.h"
#include "lab/cmd/user_settings.h"
#include "lab/record/defects.h"
#include "lab/sandbox/sandbox.h"

struct options {
    struct start_options start;
    const char *topology;
    bool no_workload;
};

enum { OPT_NO_WORKLOAD = 1 };
static const struct argp_option argp_options[] = {
    {"no-workload", OPT_NO_WORKLOAD, NULL, 0, "don't run the application", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->start;
        return 0;
    case OPT_NO_WORKLOAD:
        o->no_workload = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "one topology at a time");
        o->topology = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// What everybody expects of a database, for the word at the end; and what is known to break it.
static void expect_no_loss(struct plan *p) {
    *VEC_ADD(&p->expects) = (struct expect){.kind = EXPECT_LOST_WRITES, .has_max = true, .text = xstrdup("")};
    *VEC_ADD(&p->expects) = (struct expect){.kind = EXPECT_SAME_HISTORY, .wanted = true, .text = xstrdup("")};
    size_t n;
    const struct defect_known *known = defects_known(&n);
    for (size_t i = 0; i < n; i++) {
        *VEC_ADD(&p->defects) = (struct known_defect){.id = xstrdup(known[i].id),
                                                      .software = xstrdup(known[i].software),
                                                      .versions = xstrdup(known[i].versions),
                                                      .reference = xstrdup(known[i].reference),
                                                      .text = xstrdup(known[i].text),
                                                      .signature = known[i].signature,
                                                      .explains = xstrdup(known[i].explains)};
    }
}

// A plan without steps: the same reader, so that --set and its complaints are the same as for `run`.
static struct plan *make_plan(const struct options *o, int *exit_code) {
    struct err err = {0};
    cleanup_strbuf struct strbuf dir = {0}, said = {0};
    *exit_code = EXIT_USAGE;
    if (paths_topologies(&dir, &err) < 0) {
        log_error("%s", err.msg);
        return NULL;
    }
    struct read_options ro = {.vocabulary = fault_vocabulary(),
                              .topology_dir = strbuf_str(&dir),
                              .seed = o->start.seed ? o->start.seed : 1,
                              .overrides = o->start.set.n ? &o->start.set : NULL};
    struct diags d = {0};
    struct topology *t = NULL;
    int r = topology_read(o->topology ? o->topology : "patroni-3", &ro, &d, &t, &err);
    diags_to_text(&d, &said);
    (void)fputs(strbuf_str(&said), stderr);
    if (r < 0 && !d.errors)
        log_error("%s", err.msg);
    diags_done(&d);
    if (r < 0)
        return NULL;
    struct plan *p = xcalloc(1, sizeof *p);
    p->name = xstrdup("");
    p->title = xstrdup("");
    p->seed = ro.seed;
    p->topology = t;
    p->workload = (struct workload_def){.writes_per_s = 100,
                                        .reads_per_s = 10,
                                        .route = topology_count(t, SERVICE_HAPROXY) ? ROUTE_HAPROXY : ROUTE_MULTI_HOST,
                                        .deadline = 2 * SEC,
                                        .connect_timeout = 2 * SEC};
    p->timeout = USEC_NEVER;
    if (!o->no_workload && topology_count(t, SERVICE_APP))
        expect_no_loss(p);
    return p;
}

static const char *why_not(enum follow_end end, const char *detail, const struct err *err) {
    if (*detail)
        return detail;
    switch (end) {
    case FOLLOW_READY:
        return err->msg;
    case FOLLOW_ENDED:
        return "it was told to end";
    case FOLLOW_DIED:
        return "it ended before it was ready";
    case FOLLOW_HUNG:
        return "its supervisor hangs";
    }
    return "";
}

// What there is of a lab that did not come up is a recorded run too.
static void keep_result(const char *run_dir) {
    struct err err = {0};
    struct measure *fold = NULL;
    const struct measures *m = NULL;
    if (result_fold(run_dir, &fold, &m, NULL, &err) < 0)
        return; // nothing was recorded
    result_keep(run_dir, m);
    measure_free(fold);
}

static int stand_up(const struct plan *plan, const struct options *o) {
    struct err err = {0};
    if (start_check_host(plan, &err) < 0)
        return cli_fail(EXIT_SKIPPED, &err);
    user_config_tell(&o->start);
    (void)fflush(stdout);
    cleanup_strbuf struct strbuf run_dir = {0};
    struct lab_handle lab = {.pidfd = -1, .lifeline = -1};
    if (start_lab(plan, &o->start, NULL, false, true, !o->no_workload, &run_dir, &lab, &err) < 0)
        return cli_fail(start_failed(&err), &err);
    struct follow_options fo = {
        .lab = &lab, .run_dir = strbuf_str(&run_dir), .until_ready = true, .style = cli_style(STDOUT_FILENO)};
    char detail[EVENT_TEXT_MAX] = "";
    enum follow_end end = follow_lab(&fo, detail, sizeof detail);
    if (end == FOLLOW_READY && start_detach(&lab, &err) == 0) {
        (void)printf("The lab '%s' is up. Next: bascule status, bascule psql n1, bascule inject node.power_off leader, "
                     "bascule down.\n"
                     "Its run folder: %s\n",
                     lab.name, strbuf_str(&run_dir));
        return EXIT_PASS;
    }
    start_close(&lab);
    keep_result(strbuf_str(&run_dir));
    log_error("the lab did not come up: %s (logs in %s)", why_not(end, detail, &err), strbuf_str(&run_dir));
    return EXIT_BROKEN;
}

int up_main(int argc, char **argv) {
    static const struct argp_child children[] = {{&start_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {argp_options,
                                     parse,
                                     "[TOPOLOGY]",
                                     "Starts a lab (default: patroni-3) and leaves it standing. TOPOLOGY is a file, or "
                                     "a name from scenarios/topologies.\v"
                                     "Exit status: 0 it stands, 2 wrong use or a bad file, 3 it did not come up (also: "
                                     "interrupted by Ctrl-C), 4 this host can't do it.",
                                     children,
                                     NULL,
                                     NULL};
    struct options o = {0};
    cli_parse(&argp, "up", argc, argv, 0, &o);
    int code = EXIT_USAGE;
    struct err err = {0};
    bool configured = user_config_settings(&o.start, false, &err) == 0;
    struct plan *plan = configured ? make_plan(&o, &code) : NULL;
    if (!configured)
        code = cli_fail(EXIT_USAGE, &err);
    if (plan)
        code = sandbox_drop_root(&err) < 0 ? cli_fail(EXIT_BROKEN, &err) : stand_up(plan, &o);
    plan_free(plan);
    start_options_done(&o.start);
    return code;
}
