// SPDX-License-Identifier: PostgreSQL
// resource.memory: PostgreSQL's processes may have no more private memory than `limit` each: RLIMIT_DATA, lowered while
// they run (prlimit(2)); backends to come inherit it from the postmaster. malloc then fails as it does with
// vm.overcommit_memory=2 on a full machine: the statement ends with 53200 "out of memory", the session lives. This is
// NOT the OOM killer: that is resource.oom.
// Verified by a statement that needs more than the limit and gets 53200, and after the heal gets its memory.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/resource/app_round.h"
#include "injector/resource/faults.h"
#include "injector/resource/limits.h"
#include "lab/base/fs.h"
#include "lab/node/places.h"

static const int64_t MB = 1 << 20;

struct squeeze {
    limited_list limited;
    struct app_round *round;
    bool healed;
    fault_phase_done done;
};

static int64_t limit_of(const setting_list *params) {
    return limit_parse_mb(mechanism_param(&resource_memory_fault.about, params, "limit"), 8, 512);
}

// VmData of /proc/PID/status: what RLIMIT_DATA counts (setrlimit(2)).
static int64_t data_of(const struct victim *v) {
    char path[96];
    cleanup_strbuf struct strbuf text = {0};
    (void)snprintf(path, sizeof path, "/proc/%d/root/proc/%lld/status", (int)node_init_pid(v->node),
                   (long long)v->process.pid);
    const char *line = fs_read(path, 8192, &text, NULL) < 0 ? NULL : strstr(strbuf_str(&text), "\nVmData:");
    long long kb;
    return line && sscanf(line, " VmData: %lld", &kb) == 1 ? kb * 1024 : -1;
}

static int squeeze_node(struct fault *f, const char *name, struct err *err) {
    struct squeeze *s = f->state;
    struct node *n = fault_world_node(f->world, name);
    victim_list roots = {0}, all = {0};
    struct victim v = {.node = n, .what = "postmaster"};
    int64_t pid = n && node_is_on(n) ? node_postmaster_pid(n, STACK_PGDATA) : 0;
    int r = pid > 0 && process_read(n, pid, &v.process) == 0
                ? 0
                : err_set(err, ESRCH, "PostgreSQL is not running on %s", name);
    if (r == 0 && data_of(&v) + 4 * MB > limit_of(f->params))
        r = err_set(err, EINVAL, "the postmaster on %s has %lld MB already: the limit must be at least 4 MB more", name,
                    (long long)(data_of(&v) / MB));
    VEC_PUSH(&roots, v);
    if (r == 0) // the postmaster first: whoever it forks from now on has the limit
        r = limit_lower(&v, RLIMIT_DATA, (rlim_t)limit_of(f->params), &s->limited, err);
    if (r == 0)
        r = victims_with_children(&roots, &all, err);
    for (size_t i = 0; i < all.n && r >= 0; i++)
        if (all.items[i].process.pid != pid)
            (void)limit_lower(&all.items[i], RLIMIT_DATA, (rlim_t)limit_of(f->params), &s->limited, NULL);
    VEC_DONE(&roots);
    VEC_DONE(&all);
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct squeeze *s = f->state ? f->state : (f->state = xcalloc(1, sizeof *s));
    struct err err = {0};
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++)
        if (squeeze_node(f, f->nodes[k], &err) < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
    phase_ok(f, done, sink_now(f->world->sink), "RLIMIT_DATA of %zu processes lowered to %s", s->limited.n,
             fault_param(f, "limit"));
}

static bool as_expected(struct fault *f, size_t k, const char *sqlstate, const char *text) {
    (void)k, (void)text;
    return str_eq(sqlstate, ((const struct squeeze *)f->state)->healed ? "" : "53200");
}

static void on_answered(struct fault *f, size_t k, bool ok, const char *sqlstate, const char *text) {
    struct squeeze *s = f->state;
    if (!ok)
        phase_no(f, s->done, "a statement that needs more than %s on %s %s %s: %s", fault_param(f, "limit"),
                 f->nodes[k], s->healed ? "still fails with" : "was not refused with 53200 but gave",
                 *sqlstate ? sqlstate : "a result", text);
    else if (k == f->n_nodes)
        phase_ok(f, s->done, 0, "powered off: its processes are gone");
    else
        phase_ok(f, s->done, 0,
                 s->healed ? "a statement that needs more than %s gets it"
                           : "a statement that needs more than %s gets: 53200 out of memory",
                 fault_param(f, "limit"));
}

