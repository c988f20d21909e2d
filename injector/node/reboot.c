// SPDX-License-Identifier: PostgreSQL
// node.reboot: an administrator's `reboot`. The services get SIGTERM, Patroni first, as its unit is ordered after the
// DCS's; Patroni stops PostgreSQL and gives the leader key back; then the power goes, and comes back after `off`.
// Happy path: SIGTERM to Patroni and HAProxy, all gone, SIGTERM to etcd, gone, power. A service that does not end within
// `patience` is killed with the power, as systemd does after TimeoutStopSec; the detail says so.
#include <signal.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/node/faults.h"
#include "injector/node/power.h"
#include "injector/process/salvo.h"
#include "lab/node/places.h"

static const usec_t STOP_MAX = 45 * SEC;

struct reboot {
    struct power power; // first: power.c's
    struct salvo *salvo;
    struct retry *retry;
    sd_event_source *timer; // power back on
    victim_list stopping;
    int round;
    usec_t began, effective;
    struct strbuf late; // whoever had to be killed
    fault_phase_done done;
};

static const char *const rounds[][3] = {{"patroni", "haproxy", NULL}, {"etcd", NULL}};

static void next_round(struct fault *f);

static void add_service(struct fault *f, const char *node, const char *service) {
    struct reboot *b = f->state;
    struct victim v = {.node = fault_world_node(f->world, node)};
    int64_t pid = v.node ? node_service_pid(v.node, service) : 0;
    if (pid <= 0 || process_read(v.node, pid, &v.process) < 0)
        return;
    STR_COPY(v.what, service);
    VEC_PUSH(&b->stopping, v);
}

static bool ended(void *arg) {
    const struct fault *f = arg;
    const struct reboot *b = f->state;
    if (victims_any_alive(&b->stopping))
        return false;
    VEC_FOREACH (&b->stopping, v) // gone, but not told yet: once the power is off the init can't tell it any more
        if (node_service_pid(v->node, v->what) == v->process.pid)
            return false;
    for (size_t k = 0; b->round == 1 && k < f->n_nodes; k++) // Patroni takes PostgreSQL down before it ends
        if (node_postmaster_pid(fault_world_node(f->world, f->nodes[k]), STACK_PGDATA) > 0)
            return false;
    return true;
}

static void on_ended(void *arg, bool met) {
    struct fault *f = arg;
    struct reboot *b = f->state;
    for (size_t i = 0; !met && i < b->stopping.n; i++)
        if (process_alive(b->stopping.items[i].node, &b->stopping.items[i].process))
            strbuf_addf(&b->late, "%s%s on %s", b->late.len ? ", " : "", b->stopping.items[i].what,
                        node_name(b->stopping.items[i].node));
    next_round(f);
}

static void on_shots(void *arg, struct salvo *salvo) {
    struct fault *f = arg;
    struct reboot *b = f->state;
    struct err err = {0};
    (void)salvo; // one that ended by itself meanwhile is as good
    salvo_drop(&b->salvo);
    if (retry_start(f->world->loop, 5 * MSEC, STOP_MAX / 2, ended, on_ended, f, &b->retry, &err) < 0)
        phase_no(f, b->done, "%s", err.msg);
}

static void on_pulled(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct reboot *b = f->state;
    (void)effective;
    char took[USEC_TEXT_MAX];
    if (!ok)
        phase_no(f, b->done, "%s", text);
    else if (b->late.len)
        phase_ok(f, b->done, b->effective, "shut down for %s, killed with the power: %s",
                 usec_format(took, usec_now() - b->began), strbuf_str(&b->late));
    else
        phase_ok(f, b->done, b->effective, "services stopped in good order in %s, then power off",
                 usec_format(took, usec_now() - b->began));
}

