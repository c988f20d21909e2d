// SPDX-License-Identifier: PostgreSQL
// clock.skew: the wall clock of PostgreSQL on a node jumps by `offset`. A plain user can't set the clock (and
// all nodes share the host's), so the daemons of a topology with `clock: adjustable` start with libfaketime preloaded and
// read their offset from STACK_FAKETIME_FILE at most a second after it was written. Monotonic clocks are left alone, as
// by settimeofday(2). etcd is Go and asks the kernel without libc: its clock stays.
// Patroni keeps the right time as well: Python's sleeps end at absolute monotonic times, which libfaketime 0.9.10 shifts.
// Verified by the clock read inside PostgreSQL: SELECT clock_timestamp() against our own.
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "injector/catalogue.h"
#include "injector/phases.h"
#include "injector/resource/app_conn.h"
#include "lab/base/fs.h"
#include "lab/stack/names.h"

struct skew {
    struct app_ask *ask;
    sd_event_source *again;
    size_t asking;
    double expected; // seconds
    usec_t until;
    bool written;
    fault_phase_done done;
};

// "+1h", "-300ms", "30s" in seconds.
static bool offset_of(const setting_list *params, double *ret) {
    const char *text = mechanism_param(&clock_skew_fault.about, params, "offset");
    usec_t t;
    bool back = *text == '-';
    if (usec_parse(text + (back || *text == '+'), &t) < 0 || t > 24 * 3650 * 3600 * SEC)
        return false;
    *ret = (back ? -1 : 1) * (double)t / 1e6;
    return true;
}

static int write_offset(struct fault *f, const char *name, double seconds, struct err *err) {
    struct node *n = fault_world_node(f->world, name);
    char path[96], text[40];
    if (!n || !node_is_on(n))
        return err_set(err, EHOSTDOWN, "%s is powered off", name);
    (void)snprintf(path, sizeof path, "/proc/%d/root" STACK_FAKETIME_FILE, (int)node_init_pid(n));
    int len = snprintf(text, sizeof text, "%+.6f\n", seconds);
    return fs_write(path, text, (size_t)len, 0644, err);
}

// Two skews of one node: the newest that is in force counts. A heal puts the clock right.
static void inject(struct fault *f, fault_phase_done done) {
    struct skew *s = f->state ? f->state : (f->state = xcalloc(1, sizeof *s));
    struct err err = {0};
    (void)offset_of(f->params, &s->expected);
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++)
        if (write_offset(f, f->nodes[k], s->expected, &err) < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
    s->written = true;
    phase_ok(f, done, sink_now(f->world->sink), "%s written; the daemons look at it within a second",
             STACK_FAKETIME_FILE);
}

static void ask_next(struct fault *f);

static int on_again(sd_event_source *src, uint64_t at, void *arg) {
    (void)src, (void)at;
    struct fault *f = arg;
    struct skew *s = f->state;
    s->again = sd_event_source_disable_unref(s->again);
    ask_next(f);
    return 0;
}

static void on_clock(void *arg, const char *sqlstate, const char *text) {
    struct fault *f = arg;
    struct skew *s = f->state;
    double theirs = *sqlstate ? NAN : strtod(text, NULL), off = theirs - (double)usec_wall_now() / 1e6;
    bool as_expected = fabs(off - s->expected) < 0.5; // the way of the answer, on a busy host
    if (!as_expected && usec_now() < s->until &&
        sd_event_add_time_relative(f->world->loop, &s->again, CLOCK_MONOTONIC, 200 * MSEC, 1, on_again, f) >= 0)
        return;
    if (*sqlstate)
        phase_no(f, s->done, "PostgreSQL on %s did not tell its time: %s %s", f->nodes[s->asking], sqlstate, text);
    else if (!as_expected)
        phase_no(f, s->done, "clock_timestamp() on %s is off by %+.3f s, not by %+.3f s", f->nodes[s->asking], off,
                 s->expected);
    else if (++s->asking < f->n_nodes)
        ask_next(f);
    else
        phase_ok(f, s->done, 0, "clock_timestamp() is off by %+.3f s", off);
}

