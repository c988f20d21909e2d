// SPDX-License-Identifier: PostgreSQL
// node.power_off, and the power half of node.reboot: the plug is pulled. First the link, then every process at once, so that no RST or FIN leaves the
// node: peers learn nothing, as from a machine that lost its power (killing the daemons would reset their connections).
// Happy path: baseline probes, link cut, init killed; silence, port down and no process left are the proof.
// Healing boots the node and starts its services; a link that another fault holds down is put down again after the
// boot.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "injector/fault/phases.h"
#include "injector/net/flow_params.h"
#include "injector/net/net_check.h"
#include "injector/net/net_cuts.h"
#include "injector/node/faults.h"
#include "injector/node/power.h"
#include "injector/process/process.h"

static int pull_each(struct fault *f, struct power *p, usec_t *ret_effective, struct err *err) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        int r = node_power_off(fault_world_node(f->world, f->nodes[k]), ret_effective, err);
        if (r < 0)
            return r;
        p->off[k] = true;
    }
    return 0;
}

// Several nodes fall silent in one transaction of the switch, before the first of them takes its milliseconds to be
// reaped. Once their ports are down the cut has no meaning any more and is taken back.
static int pull_together(struct fault *f, struct power *p, usec_t *ret_effective, struct err *err) {
    struct net_cuts *cuts = f->world->cuts;
    usec_t later;
    net_cuts_add(cuts, &p->flows, NET_SILENCE);
    int r = net_cuts_commit(f->world, err);
    if (r >= 0) {
        *ret_effective = sink_now(f->world->sink);
        r = pull_each(f, p, &later, err);
    }
    net_cuts_remove(cuts, &p->flows, NET_SILENCE);
    int k = net_cuts_commit(f->world, r < 0 ? NULL : err);
    return r < 0 ? r : k;
}

