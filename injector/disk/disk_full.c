// SPDX-License-Identifier: PostgreSQL
// disk.full: no room on one disk of one node. In a lab in memory each of a node's two disks is a tmpfs of its own; its
// size is set to what is in use, and the next new page is refused with ENOSPC by the kernel itself. No ballast file lies
// about, and nothing has to be deleted to heal: the size goes back to what it was. As on any full disk, room that
// somebody frees can be used again.
#include "injector/disk/disk_param.h"
#include "injector/disk/faults.h"
#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "lab/scenario/yaml/scalar.h"

enum { FILL_MAX = 64 << 20, FILL_SOME = 256 << 10 };

static uint64_t room_left(const struct fault *f) {
    char why[WHY_MAX];
    int64_t size = 0;
    return scalar_size(fault_param(f, "free"), &size, why) && size > 0 ? (uint64_t)size : 0;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    if (t->storage != STORAGE_MEMORY)
        return err_set(
            err, ENOTSUP,
            "disk.full needs storage: memory (a disk of its own for each service); in the run folder it would "
            "fill the host's file system");
    return disk_check(t, params, &disk_full_fault, err);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct err err = {0};
    cleanup_strbuf struct strbuf text = {0};
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        struct disk_room before, after;
        int r = node_disk_room(n, disk_of(f), &before, &err);
        if (r >= 0)
            r = node_disk_limit(n, disk_of(f), f, before.used + room_left(f), &err);
        if (r >= 0)
            r = node_disk_room(n, disk_of(f), &after, &err);
        if (r < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
        strbuf_addf(&text, "%s%s: %.1f MB in use of %.1f MB (was %.0f MB)", k ? "; " : "", f->nodes[k],
                    (double)after.used / 1e6, (double)after.size / 1e6, (double)before.size / 1e6);
    }
    phase_ok(f, done, sink_now(f->world->sink), "%s", strbuf_str(&text));
}

static void verify(struct fault *f, fault_phase_done done) {
    cleanup_strbuf struct strbuf text = {0};
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct err err = {0};
        uint64_t room, most = room_left(f) + FILL_MAX;
        int r = node_disk_fill(fault_world_node(f->world, f->nodes[k]), disk_of(f), most, &room, &err);
        if (r == 0)
            phase_no(f, done, "%.0f MB could still be written on %s", (double)room / 1e6, f->nodes[k]);
        else if (r != -ENOSPC)
            phase_no(f, done, "%s", err.msg);
        if (r != -ENOSPC)
            return;
        strbuf_addf(&text, "%s%s: a write got ENOSPC after %.2f MB", k ? "; " : "", f->nodes[k], (double)room / 1e6);
    }
    phase_ok(f, done, 0, "%s", strbuf_str(&text));
}

static void heal(struct fault *f, fault_phase_done done) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct err err = {0};
        if (node_disk_limit(fault_world_node(f->world, f->nodes[k]), disk_of(f), f, 0, &err) < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
    }
    phase_ok(f, done, sink_now(f->world->sink), "the disk has its old size again, unless another fault limits it too");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct err err = {0};
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        uint64_t room;
        if (node_disk_limits(n, disk_of(f), f))
            continue; // another fault's
        int r = node_disk_fill(n, disk_of(f), FILL_SOME, &room, &err);
        if (r < 0) {
            phase_no(f, done, "%s: %s", f->nodes[k], r == -ENOSPC ? "still no space left" : err.msg);
            return;
        }
    }
    phase_ok(f, done, 0, "%d kB could be written", FILL_SOME >> 10);
}

static void describe(const struct fault *f, struct strbuf *out) {
    const char *disk = fault_param(f, "disk");
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out,
                    "# on %s; back: rm /var/lib/%s/ballast (in the lab the size of the disk is changed instead)\n"
                    "fallocate -l $(df --output=avail -B1 /var/lib/%s | tail -1) /var/lib/%s/ballast\n",
                    f->nodes[k], disk, disk, disk);
}

// A fault that ends with the lab, or failed: its limit goes with it.
static void done_with(struct fault *f) {
    for (size_t k = 0; f->touched && k < f->n_nodes; k++) {
        struct node *n = fault_world_node(f->world, f->nodes[k]);
        if (n)
            (void)node_disk_limit(n, disk_of(f), f, 0, NULL);
    }
}

static const struct mechanism_param params[] = {
    DISK_PARAM, {"free", "size", NULL, "0", "how much room to leave: the rest of the way is the daemon's own"}, {0}};

const struct fault_ops disk_full_fault = {
    .about = {.name = "disk.full", .summary = "leaves no room on a disk (ENOSPC)", .params = params},
    .mechanism = "Each disk is a tmpfs of its own; its size is set to what is in use (remount), so the kernel itself "
                 "answers ENOSPC. Healing raises the size again.",
    .still_works = "Reading, overwriting what is allocated already (a recycled WAL segment, an etcd WAL file that was "
                   "preallocated), and whatever somebody makes room for. /var/log lies elsewhere.",
    .exercises =
        "A crash loop without failover: PostgreSQL PANICs when it can't extend WAL, Patroni starts it again and "
        "keeps the lock. etcd: a member that can't write ends.",
    .needs = "nothing",
    .check = check,
    .check_node = disk_check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
