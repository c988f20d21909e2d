// SPDX-License-Identifier: PostgreSQL
#include "lab/base/inside.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/base/fs.h"

static int open_inside(const char *root, const char *path, uint64_t flags) {
    cleanup_close int top = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -errno;
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, top, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

int inside_read(const char *root, const char *path, size_t max, struct strbuf *text, struct err *err) {
    // Not blocking: a pipe without a writer must not hold us up.
    cleanup_close int fd = open_inside(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_sys(err, -fd, "read '%s' of '%s'", path, root);
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, EINVAL, "'%s' of '%s' is no plain file", path, root);
    char name[64];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return fs_read(name, max, text, err);
}

bool inside_exists(const char *root, const char *path) {
    cleanup_close int fd = open_inside(root, path, O_PATH);
    return fd >= 0;
}
