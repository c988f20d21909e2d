// SPDX-License-Identifier: PostgreSQL
// bascule replay: the dashboard over a recorded run. No daemons, no root, no lab.
#include <signal.h>

#include "dashboard/tui.h"
#include "lab/base/usec.h"
#include "lab/cli/runs.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/result.h"
#include "lab/cmd/user_settings.h"

struct replay_options {
    struct tui_options tui;
    struct tui_text_options text;
    bool to_text;
    bool themed; // --theme was said
};

enum { KEY_TO_TEXT = 256, KEY_AT, KEY_EVERY, KEY_SIZE, KEY_TONES };
static const struct argp_option options[] = {
    {"speed", 's', "N", 0, "play N times as fast (1)", 0},
    {"view", 'v', "NAME", 0, "begin with this screen (see `bascule top --help`)", 0},
    {"ascii", 'a', NULL, 0, "no characters beyond ASCII", 0},
    {"theme", 't', "THEME", 0, "colours for a terminal that is dark or light; auto (the default) finds out", 0},
    {"to-text", KEY_TO_TEXT, NULL, 0, "print frames instead", 1},
    {"at", KEY_AT, "TIME", 0,
     "begin here, at rest; --to-text: the frame at this run time (12.5s), without it the last one", 1},
    {"every", KEY_EVERY, "TIME", 0, "--to-text: a frame each TIME, from the beginning to the end", 1},
    {"size", KEY_SIZE, "COLSxROWS", 0, "--to-text: of the frames (80x24)", 1},
    {"tones", KEY_TONES, NULL, 0, "--to-text: below each frame, one letter a cell for its colour", 1},
    {0},
};

static usec_t time_option(struct argp_state *state, const char *name, const char *arg) {
    usec_t t = 0;
    if (usec_parse(arg, &t) < 0)
        argp_error(state, "--%s: '%s' is no time (12.5s, 250ms, 2m)", name, arg);
    return t;
}

static void size_option(struct argp_state *state, const char *arg, struct tui_text_options *o) {
    char rest;
    if (sscanf(arg, "%4dx%4d%c", &o->cols, &o->rows, &rest) != 2 || o->cols < 1 || o->rows < 1 || o->cols > 1000 ||
        o->rows > 1000)
        argp_error(state, "--size: '%s' is no size (80x24)", arg);
}

static double speed_option(struct argp_state *state, const char *arg) {
    char *end;
    double speed = strtod(arg, &end);
    if (*end || !(speed >= 1.0 / 16 && speed <= 1024))
        argp_error(state, "--speed: '%s' is not between 1/16 and 1024", arg);
    return speed;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct replay_options *o = state->input;
    struct err err = {0};
    switch (key) {
    case 's':
        o->tui.speed = speed_option(state, arg);
        return 0;
    case 'v':
        o->tui.view = o->text.view = arg;
        return 0;
    case 'a':
        o->tui.ascii = o->text.ascii = true;
        return 0;
    case KEY_TO_TEXT:
        o->to_text = true;
        return 0;
    case KEY_AT:
        o->text.at = o->tui.at = time_option(state, "at", arg);
        o->tui.at_given = true;
        return 0;
    case KEY_EVERY:
        o->text.every = time_option(state, "every", arg);
        if (o->text.every < 10 * MSEC)
            argp_error(state, "--every: 10ms at least");
        return 0;
    case KEY_SIZE:
        size_option(state, arg, &o->text);
        return 0;
    case KEY_TONES:
        o->text.tones = true;
        return 0;
    case 't':
        o->themed = true;
        if (theme_parse(arg, &o->tui.theme, &err) < 0)
            argp_error(state, "--theme: %s", err.msg);
        return 0;
    case ARGP_KEY_ARG:
        if (o->tui.run_dir)
            argp_error(state, "one run at a time");
        o->tui.run_dir = o->text.run_dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->tui.run_dir)
            argp_error(state, "which run? (a run folder, or its events.jsonl)");
        if (!o->to_text && (o->text.every || o->text.tones))
            argp_error(state, "--every and --tones go with --to-text");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print_frames(const struct replay_options *o) {
    struct err err = {0};
    cleanup_strbuf struct strbuf out = {0};
    if (tui_text(&o->text, &out, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    (void)fputs(strbuf_str(&out), stdout);
    return fflush(stdout) == 0 ? EXIT_PASS : EXIT_BROKEN;
}

int replay_main(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "RUN",
        "The dashboard over a recorded run: space stops and plays, n and N jump to what matters, [ ] { } scrub, "
        "? shows all keys. RUN is a run folder or an event log, nothing else is needed; or as `bascule runs` names it: "
        "last, a name, the beginning of one, a scenario.",
        NULL,
        NULL,
        NULL};
    struct replay_options o = {.tui = {.pidfd = -1, .speed = 1}, .text = {.rows = 24, .cols = 80, .at = USEC_NEVER}};
    cli_parse(&argp, "replay", argc, argv, 0, &o);
    struct err err = {0};
    cleanup_free char *run = runs_resolve(o.tui.run_dir, &err);
    if (!run || (!o.to_text && !o.themed && user_config_theme(&o.tui.theme, &err) < 0))
        return cli_fail(EXIT_USAGE, &err);
    o.tui.run_dir = o.text.run_dir = run;
    struct proof *proof = NULL;
    if (result_prove(run, &proof, &o.tui.record, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    o.text.record = o.tui.record;
    int r = o.to_text ? print_frames(&o) : tui_replay(&o.tui, &err);
    proof_free(proof);
    if (o.to_text)
        return r;
    if (r < 0)
        return cli_fail(EXIT_USAGE, &err);
    if (r > 0) {
        (void)signal(r, SIG_DFL);
        (void)raise(r);
    }
    return EXIT_PASS;
}
