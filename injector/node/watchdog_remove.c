// SPDX-License-Identifier: PostgreSQL
// watchdog.remove: the device is gone, as after a boot without the softdog module or with wrong permissions. Patroni
// looks for it by name whenever it considers leading (watchdog/linux.py, is_healthy: the path exists and is writable);
// one that leads already keeps its open descriptor and its armed watchdog. A rename, so that the heal brings the same
// device back. A boot brings it back too: the machine's init makes it.
#include <stdio.h>
#include <sys/stat.h>

#include "injector/fault/phases.h"
#include "injector/node/faults.h"
#include "lab/base/fs.h"

static void path_on(const struct node *n, const char *suffix, char *buf, size_t size) {
    (void)snprintf(buf, size, "/proc/%d/root%s%s", (int)node_init_pid(n), NODE_WATCHDOG, suffix);
}

static bool usable(const struct node *n) {
    char path[96];
    struct stat st;
    path_on(n, "", path, sizeof path);
    return node_is_on(n) && stat(path, &st) == 0 && st.st_mode & S_IWUSR;
}

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)params;
    return topology_watchdog(t, node) != WATCHDOG_OFF
               ? 0
               : err_set(err, ENOENT, "%s has no watchdog: set patroni.watchdog to automatic or required", node->name);
}

static void inject(struct fault *f, fault_phase_done done) {
    cleanup_strbuf struct strbuf nodes = {0};
    fault_nodes_text(f, &nodes);
    for (size_t k = 0; k < f->n_nodes; k++) {
        const struct node *n = fault_world_node(f->world, f->nodes[k]);
        char from[96], to[96];
        path_on(n, "", from, sizeof from);
        path_on(n, ".removed", to, sizeof to);
        f->touched = true;
        if (!node_is_on(n) || (rename(from, to) < 0 && (errno != ENOENT || !fs_exists(to)))) {
            phase_no(f, done, "%s: %s", f->nodes[k], node_is_on(n) ? strerror(errno) : "powered off");
            return;
        }
    }
    phase_ok(f, done, sink_now(f->world->sink), "%s is gone on %s", NODE_WATCHDOG, strbuf_str(&nodes));
}

static void verify(struct fault *f, fault_phase_done done) {
    for (size_t k = 0; k < f->n_nodes; k++)
        if (usable(fault_world_node(f->world, f->nodes[k]))) {
            phase_no(f, done, "%s on %s can still be opened for writing", NODE_WATCHDOG, f->nodes[k]);
            return;
        }
    phase_ok(f, done, 0, "%s can't be opened for writing, which is what Patroni asks before it leads", NODE_WATCHDOG);
}

// Two of these faults on one node: the first heal brings the device back, and says so; removing twice is one removal.
static void heal(struct fault *f, fault_phase_done done) {
    size_t back = 0;
    for (size_t k = 0; k < f->n_nodes; k++) {
        const struct node *n = fault_world_node(f->world, f->nodes[k]);
        char from[96], to[96];
        path_on(n, ".removed", from, sizeof from);
        path_on(n, "", to, sizeof to);
        back += node_is_on(n) && fs_exists(from) && rename(from, to) == 0;
    }
    phase_ok(f, done, sink_now(f->world->sink), "%s is back on %zu of %zu nodes; the others had it already or are off",
             NODE_WATCHDOG, back, f->n_nodes);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        const struct node *n = fault_world_node(f->world, f->nodes[k]);
        if (node_is_on(n) && !usable(n)) {
            phase_no(f, done, "%s on %s can't be opened for writing", NODE_WATCHDOG, f->nodes[k]);
            return;
        }
    }
    phase_ok(f, done, 0, "%s can be opened for writing", NODE_WATCHDOG);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out, "rmmod softdog                          # on %s; in the lab: mv %s %s.removed\n", f->nodes[k],
                    NODE_WATCHDOG, NODE_WATCHDOG);
}

static void done_with(struct fault *f) {
    (void)f;
}

const struct fault_ops watchdog_remove_fault = {
    .about = {.name = "watchdog.remove", .summary = "takes a node's watchdog device away"},
    .mechanism = "The device is renamed; what has it open keeps it.",
    .still_works =
        "A leader that has armed its watchdog keeps it armed. Nothing at all is seen until somebody else should lead.",
    .exercises = "patroni.watchdog required: no candidate left, REST watchdog_failed; automatic: an unfenced leader.",
    .needs = "a topology with patroni.watchdog",
    .check_node = check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