static void next_round(struct fault *f) {
    struct reboot *b = f->state;
    VEC_CLEAR(&b->stopping);
    while (b->round < (int)ARRAY_SIZE(rounds) && !b->stopping.n) {
        for (size_t k = 0; k < f->n_nodes; k++)
            for (const char *const *s = rounds[b->round]; *s; s++)
                add_service(f, f->nodes[k], *s);
        b->round++;
    }
    if (b->stopping.n)
        salvo_fire(&b->stopping, SIGTERM, false, false, on_shots, f, &b->salvo);
    else
        power_pull(f, on_pulled);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct reboot *b = f->state ? f->state : (f->state = xcalloc(1, sizeof *b));
    for (size_t k = 0; k < f->n_nodes; k++)
        if (!node_is_on(fault_world_node(f->world, f->nodes[k]))) {
            phase_no(f, done, "%s is powered off", f->nodes[k]);
            return;
        }
    b->done = done;
    b->round = 0;
    b->began = usec_now();
    b->effective = sink_now(f->world->sink); // the shutdown begins: what it costs begins here
    f->touched = true;
    next_round(f);
}

static void on_back(struct fault *f, bool ok, usec_t effective, const char *text) {
    (void)f, (void)ok, (void)effective, (void)text; // a boot that failed is found by the heal, which tries again
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct fault *f = arg;
    (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
    if (!f->healing)
        power_restore(f, on_back);
    return 0;
}

static void on_verified(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct reboot *b = f->state;
    usec_t off = 10 * SEC;
    (void)effective;
    (void)usec_parse(fault_param(f, "off"), &off);
    int r = sd_event_add_time_relative(f->world->loop, &b->timer, CLOCK_MONOTONIC, off, 1, on_timer, f);
    if (ok && r >= 0)
        phase_ok(f, b->done, 0, "%s; power on again in %s", text, fault_param(f, "off"));
    else
        phase_no(f, b->done, "%s", ok ? strerror(-r) : text);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct reboot *b = f->state;
    b->done = done;
    power_verify_off(f, on_verified);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct reboot *b = f->state;
    if (b) {
        salvo_drop(&b->salvo);
        retry_stop(&b->retry);
        b->timer = sd_event_source_disable_unref(b->timer);
    }
    // A shutdown that was given up half-way: what it stopped is started again.
    for (size_t k = 0; b && !b->power.flows.n && k < f->n_nodes; k++)
        if (node_is_on(fault_world_node(f->world, f->nodes[k])) && f->world->start_services)
            (void)f->world->start_services(f->world->arg, f->nodes[k], NULL, NULL);
    power_restore(f, done);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    if (f->state)
        power_verify_on(f, done);
    else
        phase_ok(f, done, 0, "nothing was shut down");
}

static void done_with(struct fault *f) {
    struct reboot *b = f->state;
    if (b) {
        salvo_drop(&b->salvo);
        retry_stop(&b->retry);
        sd_event_source_disable_unref(b->timer);
        VEC_DONE(&b->stopping);
        strbuf_done(&b->late);
    }
    power_done(f);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(
            out, "reboot                                 # on %s: systemd stops Patroni, then etcd, then the machine\n",
            f->nodes[k]);
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)t;
    usec_t off;
    const char *text = mechanism_param(&node_reboot_fault.about, params, "off");
    return usec_parse(text, &off) < 0 || off > 600 * SEC
               ? err_set(err, EINVAL, "node.reboot: off is a duration of at most 10 minutes, such as 10s, not '%s'",
                         text)
               : 0;
}

static const struct mechanism_param params[] = {
    {"off", "duration", NULL, "10s", "how long the machine is without power: firmware and boot"}, {0}};

const struct fault_ops node_reboot_fault = {
    .about = {.name = "node.reboot",
              .summary = "shuts a machine down in good order and boots it again",
              .params = params},
    .mechanism =
        "SIGTERM to Patroni and HAProxy, then to etcd, each awaited; then as node.power_off; after `off` the node "
        "boots by itself and its services start. The heal boots at once.",
    .still_works =
        "Orderly hand-over: Patroni stops PostgreSQL, waits for the replicas and gives the leader key back, so "
        "nothing waits for a lease. Disks keep everything.",
    .exercises =
        "Planned maintenance without a switchover first; how much less it costs than a crash; what a cluster does "
        "while it is one short.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 2 * MINUTE,
};
