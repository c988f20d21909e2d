// SPDX-License-Identifier: PostgreSQL
// A node's /dev: the devices that any program may expect, and no other of the host. No disk, no console, and no terminal: the
// host's /dev/pts has those of the lab's user, and with the same uid every process of a node could read and write them. Terminals
// that are opened in the node (tmux, script) come from a devpts of its own, fresh at each boot.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/node/internal.h"
#include "lab/sandbox/mounts.h"

static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};
_Static_assert(ARRAY_SIZE(names) == ROOT_DEVICES, "one descriptor for each");

int root_pick_devices(struct root_devices *d, struct err *err) {
    for (size_t i = 0; i < ROOT_DEVICES; i++)
        d->fd[i] = -1;
    for (size_t i = 0; i < ROOT_DEVICES; i++) {
        cleanup_free char *path = xasprintf("/dev/%s", names[i]);
        d->fd[i] = mount_pick(path, err);
        if (d->fd[i] < 0)
            return d->fd[i];
    }
    return 0;
}

void root_drop_devices(struct root_devices *d) {
    for (size_t i = 0; i < ROOT_DEVICES; i++)
        if (d->fd[i] >= 0)
            (void)close(d->fd[i]);
}

static int place_device(int picked, const char *name, struct err *err) {
    cleanup_free char *at = xasprintf("/dev/%s", name);
    if (mknod(at, S_IFREG | 0666, 0) < 0)
        return err_sys(err, errno, "make '%s'", at);
    return mount_place(picked, at, err);
}

static int make_links(struct err *err) {
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"},
                                           {"pts/ptmx", "/dev/ptmx"}};
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlink(links[i][0], links[i][1]) < 0)
            return err_sys(err, errno, "make '%s'", links[i][1]);
    return 0;
}

int root_place_devices(const struct root_devices *d, struct err *err) {
    int r = mount_tmpfs("/dev", "mode=755,size=64k", err);
    for (size_t i = 0; i < ROOT_DEVICES && r == 0; i++)
        r = place_device(d->fd[i], names[i], err);
    if (r == 0)
        r = make_links(err);
    if (r == 0)
        r = mount_mkdir("/dev/shm", 0755, err);
    if (r == 0)
        r = mount_mkdir("/dev/pts", 0755, err);
    return r < 0 ? r : mount_read_only("/dev", false, err);
}

int root_boot_devices(struct err *err) {
    int r = mount_tmpfs("/dev/shm", "mode=1777", err);
    // No daemon needs terminals; a host that refuses loses those of tmux and the like.
    if (r == 0)
        (void)mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=600");
    return r;
}
