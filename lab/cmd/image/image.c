// SPDX-License-Identifier: PostgreSQL
// bascule image: the table of its sub-commands, and what they share.
#include "lab/cmd/image/image.h"

#include <signal.h>

#include "lab/base/terminal.h"
#include "lab/base/usec.h"

static const struct command commands[] = {
    {"build", "make an image from Debian's packages (mmdebstrap)", image_build_main},
    {"list", "the images, with versions and sizes", image_list_main},
    {"verify", "compare an image's files with what must be in it", image_verify_main},
    {"remove", "take an image away", image_remove_main},
    {"import", "make an image from a tar of a root file system", image_import_main},
    {"export", "write an image into a tar", image_export_main},
};

static void help(FILE *out) {
    (void)fprintf(out, "Usage: bascule image COMMAND [OPTION...]\n"
                       "Images: Debian releases that a lab's nodes can have as their world (--set image=NAME).\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        (void)fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(out, "\n  bascule image COMMAND --help tells more. First: bascule image build debian-13\n");
}

int image_main(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h") || str_eq(argv[1], "-?")) {
        help(stdout);
        return EXIT_PASS;
    }
    const char *words[ARRAY_SIZE(commands) + 1] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        words[i] = commands[i].name;
        if (str_eq(argv[1], words[i]))
            return commands[i].main(argc - 1, argv + 1);
    }
    const char *near = str_nearest(argv[1], words);
    if (near)
        log_error("unknown command 'image %s' (did you mean '%s'?)", argv[1], near);
    else
        log_error("unknown command 'image %s' (`bascule image --help` lists them)", argv[1]);
    return EXIT_USAGE;
}

// ---- one name --------------------------------------------------------------------------------------------------------------

struct name_input {
    const char *name;
    bool *json;
};

static error_t parse_name(int key, char *arg, struct argp_state *state) {
    struct name_input *in = state->input;
    switch (key) {
    case 'j':
        *in->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (in->name)
            argp_error(state, "unexpected argument '%s'", arg);
        in->name = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which image? (`bascule image list`)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const char *image_parse_name(const char *command, const char *doc, bool *json, int argc, char **argv) {
    static const struct argp_option json_option[] = {{"json", 'j', NULL, 0, "print JSON", 0}, {0}}, none[] = {{0}};
    struct argp argp = {json ? json_option : none, parse_name, "NAME", doc, NULL, NULL, NULL};
    struct name_input in = {.json = json};
    cli_parse(&argp, command, argc, argv, 0, &in);
    return in.name;
}

// ---- progress --------------------------------------------------------------------------------------------------------------

static volatile bool stop;
static volatile sig_atomic_t stopped_by;

static void take_signal(int sig) {
    stop = true;
    stopped_by = sig;
}

static unsigned seconds(const struct image_progress *p) {
    return (unsigned)((usec_now() - p->start) / SEC);
}

static void tick(void *arg) {
    const struct image_progress *p = arg;
    if (!p->tty || !*p->what)
        return;
    terminal_own(stderr, "r");
    (void)fprintf(stderr, "%4u s  %.100s", seconds(p), p->what);
    terminal_own(stderr, "K");
}

static void say(void *arg, const char *what) {
    struct image_progress *p = arg;
    if (p->tty && *p->what)
        (void)fputc('\n', stderr);
    STR_COPY(p->what, what);
    if (p->tty)
        tick(p);
    else
        (void)fprintf(stderr, "%4u s  %s\n", seconds(p), what);
}

void image_progress_begin(struct image_progress *p) {
    *p = (struct image_progress){.start = usec_now(), .tty = isatty(STDERR_FILENO)};
    p->ui = (struct image_ui){.say = say, .tick = tick, .arg = p, .stop = &stop};
    struct sigaction sa = {.sa_handler = take_signal}; // without SA_RESTART: waits end early
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)sigaction(signals[i], &sa, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

// The documented exit status for an error of the image room.
static int image_exit_code(int r) {
    switch (-r) {
    case 0:
        return EXIT_PASS;
    case EINVAL:  // a bad name
    case ENOENT:  // no such image, no such file
    case EBADMSG: // a bad tar
    case EFBIG:
    case ENAMETOOLONG:
    case EISDIR:
    case EBUSY:
        return EXIT_USAGE;
    case ENOTSUP:
        return EXIT_SKIPPED;
    default:
        return EXIT_BROKEN;
    }
}

int image_progress_end(struct image_progress *p, int r, const struct err *err) {
    if (p->tty && *p->what)
        (void)fputc('\n', stderr);
    if (r >= 0)
        return EXIT_PASS;
    if (r == -ECANCELED && stopped_by) {
        log_error("interrupted; nothing was kept");
        (void)signal(stopped_by, SIG_DFL);
        (void)raise(stopped_by);
    }
    return cli_fail(image_exit_code(r), err);
}
