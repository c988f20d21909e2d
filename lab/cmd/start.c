// SPDX-License-Identifier: PostgreSQL
// The way from a command line to a lab that runs: options, the plan with its diagnostics, what this host can do, the run folder, the
// launch; then what a command does when the lab did not start, when it detaches, and when it ends. Nothing runs in the lab before
// lab_launch, so whatever fails earlier leaves no lab and at most a folder, which is removed.
#include "lab/cmd/start.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "injector/injector.h"
#include "lab/base/fs.h"
#include "lab/base/own.h"
#include "lab/cli/paths.h"
#include "lab/cli/runs.h"
#include "lab/cmd/client.h"
#include "lab/cmd/plan_faults.h"
#include "lab/ha/kind/kind.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"
#include "lab/stack/stack.h"

// Logs, ledger and configuration of a run of ten minutes take a few MB; a data directory on disk 100 MB a node.
static const uint64_t NEED_BYTES = 64 << 20, NEED_BYTES_DISK = 1024 << 20;

enum { LEAVE_MS = 5000 }; // how long the supervisor may take to leave once its lifeline is closed

enum { OPT_SEED = 1000, OPT_SET, OPT_RUNS_DIR, OPT_LAB, OPT_COLD };

static const struct argp_option options[] = {
    {"seed", OPT_SEED, "N", 0, "seed of random choices (printed with each run)", 0},
    {"set", OPT_SET, "KEY=VALUE", 0, "override a setting, e.g. patroni.ttl=20s", 0},
    {"runs-dir", OPT_RUNS_DIR, "DIR", 0, "where run folders are made (default ~/.local/state/bascule/runs)", 0},
    {"lab", OPT_LAB, "NAME", 0, "name of the lab (several may run at once)", 0},
    {"cold", OPT_COLD, NULL, 0, "don't use prepared data directories from the cache", 0},
    {0},
};

static void add_setting(struct start_options *o, const char *text, struct argp_state *state) {
    const char *eq = strchr(text, '=');
    if (!eq || eq == text) {
        argp_error(state, "--set wants KEY=VALUE, not '%s'", text);
        return;
    }
    struct setting *s = VEC_ADD(&o->set);
    s->key = xstrndup(text, (size_t)(eq - text));
    s->value = xstrdup(eq + 1);
}

