// SPDX-License-Identifier: PostgreSQL
// A node whose root is an image. In the node's new mount namespace: an overlay over the image's tree, which all nodes share
// and none writes to; it becomes the root and the host's own is gone from this namespace; then come the mounts that a running
// system has (/proc, /sys, /dev, empty /run and /tmp). In this order, because an image comes from anywhere and its folders may be
// links: what a link says is looked up in the image once the image is the root. A boot puts fresh mounts on top, as for every node
// (root_boot).
// The overlay can't be stacked on by another for /etc (FILESYSTEM_MAX_STACK_DEPTH is 2, and an image may lie on an overlay
// itself, as in a container), nor need it be: the node's /etc is part of the same upper layer.
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"
#include "lab/sandbox/mounts.h"

// A mount is not put behind a link, and from outside /proc/PID/root/var/lib/etcd would follow an absolute one in the looker's own root. Links
// above it do no harm.
static bool is_link(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

// The folders that something is mounted on, should the image lack them. A link that leads out of the image leads nowhere here.
static int make_places(struct err *err) {
    static const char *const places[] = {"/proc",         "/sys",    "/dev", "/run", "/tmp", "/var/lib/postgresql",
                                         "/var/lib/etcd", "/var/log"};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++)
        if (fs_mkdirs(places[i], 0755, NULL) < 0)
            r = err_set(err, ENOTDIR, "its '%s' is neither a folder nor a link to one inside the image", places[i]);
        else if (is_link(places[i]))
            r = err_set(err, ENOTDIR, "its '%s' is a link; a node needs a folder there, on which it mounts its own",
                        places[i]);
    return r;
}

static int place_system(int proc, int sys, const struct root_devices *devices, struct err *err) {
    int r = mount_place(proc, "/proc", err);
    if (r == 0)
        r = mount_place(sys, "/sys", err);
    if (r == 0)
        r = root_place_devices(devices, err);
    if (r == 0)
        r = mount_tmpfs("/run", "mode=755", err);
    return r < 0 ? r : mount_tmpfs("/tmp", "mode=1777", err);
}

int root_enter_image(const struct node *n, const struct root_devices *devices, struct err *err) {
    cleanup_free char *root = xasprintf("%s/root.mount", n->disk_dir);
    cleanup_close int proc = mount_pick("/proc", err);
    cleanup_close int sys = proc < 0 ? -1 : mount_pick("/sys", err);
    int r = sys < 0 ? sys : mount_mkdir(root, 0755, err);
    if (r == 0)
        r = mount_overlay_of(n->image_root, root, n->disk_dir, "root", err);
    if (r == 0)
        r = mount_become_root(root, err);
    if (r == 0)
        r = make_places(err);
    if (r == 0)
        r = place_system(proc, sys, devices, err);
    return r < 0 ? err_wrap(err, "a root from image '%s'", n->image_root) : 0;
}
