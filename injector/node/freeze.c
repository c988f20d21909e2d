// SPDX-License-Identifier: PostgreSQL
// node.freeze: the machine hangs. First it falls silent on the network, then every process of it stops at one instant:
// one kill(-1, SIGSTOP) by its init. Nobody answers, no connection ends, and when it thaws everybody goes on as if no
// time had passed: that is what makes a hung machine worse than a dead one. Its watchdog, being hardware, runs on.
// Happy path: baseline probes, cut, stop, all seen in state T; verified by silence, by states and by processor time not
// used. The heal opens the network and continues whoever no other fault holds. A node that lost its power meanwhile has
// nothing left to thaw, only its cut is taken back.
#include <signal.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/net/flow_params.h"
#include "injector/net/net_check.h"
#include "injector/net/net_cuts.h"
#include "injector/node/faults.h"
#include "injector/process/frozen.h"
#include "injector/process/victims.h"

struct freeze {
    flow_list flows;
    bool cut;                  // our pairs are in world->cuts
    victim_list held;          // counted in world->frozen
    size_t waiting, stopped;   // answers of the inits
    usec_t first, last, since; // when the signals went out
    char why[128];
    struct net_check *check;
    struct retry *retry;
    fault_phase_done done;
};

struct ask { // one request to an init; outlives the fault if it must
    struct fault *f;
    bool dropped;
    struct ask *next;
};
static struct ask *asked; // under way

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)t, (void)params;
    return check_not_application(&node_freeze_fault.about, node, err);
}

static void everybody(const struct fault *f, const char *name, victim_list *out) {
    struct node *n = fault_world_node(f->world, name);
    process_list all = {0};
    if (n && node_is_on(n) && process_scan(n, &all, NULL) >= 0)
        for (size_t i = 0; i < all.n; i++)
            if (all.items[i].pid != 1 && !strchr("ZX", all.items[i].state)) {
                struct victim v = {.node = n, .process = all.items[i]};
                STR_COPY(v.what, "process");
                VEC_PUSH(out, v);
            }
    VEC_DONE(&all);
}

static void hold_all(struct fault *f, struct freeze *z) {
    for (size_t k = 0; k < f->n_nodes; k++)
        everybody(f, f->nodes[k], &z->held);
    for (size_t i = 0; i < z->held.n; i++)
        frozen_hold(f->world->frozen, &z->held.items[i]);
}

static void release_all(struct fault *f, struct freeze *z) {
    for (size_t i = 0; i < z->held.n; i++)
        frozen_release(f->world->frozen, &z->held.items[i]);
}

static void on_all_answered(struct fault *f, struct freeze *z) {
    hold_all(f, z); // also when it failed half-way: the heal must know whom to thaw
    if (*z->why) {
        phase_no(f, z->done, "%s", z->why);
        return;
    }
    cleanup_strbuf struct strbuf nodes = {0}, spread = {0};
    fault_nodes_text(f, &nodes);
    spread_text(f->n_nodes, z->first, z->last, &spread);
    phase_ok(f, z->done, z->last,
             "%s cut off, then SIGSTOP to all %zu processes at once%s, all seen stopped %.1f ms later",
             strbuf_str(&nodes), z->held.n, strbuf_str(&spread), (double)(usec_now() - z->since) / 1000.0);
}

static void on_stopped(void *arg, const struct node_signal_result *r) {
    struct ask *a = arg;
    for (struct ask **p = &asked; *p; p = &(*p)->next)
        if (*p == a) {
            *p = a->next;
            break;
        }
    struct fault *f = a->f;
    bool dropped = a->dropped;
    free(a);
    if (dropped)
        return;
    struct freeze *z = f->state;
    if (r->error)
        (void)snprintf(z->why, sizeof z->why, "not every process stopped: %s", strerror(-r->error));
    z->first = z->first && z->first < r->sent ? z->first : r->sent;
    z->last = r->sent > z->last ? r->sent : z->last;
    if (--z->waiting == 0)
        on_all_answered(f, z);
}