void power_pull(struct fault *f, fault_phase_done done) {
    struct power *p = f->state ? f->state : (f->state = xcalloc(1, sizeof *p));
    struct err err = {0};
    for (size_t k = 0; k < f->n_nodes; k++)
        if (!node_is_on(fault_world_node(f->world, f->nodes[k]))) {
            phase_no(f, done, "%s is powered off already", f->nodes[k]);
            return;
        }
    VEC_CLEAR(&p->flows);
    flows_around(f, &p->flows);
    if (net_check_begin(f->world, &p->flows, &p->check, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    usec_t effective = 0, asked = usec_now();
    cleanup_strbuf struct strbuf text = {0};
    f->touched = true;
    fault_nodes_text(f, &text);
    if ((f->n_nodes > 1 ? pull_together : pull_each)(f, p, &effective, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    phase_ok(f, done, effective, "power gone: %s; %s, then every process killed and reaped, %.1f ms in all",
             strbuf_str(&text), f->n_nodes > 1 ? "all cut off in one transaction" : "link cut",
             (double)(usec_now() - asked) / 1000.0);
}

// Processes that live in the node's network namespace although it is off; asked of the supervisor's own /proc, not of
// the node.
static int count_leftovers(const struct node *n) {
    struct stat ns, st;
    cleanup_dir DIR *dir = opendir("/proc");
    if (!dir || fstat(node_ns(n, NODE_NS_NET), &ns) < 0)
        return -errno;
    int count = 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        char path[300];
        (void)snprintf(path, sizeof path, "/proc/%s/ns/net", e->d_name);
        if (isdigit((unsigned char)e->d_name[0]) && stat(path, &st) == 0 && st.st_ino == ns.st_ino &&
            st.st_dev == ns.st_dev)
            count++;
    }
    return count;
}

static bool look_off(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        struct err err = {0};
        bool up = true;
        int left = count_leftovers(n);
        if (node_is_on(n) || node_init_pid(n) > 0)
            strbuf_addf(out, "the init of %s is still there", f->nodes[k]);
        else if (left != 0)
            strbuf_addf(out, "%d processes of %s are left", left, f->nodes[k]);
        else if (switch_port_get(f->world->sw, f->nodes[k], &up, &err) < 0)
            strbuf_add(out, err.msg);
        else if (up)
            strbuf_addf(out, "the link of %s is still up", f->nodes[k]);
        else
            continue;
        return false;
    }
    return true;
}

static void on_silence(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct power *p = f->state;
    if (ok)
        phase_ok(f, p->done, 0, "link down, no process left; %s", text);
    else
        phase_no(f, p->done, "%s", text);
}

void power_verify_off(struct fault *f, fault_phase_done done) {
    struct power *p = f->state;
    cleanup_strbuf struct strbuf why = {0};
    if (!look_off(f, &why)) {
        phase_no(f, done, "%s", strbuf_str(&why));
        return;
    }
    p->done = done;
    net_check_silence(p->check, on_silence, f);
}

static int boot(struct fault *f, struct power *p, size_t k, struct err *err) {
    struct node *n = fault_world_node(f->world, f->nodes[k]);
    int i = fault_world_index(f->world, f->nodes[k]), r = 0;
    if (!node_is_on(n)) {
        r = node_power_on(n, err);
        // A link that was down already when the power went is not brought back by the boot; one that a fault holds
        // stays down.
        if (r >= 0)
            r = switch_port_set(f->world->sw, f->nodes[k], !f->world->cuts->link_down[i], err);
        p->started[k] = false;
    } else {
        p->started[k] = true; // somebody else has booted it, and started what it runs
    }
    if (r < 0 || p->started[k])
        return r;
    r = f->world->start_services ? f->world->start_services(f->world->arg, f->nodes[k], NULL, err) : 0;
    p->started[k] = r >= 0;
    return r;
}

void power_restore(struct fault *f, fault_phase_done done) {
    struct power *p = f->state;
    struct err err = {0};
    if (!p || !p->flows.n) {
        phase_ok(f, done, 0, "no power was taken");
        return;
    }
    net_check_free(STEAL(p->check));
    for (size_t k = f->n_nodes; k-- > 0;) {
        int r = p->off[k] ? boot(f, p, k, &err) : 0;
        if (r < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
    }
    phase_ok(f, done, sink_now(f->world->sink), "powered on, the init answers, services are starting");
}

static void on_open(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct power *p = f->state;
    if (ok)
        phase_ok(f, p->done, 0, "the init runs, the link is up; %s", text);
    else
        phase_no(f, p->done, "%s", text);
}

void power_verify_on(struct fault *f, fault_phase_done done) {
    struct power *p = f->state;
    struct err err = {0};
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        struct process init;
        if (!node_is_on(n) || process_read(n, 1, &init) < 0 || init.state == 'Z') {
            phase_no(f, done, "%s has no init", f->nodes[k]);
            return;
        }
        bool up = false, held = f->world->cuts->link_down[fault_world_index(f->world, f->nodes[k])] > 0;
        if (!held && (switch_port_get(f->world->sw, f->nodes[k], &up, &err) < 0 || !up)) {
            phase_no(f, done, "the link of %s is down", f->nodes[k]);
            return;
        }
    }
    p->done = done;
    if (net_check_open(f->world, &p->flows, 10 * SEC, on_open, f, &p->check, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_add(out,
               "# on a real host: pull the plug, or destroy the virtual machine. In a lab the same in two steps:\n");
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(
            out, "ip link set h-%s down       # on the switch, first: no RST, no FIN gets out\nkill -KILL INIT_OF_%s\n",
            f->nodes[k], f->nodes[k]);
}

void power_done(struct fault *f) {
    struct power *p = f->state;
    if (p) {
        net_check_free(p->check);
        VEC_DONE(&p->flows);
    }
    free(p);
    f->state = NULL;
}

const struct fault_ops node_power_off_fault = {
    .about = {.name = "node.power_off", .summary = "takes the node's power: silence, every process gone"},
    .mechanism = "The switch port goes down, then SIGKILL to the node's init: the kernel kills every process of the "
                 "node at once.",
    .still_works =
        "Disks keep what was written, even without fsync (unlike a real power loss). Peers get no RST: their "
        "connections hang until a timeout.",
    .exercises = "Lease expiry, leader election, TCP timeouts and keepalives, rewind of the old leader on its return.",
    .needs = "nothing",
    .inject = power_pull,
    .verify = power_verify_off,
    .heal = power_restore,
    .verify_healed = power_verify_on,
    .describe = describe,
    .done = power_done,
    .patience = MINUTE,
};
