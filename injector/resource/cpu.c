// SPDX-License-Identifier: PostgreSQL
// resource.cpu: a runaway job. Busy loops in the node that compete for the processors. All nodes of a lab share the
// host's processors, so whoever runs beside them is slowed too: node.slow is the fault for one machine alone.
// Verified by the processor time that the loops have got.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/process/burner.h"
#include "injector/resource/faults.h"

enum { BURNERS_MAX = 16 };

struct burn {
    struct burner burners[NODES_MAX * BURNERS_MAX];
    size_t n;
    struct retry *retry;
    fault_phase_done done;
};

static unsigned long number(const setting_list *params, const char *name) {
    return strtoul(mechanism_param(&resource_cpu_fault.about, params, name), NULL, 10);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct burn *b = f->state ? f->state : (f->state = xcalloc(1, sizeof *b));
    struct err err = {0};
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++)
        for (unsigned long i = 0; i < number(f->params, "burners"); i++) {
            int r = burner_start(fault_world_node(f->world, f->nodes[k]), "cpu-burner", (int)number(f->params, "nice"),
                                 &b->burners[b->n], &err);
            b->n += b->burners[b->n].node != NULL;
            if (r < 0) {
                phase_no(f, done, "%s", err.msg);
                return;
            }
        }
    phase_ok(f, done, sink_now(f->world->sink), "%zu busy loops run", b->n);
}

static bool all_burn(void *arg) {
    const struct fault *f = arg;
    const struct burn *b = f->state;
    for (size_t i = 0; i < b->n; i++)
        if (burner_share(&b->burners[i]) <= 0)
            return false;
    return b->n > 0 && usec_now() >= b->burners[0].since + SEC;
}

static void on_burnt(void *arg, bool met) {
    struct fault *f = arg;
    struct burn *b = f->state;
    double sum = 0;
    for (size_t i = 0; i < b->n; i++)
        sum += burner_share(&b->burners[i]);
    if (met)
        phase_ok(f, b->done, 0, "they use %.2f of %ld processors", sum, sysconf(_SC_NPROCESSORS_ONLN));
    else
        phase_no(f, b->done, "not every busy loop got processor time");
}

static void verify(struct fault *f, fault_phase_done done) {
    struct burn *b = f->state;
    struct err err = {0};
    b->done = done;
    if (retry_start(f->world->loop, 50 * MSEC, 5 * SEC, all_burn, on_burnt, f, &b->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct burn *b = f->state;
    for (size_t i = 0; b && i < b->n; i++)
        if (b->burners[i].node && process_alive(b->burners[i].node, &b->burners[i].at)) {
            struct burner copy = b->burners[i]; // ours still names whom to look for
            burner_stop(&copy);
        }
    if (b)
        retry_stop(&b->retry);
    phase_ok(f, done, sink_now(f->world->sink), "SIGKILL sent to %zu busy loops", b ? b->n : 0);
}

static bool none_left(void *arg) {
    const struct fault *f = arg;
    const struct burn *b = f->state;
    for (size_t i = 0; i < b->n; i++)
        if (process_alive(b->burners[i].node, &b->burners[i].at))
            return false;
    return true;
}

static void on_none_left(void *arg, bool met) {
    struct fault *f = arg;
    struct burn *b = f->state;
    if (met)
        phase_ok(f, b->done, 0, "no busy loop is left");
    else
        phase_no(f, b->done, "a busy loop is still there");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct burn *b = f->state;
    struct err err = {0};
    if (!b) {
        phase_ok(f, done, 0, "no busy loop was started");
        return;
    }
    b->done = done;
    if (retry_start(f->world->loop, 5 * MSEC, 5 * SEC, none_left, on_none_left, f, &b->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void done_with(struct fault *f) {
    struct burn *b = f->state;
    if (b)
        retry_stop(&b->retry);
    free(b);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)t;
    unsigned long burners = number(params, "burners"), nice = number(params, "nice");
    if (burners < 1 || burners > BURNERS_MAX)
        return err_set(err, EINVAL, "resource.cpu: burners is 1 to %d", BURNERS_MAX);
    return nice > 19 ? err_set(err, EINVAL, "resource.cpu: nice is 0 to 19") : 0;
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out, "for i in $(seq %s); do nice -n %s sh -c 'while :; do :; done' & done   # on %s\n",
                    fault_param(f, "burners"), fault_param(f, "nice"), f->nodes[k]);
}

static const struct mechanism_param params[] = {{"burners", "count", NULL, "2", "busy loops on each target"},
                                                {"nice", "count", NULL, "0", "their niceness, 0 (as everybody) to 19"},
                                                {0}};

const struct fault_ops resource_cpu_fault = {
    .about = {.name = "resource.cpu", .summary = "busy loops that compete for the processors", .params = params},
    .mechanism = "Shell loops as services of the node.",
    .still_works =
        "Everything, later. The lab's nodes share the host's processors: all of them are slowed, the measurement "
        "too. A run may then end as invalid; node.slow slows one node alone.",
    .exercises = "Contention; nice values; how late a loop of 10 s may be.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
