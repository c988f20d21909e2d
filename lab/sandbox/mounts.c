// SPDX-License-Identifier: PostgreSQL
// One system call each, with an error that says what was wanted and, where a container or an old kernel refuses, why. Mounts are taken
// by descriptor (open_tree, move_mount) where their path is hidden before they are placed.
#include "lab/sandbox/mounts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lab/base/fs.h"
#include "lab/sandbox/explain.h"

#ifndef OPEN_TREE_CLONE // glibc has the constants and the calls from 2.36 on, the kernel from 5.2
#define OPEN_TREE_CLONE         1
#define OPEN_TREE_CLOEXEC       O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

int mount_mkdir(const char *path, mode_t mode, struct err *err) {
    if (mkdir(path, mode) < 0)
        return errno == EEXIST ? 0 : err_sys(err, errno, "make folder '%s'", path);
    if (chmod(path, mode) < 0)
        return err_sys(err, errno, "set the mode of '%s'", path);
    return 0;
}

int mount_tmpfs(const char *at, const char *options, struct err *err) {
    if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return err_sys(err, errno, "mount a tmpfs on '%s'", at);
    return 0;
}

int mount_proc(struct err *err) {
    // Refused with EPERM where a container masks parts of /proc: the kernel does not show more than the mount we come
    // from (mount_namespaces(7), user_namespaces(7) on proc).
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return explain_refusal(err, errno, "mount a fresh /proc");
    return 0;
}

int mount_pick(const char *path, struct err *err) {
    long fd = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    return fd < 0 ? err_sys(err, errno, "pick the mount of '%s'", path) : (int)fd;
}

int mount_place(int picked, const char *at, struct err *err) {
    if (syscall(SYS_move_mount, picked, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_sys(err, errno, "place a mount on '%s'", at);
    return 0;
}

// As struct mount_attr and SYS_mount_setattr of Linux 5.12; glibc has the call from 2.36 on.
static int set_attributes(const char *path, bool recursive, uint64_t set, uint64_t clear, struct err *err) {
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};
    unsigned flags = recursive ? AT_RECURSIVE : 0;
    if (syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attr, sizeof attr) == 0)
        return 0;
    if (errno == ENOSYS)
        return err_set(err, ENOSYS, "'%s' can't be made read-only: that needs Linux 5.12 (mount_setattr)", path);
    return err_sys(err, errno, "make '%s' %s", path, set ? "read-only" : "writable");
}

int mount_read_only(const char *path, bool recursive, struct err *err) {
    return set_attributes(path, recursive, MOUNT_ATTR_RDONLY, 0, err);
}

int mount_writable(const char *path, struct err *err) {
    return set_attributes(path, false, 0, MOUNT_ATTR_RDONLY, err);
}

int mount_bind(const char *from, const char *at, struct err *err) {
    if (mount(from, at, NULL, MS_BIND | MS_REC, NULL) < 0)
        return err_sys(err, errno, "bind '%s' on '%s'", from, at);
    return 0;
}

// Relative names from the base folder: a ':' or ',' in the run folder's path would otherwise end the option.
static int overlay_here(const char *lower, const char *at, const char *name) {
    cleanup_free char *plain = xasprintf("lowerdir=%s,upperdir=%s,workdir=%s.work", lower, name, name);
    cleanup_free char *user = xasprintf("%s,userxattr", plain);
    if (mount("overlay", at, "overlay", MS_NODEV, user) == 0)
        return 0;
    if (errno == EINVAL && mount("overlay", at, "overlay", MS_NODEV, plain) == 0) // kernels that do not know the option
        return 0;
    return -errno;
}

// The kernel leaves a folder without any permission in its scratch (fs/overlayfs/super.c, ovl_workdir_create: mode 0), which
// `rm -r` of the run folder would stumble over. It asks for nothing, so it may have some.
static void open_scratch(const char *name) {
    cleanup_free char *work = xasprintf("%s.work/work", name);
    (void)chmod(work, 0700);
}

int mount_overlay(const char *at, const char *base, const char *name, struct err *err) {
    return mount_overlay_of(at, at, base, name, err);
}

int mount_overlay_of(const char *lower, const char *at, const char *base, const char *name, struct err *err) {
    // By its name where the option can hold it: /proc/PID/mountinfo then tells who uses an image (lab/image/remove.c). Else by
    // descriptor, for the same reason as the relative names.
    cleanup_close int below = open(lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (below < 0)
        return err_sys(err, errno, "open '%s'", lower);
    bool plain = *lower == '/' && !strpbrk(lower, ":,\\");
    cleanup_free char *name_of_lower = plain ? xstrdup(lower) : xasprintf("/proc/self/fd/%d", below);
    cleanup_close int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (chdir(base) < 0)
        return err_sys(err, errno, "enter '%s'", base);
    int r = overlay_here(name_of_lower, at, name);
    if (r == 0)
        open_scratch(name);
    if (cwd < 0 || fchdir(cwd) < 0)
        (void)!chdir("/");
    return r < 0 ? err_sys(err, -r, "lay '%s/%s' over '%s'", base, name, at) : 0;
}

int mount_become_root(const char *path, struct err *err) {
    if (chdir(path) < 0)
        return err_sys(err, errno, "enter '%s'", path);
    // The old root ends up on top of the new one and is taken off there (pivot_root(2), "pivot_root(".", ".")").
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        if (umount2(".", MNT_DETACH) < 0)
            return err_sys(err, errno, "let go of the former root");
    } else if (errno != EINVAL || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) // an initramfs as root
        return err_sys(err, errno, "make '%s' the root", path);
    return chdir("/") < 0 ? err_sys(err, errno, "enter the new root") : 0;
}

// One entry of the host's folder, in the tmpfs that now covers it. Whatever can't be shown is left out: it is scenery.
static void farm_entry(int host, const char *at, const char *name) {
    cleanup_free char *to = xasprintf("%s/%s", at, name);
    struct stat st;
    if (fstatat(host, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISLNK(st.st_mode)) {
        char target[4096];
        ssize_t n = readlinkat(host, name, target, sizeof target - 1);
        if (n > 0 && (target[n] = '\0', symlink(target, to) < 0))
            return;
    } else if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) {
        int made = S_ISDIR(st.st_mode) ? mkdir(to, 0755) : mknod(to, S_IFREG | 0644, 0);
        cleanup_free char *from = xasprintf("/proc/self/fd/%d/%s", host, name);
        if (made == 0)
            (void)mount_bind(from, to, NULL);
    }
}

int mount_farm(const char *at, const char *const *extra, struct err *err) {
    cleanup_close int host = mount_pick(at, err);
    if (host < 0)
        return host;
    int r = mount_tmpfs(at, "mode=755,size=4m", err);
    if (r < 0)
        return r;
    int list = openat(host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_dir DIR *dir = list < 0 ? NULL : fdopendir(list);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
            farm_entry(host, at, e->d_name);
    for (; *extra && r == 0; extra++) {
        cleanup_free char *path = xasprintf("%s/%s", at, *extra);
        r = mount_mkdir(path, 0755, err);
    }
    return r;
}