static void ask_next(struct fault *f) {
    struct skew *s = f->state;
    struct err err = {0};
    while (s->expected == 0 && s->asking < f->n_nodes && !node_is_on(fault_world_node(f->world, f->nodes[s->asking])))
        s->asking++;
    if (s->asking == f->n_nodes)
        phase_ok(f, s->done, 0, "powered off: a boot begins with the right time");
    else if (app_ask(f->world, app_conn_home(f->world), f->nodes[s->asking],
                     "select extract(epoch from clock_timestamp())", 5 * SEC, on_clock, f, &s->ask, &err) < 0)
        phase_no(f, s->done, "%s", err.msg);
}

static void begin(struct fault *f, fault_phase_done done) {
    struct skew *s = f->state;
    s->done = done;
    s->asking = 0;
    s->until = usec_now() + 8 * SEC;
    ask_next(f);
}

static void verify(struct fault *f, fault_phase_done done) {
    begin(f, done);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct skew *s = f->state;
    struct err err = {0};
    if (s) {
        app_ask_drop(&s->ask);
        s->again = sd_event_source_disable_unref(s->again);
        s->expected = 0;
    }
    for (size_t k = 0; s && s->written && k < f->n_nodes; k++)
        if (node_is_on(fault_world_node(f->world, f->nodes[k])) && write_offset(f, f->nodes[k], 0, &err) < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
    phase_ok(f, done, sink_now(f->world->sink), "offset 0 written to %s", STACK_FAKETIME_FILE);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct skew *s = f->state;
    if (s && s->written)
        begin(f, done);
    else
        phase_ok(f, done, 0, "no clock was changed");
}

static void done_with(struct fault *f) {
    struct skew *s = f->state;
    if (!s)
        return;
    app_ask_drop(&s->ask);
    sd_event_source_disable_unref(s->again);
    free(s);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    double offset;
    if (!offset_of(params, &offset) || offset == 0)
        return err_set(err, EINVAL, "clock.skew: offset is a duration such as +1h or -5m, not '%s'",
                       mechanism_param(&clock_skew_fault.about, params, "offset"));
    if (t->clock != CLOCK_ADJUSTABLE)
        return err_set(err, EINVAL,
                       "clock.skew needs a topology with `clock: adjustable` (or --set clock=adjustable): its "
                       "daemons start with libfaketime preloaded");
    glob_t g = {0};
    bool found = glob(STACK_FAKETIME_GLOB, 0, NULL, &g) == 0;
    globfree(&g);
    if (!found)
        return err_set(err, ENOENT, "clock.skew needs libfaketime; apt-get install libfaketime");
    return check_service_in(t, "postgres", err);
}

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)params;
    if (!(node->services & SERVICE_POSTGRES) && (node->services & SERVICE_ETCD))
        return err_set(err, EINVAL,
                       "clock.skew: %s runs etcd alone, which is Go and asks the kernel itself: no library can "
                       "change its clock",
                       node->name);
    return check_service_on(t, node, "postgres", err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out, "date -s '%s'                          # on %s, a real host; in the lab: echo SECONDS >%s\n",
                    fault_param(f, "offset"), f->nodes[k], STACK_FAKETIME_FILE);
}

static const struct mechanism_param params[] = {
    {"offset", "text", NULL, NULL, "how far the clock jumps: a duration with its sign, +1h or -5m"}, {0}};

const struct fault_ops clock_skew_fault = {
    .about = {.name = "clock.skew", .summary = "the wall clock of PostgreSQL jumps", .params = params},
    .mechanism = "libfaketime, preloaded from the start, reads the offset from a file; CLOCK_MONOTONIC is not touched.",
    .still_works = "Patroni, etcd and everything else on the node keep the right time. Leases are etcd's and count "
                   "monotonic time: nobody "
                   "loses leadership by a wrong wall clock alone.",
    .exercises = "Timestamps, lag in seconds, recovery_target_time, log correlation: what depends on wall clocks and "
                 "what does not.",
    .needs = "libfaketime, and a topology with clock: adjustable",
    .check = check,
    .check_node = check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 30 * SEC,
};
