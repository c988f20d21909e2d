// SPDX-License-Identifier: PostgreSQL
// disk.lose_unsynced: a power cut that forgets what was not fsynced. node.power_off kills every process but the disk
// keeps all they wrote; a real machine loses the page cache. Happy path: each agent stops every further write and fsync
// of its node and puts the old content back (what it kept of each block since the file's last sync), some milliseconds;
// then the power goes as in node.power_off, whose phases do the rest. In those milliseconds a process of the node could
// read what was put back; it can no longer write it anywhere.
#include "injector/disk/disk_param.h"
#include "injector/disk/faults.h"
#include "injector/fault/phases.h"
#include "injector/node/faults.h"

struct lose {
    struct fault *f;
    size_t waiting;
    bool sending;
    int error;
    uint64_t files, bytes;
    fault_phase_done done;
};

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return disk_check(t, params, &disk_lose_unsynced_fault, err);
}

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)t, (void)params;
    if (node->services & (SERVICE_POSTGRES | SERVICE_ETCD))
        return 0;
    return err_set(err, ENOENT, "%s has no disk that could forget anything", node->name);
}

static void on_power(struct fault *f, bool ok, usec_t effective, const char *text) {
    const struct lose *l = f->extra;
    char whole[EVENT_TEXT_MAX];
    (void)snprintf(whole, sizeof whole, "%" PRIu64 " files lost what was not synced (%.2f MB); %s", l->files,
                   (double)l->bytes / 1e6, text);
    l->done(f, ok, effective, whole);
}

static void all_rolled_back(struct fault *f) {
    const struct lose *l = f->extra;
    if (l->waiting || l->sending)
        return;
    if (l->error)
        phase_no(f, l->done, "what was not synced could not be taken back: %s", strerror(l->error));
    else
        node_power_off_fault.inject(f, on_power);
}

static void on_rolled_back(void *arg, const struct disk_answer *a) {
    struct lose *l = arg;
    l->waiting--;
    l->error = l->error ? l->error : a->error;
    l->files += a->files;
    l->bytes += a->bytes;
    all_rolled_back(l->f);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct err err = {0};
    if (disk_check_power(f, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    struct lose *l = f->extra = xcalloc(1, sizeof *l);
    *l = (struct lose){.f = f, .done = done, .sending = true};
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct disk_ask q = {.kind = DISK_ASK_ROLLBACK};
        l->waiting++;
        if (node_disk_ask(fault_world_node(f->world, f->nodes[k]), &q, on_rolled_back, l, &err) < 0) {
            l->waiting--;
            l->error = err.code ? err.code : EIO;
        }
    }
    l->sending = false;
    all_rolled_back(f);
}

static void verify(struct fault *f, fault_phase_done done) {
    node_power_off_fault.verify(f, done);
}

// A node whose writes were stopped but which kept its power (an injection that failed half-way) is cut off after all:
// its content has gone back, its processes must not see that.
static void heal(struct fault *f, fault_phase_done done) {
    if (f->extra && !f->state)
        for (size_t k = 0; k < f->n_nodes; k++) {
            struct node *n = fault_world_node(f->world, f->nodes[k]);
            if (node_is_on(n) && (node_power_off(n, NULL, NULL) < 0 || node_power_on(n, NULL) < 0 ||
                                  f->world->start_services(f->world->arg, f->nodes[k], NULL, NULL) < 0)) {
                phase_no(f, done, "%s could not be started again", f->nodes[k]);
                return;
            }
        }
    node_power_off_fault.heal(f, done);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    if (f->state)
        node_power_off_fault.verify_healed(f, done);
    else
        phase_ok(f, done, 0, "no power was taken");
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_add(out, "# on a real host: pull the plug (echo b >/proc/sysrq-trigger does the same to the page cache)\n");
    node_power_off_fault.describe(f, out);
}

static void done_with(struct fault *f) {
    struct lose *l = f->extra;
    for (size_t k = 0; l && k < f->n_nodes; k++) {
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        if (n)
            node_disk_forget(n, l);
    }
    free(l);
    f->extra = NULL;
    node_power_off_fault.done(f);
}

const struct fault_ops disk_lose_unsynced_fault = {
    .about = {.name = "disk.lose_unsynced",
              .summary = "takes the node's power, and its disks forget what was not fsynced"},
    .disk_layer = DISK_SYNC | DISK_WRITE | DISK_TRACK,
    .mechanism =
        "An agent in the node sees every write and fsync of its services (seccomp user notification) and keeps "
        "the old content of each 8 kB block until the file is synced; at the power cut it puts that back.",
    .still_works =
        "What was fsynced, and names: created, renamed and removed files stay so, as after a journal commit of "
        "ext4; a new file that was never synced is empty. After 30 s the kernel's writeback saves content too.",
    .exercises = "fsync = off and what it costs; that fsync = on loses nothing acknowledged.",
    .needs = "Linux 5.19",
    .check_host = node_disk_supported,
    .check = check,
    .check_node = check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = MINUTE,
};
