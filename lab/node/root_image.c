// SPDX-License-Identifier: PostgreSQL
// A node whose root is an image. In the node's new mount namespace: an overlay over the image's tree, which all nodes share
// and none writes to; on it what a running system has (/proc, /sys, /dev of the lab, empty /run and /tmp); then it becomes
// the root and the host's own is gone from this namespace. A boot puts fresh ones on top, as for every node (root_boot).
// The overlay can't be stacked on by another for /etc (FILESYSTEM_MAX_STACK_DEPTH is 2, and an image may lie on an overlay
// itself, as in a container), nor need it be: the node's /etc is part of the same upper layer.
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"
#include "lab/sandbox/mounts.h"

// The folders that something is mounted on, should the image lack them.
static int make_places(const char *root, struct err *err) {
    static const char *const places[] = {"proc",         "sys",    "dev", "run", "tmp", "var/lib/postgresql",
                                         "var/lib/etcd", "var/log"};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++) {
        cleanup_free char *path = xasprintf("%s/%s", root, places[i]);
        r = fs_mkdirs(path, 0755, err);
    }
    return r;
}

static int place_system(const char *root, struct err *err) {
    static const char *const shared[] = {"/proc", "/sys", "/dev"};
    static const struct { const char *path, *options; } own[] = {{"run", "mode=755"}, {"tmp", "mode=1777"}};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(shared) && r == 0; i++) {
        cleanup_free char *at = xasprintf("%s%s", root, shared[i]);
        r = mount_bind(shared[i], at, err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(own) && r == 0; i++) {
        cleanup_free char *at = xasprintf("%s/%s", root, own[i].path);
        r = mount_tmpfs(at, own[i].options, err);
    }
    return r;
}

int root_enter_image(const struct node *n, struct err *err) {
    cleanup_free char *root = xasprintf("%s/root.mount", n->disk_dir);
    int r = mount_mkdir(root, 0755, err);
    if (r == 0)
        r = mount_overlay_of(n->image_root, root, n->disk_dir, "root", err);
    if (r == 0)
        r = make_places(root, err);
    if (r == 0)
        r = place_system(root, err);
    if (r == 0)
        r = mount_become_root(root, err);
    return r < 0 ? err_wrap(err, "a root from image '%s'", n->image_root) : 0;
}