static void check_lab_name(const char *name, struct argp_state *state) {
    if (!lab_name_valid(name))
        argp_error(state, "a lab's name is 1 to %d letters, digits, '-', '_' or '.', not '%s'", LAB_NAME_MAX - 1, name);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct start_options *o = state->input;
    char *end = NULL;
    switch (key) {
    case OPT_SEED:
        errno = 0;
        o->seed = strtoull(arg, &end, 10);
        if (errno || end == arg || *end || *arg == '-' || o->seed == 0)
            argp_error(state, "--seed wants a number from 1 on, not '%s'", arg);
        return 0;
    case OPT_SET:
        add_setting(o, arg, state);
        return 0;
    case OPT_RUNS_DIR:
        o->runs_dir = arg;
        return 0;
    case OPT_LAB:
        check_lab_name(arg, state);
        o->lab = arg;
        return 0;
    case OPT_COLD:
        o->cold = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp start_argp = {.options = options, .parser = parse};

void start_options_done(struct start_options *o) {
    VEC_FOREACH (&o->set, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(&o->set);
}

// ---- the plan --------------------------------------------------------------------------------------------------------

static int check_needs(const struct plan *plan, struct err *err) {
    return ha_kind_check_needs(ha_kind_find(plan->topology->stack), plan->needs, err);
}

struct plan *start_read_text(const char *path, const struct strbuf *text, const struct start_options *o,
                             int *exit_code) {
    *exit_code = EXIT_USAGE;
    struct err err = {0};
    cleanup_strbuf struct strbuf topologies = {0}, said = {0};
    if (paths_topologies(&topologies, &err) < 0) {
        log_error("%s", err.msg);
        return NULL;
    }
    struct read_options ro = {.vocabulary = fault_vocabulary(),
                              .topology_dir = strbuf_str(&topologies),
                              .seed = o->seed,
                              .overrides = o->set.n ? &o->set : NULL};
    struct diags d = {0};
    struct plan *plan = NULL;
    int r = scenario_read_text(path, strbuf_str(text), text->len, &ro, &d, &plan);
    if (r >= 0 && check_needs(plan, NULL) == 0) { // else it is skipped
        fault_plan_disk_layer(plan);
        r = plan_check_faults(path, plan, false, &d);
    }
    diags_to_text(&d, &said);
    (void)fputs(strbuf_str(&said), stderr);
    diags_done(&d);
    if (r < 0)
        plan_free(STEAL(plan));
    return plan;
}

struct plan *start_read_scenario(const char *name, const struct start_options *o, struct strbuf *ret_text,
                                 int *exit_code) {
    *exit_code = EXIT_USAGE;
    struct err err = {0};
    cleanup_strbuf struct strbuf path = {0};
    if (paths_scenario_file(name, &path, &err) < 0 || fs_read(strbuf_str(&path), 1 << 20, ret_text, &err) < 0) {
        log_error("%s", err.msg);
        return NULL;
    }
    return start_read_text(strbuf_str(&path), ret_text, o, exit_code);
}

static int check_faults(const struct plan *plan, struct err *err) {
    VEC_FOREACH (&plan->steps, s)
        if ((s->kind == STEP_INJECT || s->kind == STEP_ACTION) &&
            fault_check(s->mechanism, plan->topology, &s->targets, &s->params, err) < 0)
            return err_wrap(err, "step '%s' (line %d), %s", s->name, s->line, s->mechanism);
    return 0;
}

int start_check_host(const struct plan *plan, struct err *err) {
    struct stack_paths programs[NODES_MAX];
    int r = check_needs(plan, err);
    if (r == 0)
        r = check_faults(plan, err);
    if (r == 0)
        r = stack_find_programs(plan->topology, programs, err);
    if (r == 0)
        r = sandbox_probe_userns(err);
    const char *tried = ""; // images lie in one store: the first stands for all
    for (size_t i = 0; r == 0 && i < plan->topology->nodes.n && !*tried; i++)
        if (*(tried = programs[i].root))
            r = sandbox_probe_overlay_of(tried, err);
    return r;
}

// ---- the run folder --------------------------------------------------------------------------------------------------

static void keep_copy(const char *run_dir, const char *name, const char *text) {
    cleanup_free char *path = xasprintf("%s/%s", run_dir, name);
    (void)fs_write_whole(path, text, strlen(text), 0644, NULL); // for people; the log is what counts
}

static void settings_text(const setting_list *list, struct strbuf *out) {
    VEC_FOREACH (list, s)
        strbuf_addf(out, "%s=%s\n", s->key, s->value);
}

// The lab has a /run and a /dev/shm of its own, which hide the host's.
static int check_place(const char *path, struct err *err) {
    bool hidden = str_starts(path, "/dev/shm/") || (str_starts(path, "/run/") && !str_starts(path, "/run/user/"));
    return hidden
               ? err_set(err, EINVAL, "run folders can't lie in %s: a lab has its own; choose another --runs-dir", path)
               : 0;
}

static int make_run_folder(const struct plan *plan, const struct start_options *o, struct strbuf *run_dir,
                           struct err *err) {
    cleanup_strbuf struct strbuf parent = {0}, made = {0};
    int r = runs_dir(o->runs_dir, &parent, err);
    const char *name = !str_empty(plan->name) ? plan->name : plan->topology->name;
    uint64_t need = plan->topology->storage == STORAGE_DISK ? NEED_BYTES_DISK : NEED_BYTES;
    if (r == 0)
        r = run_folder_create(strbuf_str(&parent), name, need, &made, err);
    if (r < 0)
        return r;
    char full[PATH_MAX];
    if (!realpath(strbuf_str(&made), full)) // the supervisor needs it whatever its working folder is
        return err_sys(err, errno, "run folder '%s'", strbuf_str(&made));
    strbuf_add(run_dir, full);
    return check_place(full, err);
}

// Early, so that a taken name leaves no run folder; lab_launch decides for good.
static int check_name(const char *name, struct err *err) {
    struct lab_ref lab;
    return name && lab_find(name, &lab, NULL) == 0
               ? err_set(err, EADDRINUSE, "a lab named '%s' is running (`bascule list`; `bascule down %s` ends it)",
                         name, name)
               : 0;
}

// The folder of prepared data directories: a server runs on a copy of what lies in it. Without it labs start cold.
static void prepared_in(struct strbuf *cache) {
    struct err err = {0};
    paths_cache(cache);
    cleanup_free char *templates = xasprintf("%s/templates", strbuf_str(cache));
    if (!cache->len ||
        (own_check_folder(strbuf_str(cache), false, &err) == 0 && own_check_folder(templates, false, &err) == 0))
        return;
    log_warn("prepared data directories are not used: %s", err.msg);
    strbuf_clear(cache);
}

int start_lab(const struct plan *plan, const struct start_options *o, const char *scenario_text, bool scenario,
              bool keep, bool workload, struct strbuf *run_dir, struct lab_handle *ret, struct err *err) {
    int r = check_name(o->lab, err);
    if (r == 0)
        r = make_run_folder(plan, o, run_dir, err);
    if (r < 0)
        return r;
    if (scenario_text)
        keep_copy(strbuf_str(run_dir), "scenario.yaml", scenario_text);
    cleanup_strbuf struct strbuf settings = {0}, cache = {0};
    settings_text(&o->set, &settings);
    if (settings.len)
        keep_copy(strbuf_str(run_dir), "overrides.txt", strbuf_str(&settings));
    prepared_in(&cache);
    struct lab_options lo = {.plan = plan,
                             .scenario = scenario,
                             .keep = keep,
                             .hold = o->hold,
                             .workload = workload,
                             .fresh = o->cold,
                             .auto_name = o->lab == NULL,
                             .run_dir = strbuf_str(run_dir),
                             .cache_dir = cache.len ? strbuf_str(&cache) : NULL,
                             .overrides = strbuf_str(&settings)};
    lab_name_from(o->lab ? o->lab : scenario ? plan->name : "lab", lo.name);
    r = lab_launch(&lo, ret, err);
    if (r < 0) // nothing has run: the folder holds copies of what the user has already
        (void)fs_remove_tree(strbuf_str(run_dir), NULL);
    return r;
}

// ---- its end ---------------------------------------------------------------------------------------------------------

int start_failed(const struct err *err) {
    return err->code == EADDRINUSE || err->code == EINVAL ? EXIT_USAGE : EXIT_BROKEN;
}

int start_detach(const struct lab_handle *lab, struct err *err) {
    cleanup_close int fd = client_connect_started(lab, err);
    if (fd < 0)
        return fd;
    cleanup_json cJSON *reply = NULL;
    return client_command(fd, "detach", &reply, err);
}

void start_close(struct lab_handle *lab) {
    (void)close(STEAL_FD(lab->lifeline));
    if (!spawn_pidfd_gone(lab->pidfd, LEAVE_MS)) {
        (void)kill(lab->pid, SIGKILL); // our own child, not yet reaped: the pid can't have been reused
        struct err err = {0};
        if (client_await_gone(lab->pidfd, lab->name, &err) < 0)
            log_warn("%s", err.msg);
    }
    (void)waitpid(lab->pid, NULL, WNOHANG);
    (void)close(STEAL_FD(lab->pidfd));
}
