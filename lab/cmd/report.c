// SPDX-License-Identifier: PostgreSQL
// bascule report: the story of a run, told again from its log alone. No daemons, no root, no lab.
#include "lab/cli/runs.h"
#include "lab/cli/style.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/follow.h"
#include "lab/cmd/result.h"

struct options {
    const char *run_dir;
    bool json, html;
    const char *html_file; // NULL = report.html in the run folder
};

static const struct argp_option argp_options[] = {
    {"json", 'j', NULL, 0, "print JSON", 0},
    {"html", 'w', "FILE", OPTION_ARG_OPTIONAL, "write the page into FILE (report.html in the run folder; - prints it)",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *o = state->input;
    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case 'w':
        o->html = true;
        o->html_file = arg;
        return 0;
    case ARGP_KEY_ARG: // `--html FILE` reads as naturally as `--html=FILE`: a second argument is the file
        if (!o->run_dir)
            o->run_dir = arg;
        else if (o->html && !o->html_file)
            o->html_file = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->run_dir)
            argp_error(state, "an argument is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// With --html before RUN, `report --html page.html RUN` gives the two in the other order: the one that is a folder is the run.
static void sort_arguments(struct options *o) {
    if (!o->html_file || str_eq(o->html_file, "-"))
        return;
    cleanup_free char *first = xasprintf("%s/events.jsonl", o->run_dir),
                      *second = xasprintf("%s/events.jsonl", o->html_file);
    if (access(first, F_OK) != 0 && access(second, F_OK) == 0) {
        const char *file = o->run_dir;
        o->run_dir = o->html_file;
        o->html_file = file;
    }
}

static int write_page(const struct options *o, const struct measures *m, struct err *err) {
    if (o->html_file && str_eq(o->html_file, "-")) {
        cleanup_strbuf struct strbuf page = {0};
        int r = result_page(o->run_dir, m, &page, err);
        if (r == 0)
            (void)fwrite(strbuf_str(&page), 1, page.len, stdout);
        return r;
    }
    cleanup_free char *path = o->html_file ? xstrdup(o->html_file) : xasprintf("%s/report.html", o->run_dir);
    if (result_write_page(o->run_dir, m, path, err) < 0)
        return o->html_file ? -err->code : err_wrap(err, "the page can be written elsewhere with --html=FILE");
    if (!o->json)
        (void)printf("%s\n", path);
    return 0;
}

static void tell(const struct options *o, const struct measures *m, const struct story *story) {
    cleanup_strbuf struct strbuf text = {0};
    struct report_style style = cli_style(STDOUT_FILENO);
    if (o->json)
        report_json(m, &text);
    else
        report_text(m, story, o->run_dir, &style, &text);
    (void)fputs(strbuf_str(&text), stdout);
}

int report_main(int argc, char **argv) {
    static const struct argp argp = {argp_options,
                                     parse,
                                     "RUN",
                                     "Tells a recorded run again, from its log alone. RUN is a run folder, or as "
                                     "`bascule runs` names it: last, a name, "
                                     "the beginning of one, or a scenario for its newest run.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct options o = {0};
    cli_parse(&argp, "report", argc, argv, 0, &o);
    sort_arguments(&o);
    struct err err = {0};
    struct measure *fold = NULL;
    const struct measures *m = NULL;
    struct story *story = NULL;
    cleanup_free char *run = runs_resolve(o.run_dir, &err);
    if (!run)
        return cli_fail(EXIT_USAGE, &err);
    o.run_dir = run;
    if (result_fold(o.run_dir, &fold, &m, &story, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    int code = result_exit_code(m->verdict);
    if (o.html && write_page(&o, m, &err) < 0)
        code = cli_fail(EXIT_USAGE, &err);
    else if (!o.html || o.json)
        tell(&o, m, story);
    story_free(story);
    measure_free(fold);
    return code;
}
