// SPDX-License-Identifier: PostgreSQL
// The disk layer as the supervisor sees it: requests to the agent of the present boot, answers on the loop, and the
// rules that every further boot begins with. And the room on a disk that is a file system of its own.
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statvfs.h>

#include "lab/node/internal.h"

static int send_ask(const struct node *n, const struct disk_ask *ask) {
    return n->disk < 0 ? -EHOSTDOWN : proto_send(n->disk, ask, sizeof *ask, MSG_DONTWAIT);
}

static void note_rule(struct node *n, const struct disk_ask *ask) {
    if (ask->kind == DISK_ASK_ADD)
        VEC_PUSH(&n->disk_rules, ask->rule);
    for (size_t i = 0; ask->kind == DISK_ASK_DROP && i < n->disk_rules.n; i++)
        if (n->disk_rules.items[i].id == ask->rule.id)
            n->disk_rules.items[i--] = n->disk_rules.items[--n->disk_rules.n];
}

int node_disk_ask(struct node *n, struct disk_ask *ask, node_disk_done done, void *arg, struct err *err) {
    if (!n->disk_layer)
        return err_set(err, ENOSYS, "node '%s' has no disk layer; start the lab with --set disk_faults=yes", n->name);
    ask->id = ++n->last_id;
    if (ask->kind == DISK_ASK_ADD)
        ask->rule.id = ask->id;
    note_rule(n, ask);
    int r = send_ask(n, ask);
    if (r == -EHOSTDOWN && (ask->kind == DISK_ASK_ADD || ask->kind == DISK_ASK_DROP)) {
        done(arg, &(struct disk_answer){.kind = ask->kind, .rule = ask->rule.id}); // the next boot will know
        return 0;
    }
    if (r < 0)
        return err_sys(err, -r, "ask the disk agent of node '%s'", n->name);
    VEC_PUSH(&n->disk_asks, ((struct node_disk_ask){.id = ask->id, .done = done, .arg = arg}));
    return 0;
}

void node_disk_forget(struct node *n, const void *arg) {
    VEC_FOREACH (&n->disk_asks, a)
        if (a->arg == arg)
            a->done = NULL;
}

static void finish(struct node *n, const struct disk_answer *answer) {
    for (size_t i = 0; i < n->disk_asks.n; i++)
        if (n->disk_asks.items[i].id == answer->id) {
            struct node_disk_ask a = n->disk_asks.items[i];
            n->disk_asks.items[i] = n->disk_asks.items[--n->disk_asks.n];
            if (a.done)
                a.done(a.arg, answer); // last: it may ask again
            return;
        }
}

void node_disk_abandon(struct node *n) {
    n->on_disk = sd_event_source_disable_unref(n->on_disk);
    if (n->disk >= 0)
        (void)close(n->disk);
    n->disk = -1;
    while (n->disk_asks.n)
        finish(n, &(struct disk_answer){.id = n->disk_asks.items[0].id, .error = ECANCELED});
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    struct node *n = arg;
    struct disk_answer a;
    (void)revents;
    ssize_t got = recv(fd, &a, sizeof a, MSG_DONTWAIT);
    if (got == (ssize_t)sizeof a)
        finish(n, &a);
    else if (got == 0 && n->on_disk == s) // the node goes down; its end is told elsewhere
        n->on_disk = sd_event_source_disable_unref(n->on_disk);
    return 0;
}

int node_disk_boot(struct node *n, struct err *err) {
    if (n->disk < 0)
        return 0;
    int r = sd_event_add_io(n->loop, &n->on_disk, n->disk, EPOLLIN, on_answer, n);
    for (size_t i = 0; r >= 0 && i < n->disk_rules.n; i++)
        r = send_ask(n, &(struct disk_ask){.kind = DISK_ASK_ADD, .rule = n->disk_rules.items[i]});
    return r < 0 ? err_sys(err, -r, "talk to its disk agent") : 0;
}

// ---- room ----------------------------------------------------------------------------------------------------------

