// SPDX-License-Identifier: PostgreSQL
// What a node sees as its file system. Base (kept while the node exists): the host's root, read-only and without anybody's home
// (root_host.c), /etc with the node's own files on top, /var/lib/postgresql, /var/lib/etcd and /var/log bound from its disk, a small
// /dev (root_dev.c). Boot (fresh each time): /proc, /run, /tmp, /dev/shm, /dev/pts, /sys of its own network. A node with an image:
// the same, on an overlay over the image instead of the host's root (root_image.c).
#include <sys/mount.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"
#include "lab/sandbox/mounts.h"
#include "lab/sandbox/sandbox.h"

static bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// The overlay is refused where something is mounted inside the host's /etc by somebody above us, as container runtimes
// do (fs/namespace.c, clone_private_mount), and where the disk lies on a file system that can't carry an upper layer.
// Then etc_dir gets a copy of the host's files and is bound itself: it stays live either way.
static int build_etc(const struct node *n, struct err *err) {
    if (mount_overlay("/etc", n->disk_dir, "etc", NULL) == 0)
        return 0;
    int r = etc_copy("/etc", n->etc_dir, err);
    return r < 0 ? r : mount_bind(n->etc_dir, "/etc", err);
}

static const char *const disk_places[] = {"/var/lib/postgresql", "/var/lib/etcd", "/var/log"};

// PostgreSQL or etcd may have come without Debian's packages.
static int make_places(struct err *err) {
    if (is_dir(disk_places[0]) && is_dir(disk_places[1]))
        return 0;
    return mount_farm("/var/lib", (const char *const[]){"postgresql", "etcd", NULL}, err);
}

static int place_disks(const int picked[3], struct err *err) {
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++)
        r = mount_place(picked[i], disk_places[i], err);
    return r;
}

static int build_host(const struct node *n, const struct root_devices *devices, struct err *err) {
    int r = build_etc(n, err);
    if (r == 0)
        r = make_places(err);
    if (r == 0)
        r = root_place_devices(devices, err);
    return r < 0 ? r : root_hide_host(err);
}

int root_build(const struct node *n, struct err *err) {
    // Picked first: these folders may lie under a path that is covered below.
    struct root_devices devices;
    cleanup_close int postgresql = mount_pick(n->postgresql_dir, err);
    cleanup_close int etcd = postgresql < 0 ? -1 : mount_pick(n->etcd_dir, err);
    cleanup_close int log = etcd < 0 ? -1 : mount_pick(n->log_dir, err);
    if (log < 0)
        return -err->code;
    int r = root_pick_devices(&devices, err);
    if (r == 0)
        r = n->image_root ? root_enter_image(n, &devices, err) : build_host(n, &devices, err);
    root_drop_devices(&devices);
    return r < 0 ? r : place_disks((int[]){postgresql, etcd, log}, err);
}

static int make_run(struct err *err) {
    static const struct {
        const char *path;
        mode_t mode;
    } folders[] = {{"/run/lock", 01777}, {"/run/postgresql", 02775}, {"/run/haproxy", 02775}};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++)
        r = mount_mkdir(folders[i].path, folders[i].mode, err);
    return r;
}

int root_boot(struct err *err) {
    // The disks of all machines lie there; this one has its own bound where it looks for them, and sees no other's.
    (void)umount2(SANDBOX_STATE, MNT_DETACH);
    int r = mount_proc(err);
    if (r == 0)
        r = mount_tmpfs("/run", "mode=755", err);
    if (r == 0)
        r = make_run(err);
    if (r == 0)
        r = mount_tmpfs("/tmp", "mode=1777", err);
    if (r == 0)
        r = root_boot_devices(err);
    // Shows the node's links in /sys/class/net instead of the host's; a host that refuses loses only that.
    if (r == 0)
        (void)mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
    return r;
}