static int stop_each(struct fault *f, struct freeze *z, struct err *err) {
    z->waiting = 1;
    int r = 0;
    for (size_t k = 0; k < f->n_nodes && r >= 0; k++) {
        struct ask *a = xcalloc(1, sizeof *a);
        *a = (struct ask){.f = f, .next = asked};
        r = node_signal_all(fault_world_node(f->world, f->nodes[k]), SIGSTOP, on_stopped, a, err);
        if (r < 0) {
            free(a);
            break;
        }
        asked = a;
        z->waiting++;
    }
    z->waiting--;
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct freeze *z = f->state ? f->state : (f->state = xcalloc(1, sizeof *z));
    struct err err = {0};
    z->done = done;
    for (size_t k = 0; k < f->n_nodes; k++)
        if (!node_is_on(fault_world_node(f->world, f->nodes[k]))) {
            phase_no(f, done, "%s is powered off", f->nodes[k]);
            return;
        }
    VEC_CLEAR(&z->flows);
    flows_around(f, &z->flows);
    int r = net_check_begin(f->world, &z->flows, &z->check, &err);
    if (r >= 0) {
        f->touched = true;
        z->since = usec_now();
        net_cuts_add(f->world->cuts, &z->flows, NET_SILENCE);
        z->cut = true;
        r = net_cuts_commit(f->world, &err);
    }
    if (r >= 0)
        r = stop_each(f, z, &err);
    if (r < 0)
        phase_no(f, done, "%s", err.msg);
}

// ---- verify: silent, in state T, and no processor time used over 100 ms --------------------------------------------

static void on_silence(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct freeze *z = f->state;
    size_t n = 0;
    for (size_t i = 0; i < z->held.n; i++) {
        const struct victim *v = &z->held.items[i];
        struct process now;
        if (process_read(v->node, v->process.pid, &now) < 0 || now.start != v->process.start || strchr("ZX", now.state))
            continue; // had just ended
        if (!process_frozen(v->node, &v->process) || now.cpu != v->process.cpu) {
            phase_no(f, z->done, "process %lld on %s is in state %c%s", (long long)v->process.pid, node_name(v->node),
                     now.state, now.cpu != v->process.cpu ? " and used processor time" : "");
            return;
        }
        n++;
    }
    if (ok && n)
        phase_ok(f, z->done, 0, "%zu processes in state T, no processor time used in 150 ms; %s", n, text);
    else
        phase_no(f, z->done, "%s", n ? text : "no process is left to be frozen");
}

static void verify(struct fault *f, fault_phase_done done) {
    struct freeze *z = f->state;
    z->done = done;
    for (size_t i = 0; i < z->held.n; i++) {
        struct victim *v = &z->held.items[i];
        struct process now;
        if (process_read(v->node, v->process.pid, &now) == 0 && now.start == v->process.start)
            v->process.cpu = now.cpu;
    }
    net_check_silence(z->check, on_silence, f);
}

// ---- heal ----------------------------------------------------------------------------------------------------------

// Everybody whom no other fault holds, whatever their state: who was forked into the freeze is on nobody's list, and who
// sleeps in the kernel (D: a vfork whose child was stopped before its exec, a disk that hangs) has the SIGSTOP still
// before it and would stop when it wakes up. SIGCONT takes that back; to others it means nothing.
static size_t thaw(const struct fault *f) {
    victim_list all = {0};
    size_t n = 0;
    for (size_t k = 0; k < f->n_nodes; k++)
        everybody(f, f->nodes[k], &all);
    for (size_t i = 0; i < all.n; i++) {
        const struct victim *v = &all.items[i];
        if (!frozen_held(f->world->frozen, v))
            n += node_signal_pid(v->node, v->process.pid, SIGCONT, false, false, NULL, NULL, NULL) >= 0;
    }
    VEC_DONE(&all);
    return n;
}