static const char *folder(const struct node *n, enum disk d) {
    return d == DISK_ETCD ? n->etcd_dir : n->postgresql_dir;
}

int node_disk_room(const struct node *n, enum disk d, struct disk_room *ret, struct err *err) {
    struct statvfs s;
    if (!n->own_disks)
        return err_set(err, ENOTSUP, "the disks of node '%s' are folders of the host's file system", n->name);
    if (statvfs(folder(n, d), &s) < 0)
        return err_sys(err, errno, "look at the disk of node '%s'", n->name);
    *ret = (struct disk_room){.size = s.f_blocks * s.f_frsize, .used = (s.f_blocks - s.f_bfree) * s.f_frsize};
    return 0;
}

// Only the file system's own options change, for everybody who has it mounted: the node's mount of it too.
static int resize(const struct node *n, enum disk d, uint64_t size, struct err *err) {
    char options[64];
    (void)snprintf(options, sizeof options, "size=%" PRIu64, size);
    if (mount(NULL, folder(n, d), NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options) < 0)
        return err_sys(err, errno, "set the size of the disk of node '%s' to %" PRIu64 " bytes", n->name, size);
    return 0;
}

static uint64_t wanted(const struct node *n, enum disk d) {
    uint64_t size = n->disk_size[d];
    for (size_t i = 0; i < n->disk_limits.n; i++)
        if (n->disk_limits.items[i].disk == d && n->disk_limits.items[i].size < size)
            size = n->disk_limits.items[i].size;
    return size;
}

// A size below what is in use is refused, and what is in use grows meanwhile.
static int apply_limit(const struct node *n, enum disk d, struct err *err) {
    enum { TRIES = 20 };
    int r = -EINVAL;
    for (int i = 0; i < TRIES && r < 0; i++) {
        struct disk_room room = {0};
        if ((r = node_disk_room(n, d, &room, err)) < 0)
            return r;
        uint64_t size = wanted(n, d);
        r = resize(n, d, size > room.used ? size : room.used, err);
    }
    return r;
}

int node_disk_limit(struct node *n, enum disk d, const void *owner, uint64_t size, struct err *err) {
    struct disk_room room = {0};
    int r = node_disk_room(n, d, &room, err);
    if (r < 0)
        return r;
    if (!n->disk_size[d])
        n->disk_size[d] = room.size;
    for (size_t i = 0; i < n->disk_limits.n; i++)
        if (n->disk_limits.items[i].owner == owner && n->disk_limits.items[i].disk == d)
            n->disk_limits.items[i--] = n->disk_limits.items[--n->disk_limits.n];
    if (size)
        VEC_PUSH(&n->disk_limits, ((struct node_disk_limit){.owner = owner, .disk = d, .size = size}));
    return apply_limit(n, d, err);
}

size_t node_disk_limits(const struct node *n, enum disk d, const void *but) {
    size_t count = 0;
    for (size_t i = 0; i < n->disk_limits.n; i++)
        count += n->disk_limits.items[i].disk == d && n->disk_limits.items[i].owner != but;
    return count;
}

size_t node_disk_rules(const struct node *n, enum disk d) {
    size_t count = 0;
    for (size_t i = 0; i < n->disk_rules.n; i++)
        count += n->disk_rules.items[i].disk == d;
    return count;
}

int node_disk_fill(const struct node *n, enum disk d, uint64_t most, uint64_t *ret_room, struct err *err) {
    static const char chunk[65536] = "bascule";
    cleanup_close int fd = open(folder(n, d), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    *ret_room = 0;
    if (fd < 0) // no room for an inode either
        return errno == ENOSPC ? -ENOSPC : err_sys(err, errno, "write to the disk of node '%s'", n->name);
    while (*ret_room < most) {
        ssize_t w = write(fd, chunk, sizeof chunk);
        if (w < 0)
            return errno == ENOSPC ? -ENOSPC : err_sys(err, errno, "write to the disk of node '%s'", n->name);
        *ret_room += (uint64_t)w;
    }
    return 0;
}
