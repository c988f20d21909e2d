// SPDX-License-Identifier: PostgreSQL
// node.slow: the machine gets a share of the processor time it had. A plain user has no cgroup to limit it, and a lower
// priority would bite only while somebody else wants the processor; so the node's init stops and continues every process
// of the node, in short periods (a duty cycle, as cpulimit(1) does it to one process). Each process then runs for `share`
// of the time, several at once on several processors, as on a machine whose clock rate fell.
// Verified by a probe in the node: a busy loop that gets about `share` of one processor, and is seen stopped for the rest.
// On a host without an idle processor the probe gets less anyway; being seen stopped is the proof then.
#include <signal.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/node/faults.h"
#include "injector/process/burner.h"

static const usec_t PERIOD =
    100 * MSEC; // long against a signal's millisecond, short against every timeout of the stack
static const usec_t WATCH = 2 * SEC;

struct slow {
    bool set[NODES_MAX]; // by index in fault->nodes
    struct burner probe;
    struct retry *retry;
    usec_t since;
    size_t looks, seen_stopped; // of the probe's state
    size_t node;                // being looked at
    bool wants_slow;            // what is to be verified
    struct strbuf text;
    fault_phase_done done;
};

static double share_of(const struct fault *f) {
    return strtod(fault_param(f, "share"), NULL) / 100.0; // "20%", checked
}

static int set_all(struct fault *f, bool slow, struct err *err) {
    struct slow *s = f->state;
    usec_t run = slow ? (usec_t)(share_of(f) * (double)PERIOD) : 0;
    int r = 0;
    for (size_t k = 0; k < f->n_nodes && r >= 0; k++) {
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        if (!node_is_on(n) && !slow)
            continue; // a boot begins at full speed
        r = slow || s->set[k] ? node_duty_set(n, run, slow ? PERIOD - run : 0, NULL, NULL, err) : 0;
        s->set[k] = slow && r >= 0;
    }
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct err err = {0};
    if (!f->state)
        f->state = xcalloc(1, sizeof(struct slow));
    f->touched = true;
    if (set_all(f, true, &err) < 0)
        phase_no(f, done, "%s", err.msg);
    else
        phase_ok(f, done, sink_now(f->world->sink), "every process runs %.0f ms of each %.0f ms",
                 share_of(f) * (double)PERIOD / 1000.0, (double)PERIOD / 1000.0);
}

// ---- the probe -----------------------------------------------------------------------------------------------------

static void look_at_node(struct fault *f);

static void judge(struct fault *f) {
    struct slow *s = f->state;
    double share = share_of(f), got = burner_share(&s->probe);
    double stopped = s->looks ? (double)s->seen_stopped / (double)s->looks : 0;
    burner_stop(&s->probe);
    strbuf_addf(&s->text, "%sa busy loop on %s got %.0f %% of a processor and was seen stopped %.0f %% of the time",
                s->text.len ? "; " : "", f->nodes[s->node], got * 100, stopped * 100);
    // 10 % for the ticks of /proc (10 ms of 2 s), signals that come late, and a host that is busy itself.
    bool ok = s->wants_slow ? got <= share + 0.10 && stopped >= (1 - share) - 0.20 : stopped == 0;
    if (ok && ++s->node < f->n_nodes)
        look_at_node(f);
    else if (ok)
        phase_ok(f, s->done, 0, "%s", strbuf_str(&s->text));
    else
        phase_no(f, s->done, "%s", strbuf_str(&s->text));
}

static bool watched(void *arg) {
    const struct fault *f = arg;
    struct slow *s = f->state;
    char state = burner_state(&s->probe);
    s->looks++;
    s->seen_stopped += state == 'T';
    return usec_now() >= s->since + WATCH;
}

static void on_watched(void *arg, bool met) {
    (void)met;
    judge(arg);
}

static void look_at_node(struct fault *f) {
    struct slow *s = f->state;
    struct err err = {0};
    while (s->node < f->n_nodes && !node_is_on(fault_world_node(f->world, f->nodes[s->node])))
        s->node++;
    if (s->node == f->n_nodes) {
        phase_ok(f, s->done, 0, "%s", s->text.len ? strbuf_str(&s->text) : "powered off");
        return;
    }
    s->looks = s->seen_stopped = 0;
    s->since = usec_now();
    int r = burner_start(fault_world_node(f->world, f->nodes[s->node]), "cpu-probe", 0, &s->probe, &err);
    // 7 ms: no divisor of the period, so that the looks spread over it.
    if (r >= 0)
        r = retry_start(f->world->loop, 7 * MSEC, WATCH + SEC, watched, on_watched, f, &s->retry, &err);
    if (r < 0)
        phase_no(f, s->done, "%s", err.msg);
}

static void begin_look(struct fault *f, bool wants_slow, fault_phase_done done) {
    struct slow *s = f->state;
    s->done = done;
    s->wants_slow = wants_slow;
    s->node = 0;
    strbuf_done(&s->text);
    s->text = (struct strbuf){0};
    burner_stop(&s->probe);
    look_at_node(f);
}

static void verify(struct fault *f, fault_phase_done done) {
    begin_look(f, true, done);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct slow *s = f->state;
    struct err err = {0};
    if (!s) {
        phase_ok(f, done, 0, "nothing was slowed");
        return;
    }
    retry_stop(&s->retry);
    burner_stop(&s->probe);
    if (set_all(f, false, &err) < 0)
        phase_no(f, done, "%s", err.msg);
    else
        phase_ok(f, done, sink_now(f->world->sink), "every process runs all the time again");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    if (f->state)
        begin_look(f, false, done);
    else
        phase_ok(f, done, 0, "nothing was slowed");
}

static void done_with(struct fault *f) {
    struct slow *s = f->state;
    if (!s)
        return;
    retry_stop(&s->retry);
    strbuf_done(&s->text);
    free(s);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)t;
    const char *text = mechanism_param(&node_slow_fault.about, params, "share");
    char *end;
    double v = strtod(text, &end);
    if (end == text || (!str_eq(end, "%") && *end) || !(v >= 2 && v <= 90)) // "nan" is neither
        return err_set(err, EINVAL, "node.slow: share is 2%% to 90%% of the processor time, not '%s'", text);
    return 0;
}

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)t, (void)params;
    return check_not_application(&node_slow_fault.about, node, err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out,
                    "# on %s; with a cgroup: echo '20000 100000' >cpu.max. As here, without one:\n"
                    "while :; do kill -STOP -1; sleep %.3f; kill -CONT -1; sleep %.3f; done   # as init of the node\n",
                    f->nodes[k], (1 - share_of(f)) * 0.1, share_of(f) * 0.1);
}

static const struct mechanism_param params[] = {
    {"share", "percent", NULL, "20%", "of the time that every process may run"}, {0}};

const struct fault_ops node_slow_fault = {
    .about = {.name = "node.slow", .summary = "gives a node a share of the processor time", .params = params},
    .mechanism = "Duty cycle: the node's init sends SIGSTOP and SIGCONT to every process, 10 times a second.",
    .still_works =
        "Everything, later. The kernel's part (TCP, pages, disks) keeps its speed; so does the machine's watchdog. "
        "Nothing answers for up to 100 ms - share at a time.",
    .exercises =
        "Loop times, slow elections, requests that time out although nothing is broken; a leader that is too slow "
        "to renew.",
    .needs = "nothing",
    .check = check,
    .check_node = check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 2 * MINUTE,
    .thaws = true,
};