// within 0: it bites at once or not at all.
static void ask_for_memory(struct fault *f, usec_t within, fault_phase_done done) {
    struct squeeze *s = f->state;
    char sql[96];
    s->done = done;
    (void)snprintf(sql, sizeof sql, "select length(repeat('x', %lld))", (long long)(limit_of(f->params) + 8 * MB));
    app_round_start(f,
                    &(struct app_round_spec){.sql = sql,
                                             .each = 10 * SEC,
                                             .every = 200 * MSEC,
                                             .within = within,
                                             .skip = s->healed ? app_round_off : NULL,
                                             .good = as_expected,
                                             .done = on_answered},
                    &s->round);
}

static void verify(struct fault *f, fault_phase_done done) {
    ask_for_memory(f, 0, done);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct squeeze *s = f->state;
    size_t n = 0;
    if (s) {
        app_round_drop(&s->round);
        // Backends that were born meanwhile inherited the low limit: they get what their postmaster had.
        victim_list roots = {0}, all = {0};
        VEC_FOREACH (&s->limited, l)
            if (str_eq(l->victim.what, "postmaster") && process_alive(l->victim.node, &l->victim.process))
                VEC_PUSH(&roots, l->victim);
        n = limit_restore(&s->limited, RLIMIT_DATA);
        rlim_t before = s->limited.n ? s->limited.items[0].before : RLIM_INFINITY;
        limited_list born = {0};
        (void)victims_with_children(&roots, &all, NULL);
        for (size_t i = 0; i < all.n; i++)
            if (limit_read(&all.items[i], RLIMIT_DATA) == (rlim_t)limit_of(f->params))
                *VEC_ADD(&born) = (struct limited){.victim = all.items[i], .before = before};
        n += limit_restore(&born, RLIMIT_DATA);
        VEC_DONE(&roots);
        VEC_DONE(&all);
        VEC_DONE(&born);
    }
    phase_ok(f, done, sink_now(f->world->sink), "RLIMIT_DATA given back to %zu processes", n);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct squeeze *s = f->state;
    if (!s || !s->limited.n) {
        phase_ok(f, done, 0, "no limit was lowered");
        return;
    }
    s->healed = true;
    ask_for_memory(f, 10 * SEC, done);
}

static void done_with(struct fault *f) {
    struct squeeze *s = f->state;
    if (!s)
        return;
    app_round_drop(&s->round);
    VEC_DONE(&s->limited);
    free(s);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    if (limit_of(params) < 0)
        return err_set(err, EINVAL, "resource.memory: limit is 8MB to 512MB, not '%s'",
                       mechanism_param(&resource_memory_fault.about, params, "limit"));
    return check_service_in(t, "postgres", err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out,
                    "# on %s\nfor p in $(pgrep -o -f bin/postgres) $(pgrep -f '^postgres:'); do prlimit --pid $p "
                    "--data=$((%lld)): ; done\n",
                    f->nodes[k], (long long)limit_of(f->params));
}

static const struct mechanism_param params[] = {
    {"limit", "size", NULL, "64MB", "private memory of each PostgreSQL process, in whole MB"}, {0}};

const struct fault_ops resource_memory_fault = {
    .about = {.name = "resource.memory",
              .summary = "limits the private memory of PostgreSQL's processes",
              .params = params},
    .mechanism =
        "prlimit(2): RLIMIT_DATA of the postmaster and all its children; new backends inherit it. Not the OOM killer.",
    .still_works =
        "Whatever needs little memory. Shared buffers are not counted. A statement that is refused ends, its "
        "session and the server live on.",
    .exercises = "53200 out_of_memory against the OOM killer's SIGKILL (resource.oom), which ends all sessions.",
    .needs = "nothing",
    .check = check,
    .check_node = check_runs_postgres,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 40 * SEC,
};
