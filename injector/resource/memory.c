// SPDX-License-Identifier: PostgreSQL
// resource.memory: PostgreSQL's processes may have no more private memory than `limit` each: RLIMIT_DATA, lowered while
// they run (prlimit(2)); backends to come inherit it from the postmaster. malloc then fails as it does with
// vm.overcommit_memory=2 on a full machine: the statement ends with 53200 "out of memory", the session lives. This is
// NOT the OOM killer: that is resource.oom.
// Verified by a statement that needs more than the limit and gets 53200, and after the heal gets its memory.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/resource/app_conn.h"
#include "injector/resource/faults.h"
#include "injector/resource/limits.h"
#include "lab/base/fs.h"
#include "lab/node/places.h"

static const int64_t MB = 1 << 20;

struct squeeze {
    limited_list limited;
    struct app_ask *ask;
    size_t asking;
    bool healed;
    sd_event_source *again;
    usec_t until;
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

static void ask_next(struct fault *f);

static int on_again(sd_event_source *src, uint64_t at, void *arg) {
    (void)src, (void)at;
    struct fault *f = arg;
    struct squeeze *s = f->state;
    s->again = sd_event_source_disable_unref(s->again);
    ask_next(f);
    return 0;
}

static void on_answer(void *arg, const char *sqlstate, const char *text) {
    struct fault *f = arg;
    struct squeeze *s = f->state;
    bool as_expected = str_eq(sqlstate, s->healed ? "" : "53200");
    if (!as_expected && usec_now() < s->until &&
        sd_event_add_time_relative(f->world->loop, &s->again, CLOCK_MONOTONIC, 200 * MSEC, 1, on_again, f) >= 0)
        return;
    if (!as_expected)
        phase_no(f, s->done, "a statement that needs more than %s on %s %s %s: %s", fault_param(f, "limit"),
                 f->nodes[s->asking], s->healed ? "still fails with" : "was not refused with 53200 but gave",
                 *sqlstate ? sqlstate : "a result", text);
    else if (++s->asking < f->n_nodes)
        ask_next(f);
    else
        phase_ok(f, s->done, 0,
                 s->healed ? "a statement that needs more than %s gets it"
                           : "a statement that needs more than %s gets: 53200 out of memory",
                 fault_param(f, "limit"));
}

static void ask_next(struct fault *f) {
    struct squeeze *s = f->state;
    struct err err = {0};
    char sql[96];
    while (s->healed && s->asking < f->n_nodes && !node_is_on(fault_world_node(f->world, f->nodes[s->asking])))
        s->asking++;
    if (s->asking == f->n_nodes) {
        phase_ok(f, s->done, 0, "powered off: its processes are gone");
        return;
    }
    (void)snprintf(sql, sizeof sql, "select length(repeat('x', %lld))", (long long)(limit_of(f->params) + 8 * MB));
    if (app_ask(f->world, app_conn_home(f->world), f->nodes[s->asking], sql, 10 * SEC, on_answer, f, &s->ask, &err) < 0)
        phase_no(f, s->done, "%s", err.msg);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct squeeze *s = f->state;
    s->done = done;
    s->asking = 0;
    s->until = 0; // it bites at once or not at all
    ask_next(f);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct squeeze *s = f->state;
    size_t n = 0;
    if (s) {
        app_ask_drop(&s->ask);
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
    s->done = done;
    s->asking = 0;
    s->healed = true;
    s->until = usec_now() + 10 * SEC;
    ask_next(f);
}

static void done_with(struct fault *f) {
    struct squeeze *s = f->state;
    if (!s)
        return;
    app_ask_drop(&s->ask);
    sd_event_source_disable_unref(s->again);
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