static void heal(struct fault *f, fault_phase_done done) {
    struct freeze *z = f->state;
    struct err err = {0};
    if (!z) {
        phase_ok(f, done, 0, "nothing was frozen");
        return;
    }
    net_check_free(STEAL(z->check));
    if (z->cut)
        net_cuts_remove(f->world->cuts, &z->flows, NET_SILENCE);
    z->cut = false;
    int r = net_cuts_commit(f->world, &err);
    release_all(f, z);
    size_t n = thaw(f);
    VEC_CLEAR(&z->held);
    if (r < 0)
        phase_no(f, done, "%s", err.msg);
    else
        phase_ok(f, done, sink_now(f->world->sink), "the network is open again, SIGCONT sent to %zu processes", n);
}

static bool nobody_frozen(void *arg) {
    const struct fault *f = arg;
    victim_list all = {0};
    bool none = true;
    for (size_t k = 0; k < f->n_nodes; k++)
        everybody(f, f->nodes[k], &all);
    for (size_t i = 0; i < all.n; i++)
        none = none && (all.items[i].process.state != 'T' || frozen_held(f->world->frozen, &all.items[i]));
    VEC_DONE(&all);
    return none;
}

static void on_open(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct freeze *z = f->state;
    if (ok)
        phase_ok(f, z->done, 0, "nobody is in state T; %s", text);
    else
        phase_no(f, z->done, "%s", text);
}

static void on_thawed(void *arg, bool met) {
    struct fault *f = arg;
    struct freeze *z = f->state;
    struct err err = {0};
    bool on = true;
    for (size_t k = 0; k < f->n_nodes; k++)
        on = on && node_is_on(fault_world_node(f->world, f->nodes[k]));
    if (!met)
        phase_no(f, z->done, "still in state T after SIGCONT");
    else if (!on)
        phase_ok(f, z->done, 0, "powered off meanwhile: nothing left to thaw");
    else if (net_check_open(f->world, &z->flows, 5 * SEC, on_open, f, &z->check, &err) < 0)
        phase_no(f, z->done, "%s", err.msg);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct freeze *z = f->state;
    struct err err = {0};
    if (!z) {
        phase_ok(f, done, 0, "nothing was frozen");
        return;
    }
    z->done = done;
    if (retry_start(f->world->loop, 2 * MSEC, 3 * SEC, nobody_frozen, on_thawed, f, &z->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void done_with(struct fault *f) {
    struct freeze *z = f->state;
    for (struct ask *a = asked; a; a = a->next)
        a->dropped = a->dropped || a->f == f;
    if (!z)
        return;
    if (f->world->frozen)
        release_all(f, z);
    net_check_free(z->check);
    retry_stop(&z->retry);
    VEC_DONE(&z->held);
    VEC_DONE(&z->flows);
    free(z);
    f->state = NULL;
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_add(out, "# on a real host: virsh suspend VM; back: virsh resume VM. In a lab the same in two steps:\n");
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out,
                    "nft add rule bridge ... iifname h-%s drop; nft add rule bridge ... oifname h-%s drop   # first\n"
                    "kill -STOP -1                          # on %s; back: kill -CONT -1\n",
                    f->nodes[k], f->nodes[k], f->nodes[k]);
}

const struct fault_ops node_freeze_fault = {
    .about = {.name = "node.freeze", .summary = "the machine hangs: every process stops at one instant, silence"},
    .mechanism = "The switch drops all its frames, then its init sends one kill(-1, SIGSTOP); SIGCONT undoes it.",
    .still_works =
        "Nothing, yet nothing has ended: memory, connections and beliefs are as they were when it thaws. Unlike "
        "in a suspended virtual machine its clocks run on, and so do its kernel's TCP timers and a watchdog.",
    .exercises =
        "A leader that wakes up after it was replaced and still believes; lease expiry; TCP timeouts; watchdogs.",
    .needs = "nothing",
    .check_node = check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .thaws = true,
};
