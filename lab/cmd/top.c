// SPDX-License-Identifier: PostgreSQL
// bascule top: the dashboard on a running lab, or on a run folder.
#include <signal.h>

#include "dashboard/tui.h"
#include "injector/injector.h"
#include "lab/cli/runs.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/result.h"
#include "lab/cmd/user_settings.h"
#include "lab/record/run.h"
#include "lab/sandbox/sandbox.h"
#include "lab/supervisor/lab.h"

struct top_options {
    const char *lab, *view, *folder;
    bool ascii, readonly;
    bool themed; // --theme was said
    enum theme theme;
};

static const struct argp_option options[] = {
    {"lab", 'l', "NAME", 0, "which lab, when several are running", 0},
    {"view", 'v', "NAME", 0, "begin with this screen: ", 0}, // help_text adds the names
    {"readonly", 'r', NULL, 0, "only look: refuse every key that asks something of the lab", 0},
    {"ascii", 'a', NULL, 0, "no characters beyond ASCII", 0},
    {"theme", 't', "THEME", 0, "colours for a terminal that is dark or light; auto (the default) finds out", 0},
    {0},
};

static char *help_text(int key, const char *text, void *input) {
    (void)input;
    if (key != 'v')
        return (char *)text;
    struct strbuf all = {0};
    strbuf_add(&all, text);
    tui_view_names(&all);
    return all.data; // argp frees it
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct top_options *o = state->input;
    struct err err = {0};
    switch (key) {
    case 'l':
        o->lab = arg;
        return 0;
    case 'v':
        o->view = arg;
        return 0;
    case 'r':
        o->readonly = true;
        return 0;
    case 'a':
        o->ascii = true;
        return 0;
    case 't':
        o->themed = true;
        if (theme_parse(arg, &o->theme, &err) < 0)
            argp_error(state, "--theme: %s", err.msg);
        return 0;
    case ARGP_KEY_ARG:
        if (o->folder)
            argp_error(state, "one run folder at a time");
        o->folder = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct attached {
    char lab[LAB_NAME_MAX];
    char run_dir[LAB_PATH_MAX];
    int pidfd;   // -1: no lab runs in that folder
    int watches; // a connection that tells the supervisor that we look, as long as it is there; -1: none
};

static int attach_to(const struct lab_ref *lab, struct attached *ret, struct err *err) {
    STR_COPY(ret->lab, lab->name);
    STR_COPY(ret->run_dir, lab->run_dir);
    ret->pidfd = lab_pidfd(lab, err);
    return ret->pidfd < 0 ? ret->pidfd : 0;
}

// A run folder is shown whatever its supervisor does: nobody waits for his answer, he finds the request when he can.
static void ask_to_watch(const struct lab_ref *lab, struct attached *ret) {
    cleanup_json cJSON *request = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(request, "cmd", "watch");
    cleanup_close int fd = lab_socket_connect(lab, NULL);
    if (fd >= 0 && client_send(fd, request, NULL) == 0)
        ret->watches = STEAL_FD(fd);
}

// The dashboard reads the log. It asks the supervisor once not to hold lines of it back (lab/record/thin.h), and so learns that he answers: a
// picture that does not move must not look like a calm cluster.
static int watch_lab(const struct lab_ref *lab, struct attached *ret, struct err *err) {
    cleanup_json cJSON *reply = NULL;
    cleanup_close int fd = lab_socket_connect(lab, err);
    int r = fd < 0 ? fd : client_command(fd, "watch", &reply, err);
    if (r >= 0)
        ret->watches = STEAL_FD(fd);
    return r;
}

static int attach(const char *name, struct attached *ret, struct err *err) {
    struct lab_ref lab;
    int r = client_find(name, &lab, err);
    r = r < 0 ? r : watch_lab(&lab, ret, err);
    return r < 0 ? r : attach_to(&lab, ret, err);
}

// A run folder: when its lab still runs we are attached to it, else we show what was.
static int attach_folder(const char *folder, struct attached *ret, struct err *err) {
    int r = sandbox_drop_root(err);
    cleanup_free char *mine = r < 0 ? NULL : realpath(folder, NULL), *log = xasprintf("%s/events.jsonl", folder);
    cleanup_close int fd = r < 0 ? r : run_log_open(log, err); // refuses what is no run folder
    lab_list labs = {0};
    r = fd < 0 ? fd : lab_list_running(&labs, err);
    *ret = (struct attached){.pidfd = -1, .watches = -1};
    VEC_FOREACH (&labs, l)
        if (mine && ret->pidfd < 0 && str_eq(mine, l->run_dir) && attach_to(l, ret, NULL) == 0)
            ask_to_watch(l, ret); // it may end in this moment: we show what was
    VEC_DONE(&labs);
    STR_COPY(ret->run_dir, folder);
    return r;
}

int top_main(int argc, char **argv) {
    static const struct argp argp = {options,
                                     parse,
                                     "[RUN]",
                                     "The dashboard of a running lab, a screen for each thing worth watching (see "
                                     "--view). It reads the event log of "
                                     "the lab and nothing else; leaving it does not disturb the lab. RUN is the folder "
                                     "of a run in progress. ? shows "
                                     "the keys.",
                                     NULL,
                                     help_text,
                                     NULL};
    struct top_options o = {0};
    cli_parse(&argp, "top", argc, argv, 0, &o);
    struct err err = {0};
    struct attached a = {.pidfd = -1, .watches = -1};
    cleanup_free char *folder = o.folder ? runs_resolve(o.folder, &err) : NULL;
    if ((o.folder && !folder) || tui_view(o.view, &err) < 0 || (!o.themed && user_config_theme(&o.theme, &err) < 0) ||
        (folder ? attach_folder(folder, &a, &err) : attach(o.lab, &a, &err)) < 0)
        return cli_fail(EXIT_USAGE, &err);
    struct tui_options t = {.run_dir = a.run_dir,
                            .lab = a.pidfd >= 0 ? a.lab : NULL,
                            .pidfd = a.pidfd,
                            .ascii = o.ascii,
                            .readonly = o.readonly,
                            .theme = o.theme,
                            .view = o.view,
                            .vocabulary = fault_vocabulary()};
    struct proof *proof = NULL;
    if (a.pidfd < 0 && result_prove(a.run_dir, &proof, &t.record, &err) < 0) // a run that is over, as in replay
        return cli_fail(EXIT_USAGE, &err);
    int r = tui_top(&t, &err);
    proof_free(proof);
    if (a.pidfd >= 0)
        (void)close(a.pidfd);
    if (a.watches >= 0)
        (void)close(a.watches);
    if (r < 0)
        return cli_fail(EXIT_USAGE, &err);
    if (r > 0) { // ended by a signal: say so to who started us
        (void)signal(r, SIG_DFL);
        (void)raise(r);
    }
    return EXIT_PASS;
}
