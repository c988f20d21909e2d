// SPDX-License-Identifier: PostgreSQL
#include "lab/base/inside.h"

#include <fcntl.h>
#include <libgen.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/base/fs.h"

int inside_open(const char *root, const char *path, uint64_t flags, mode_t mode) {
    cleanup_close int top = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -errno;
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .mode = flags & O_CREAT ? mode : 0,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, top, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

int inside_read(const char *root, const char *path, size_t max, struct strbuf *text, struct err *err) {
    // Not blocking: a pipe without a writer must not hold us up.
    cleanup_close int fd = inside_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return err_sys(err, -fd, "read '%s' of '%s'", path, root);
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, EINVAL, "'%s' of '%s' is no plain file", path, root);
    return fs_read_fd(fd, path, max, text, err);
}

bool inside_exists(const char *root, const char *path) {
    cleanup_close int fd = inside_open(root, path, O_PATH, 0);
    return fd >= 0;
}

static int open_parent(const char *root, const char *path) {
    cleanup_free char *copy = xstrdup(path);
    return inside_open(root, dirname(copy), O_PATH | O_DIRECTORY, 0);
}

static int make_one(const char *root, const char *path, mode_t mode) {
    cleanup_free char *copy = xstrdup(path);
    cleanup_close int parent = open_parent(root, path);
    if (parent < 0)
        return parent;
    return mkdirat(parent, basename(copy), mode) < 0 && errno != EEXIST ? -errno : 0;
}

int inside_mkdirs(const char *root, const char *path, mode_t mode, struct err *err) {
    for (const char *end = path; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        cleanup_free char *part = xstrndup(path, (size_t)(end - path));
        int r = inside_exists(root, part) ? 0 : make_one(root, part, mode);
        if (r < 0)
            return err_sys(err, -r, "make folder '%s' in '%s'", part, root);
    }
    return 0;
}

int inside_write(const char *root, const char *path, const void *data, size_t len, mode_t mode, struct err *err) {
    cleanup_close int fd = inside_open(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY, mode);
    struct stat st;
    int r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : fs_write_all(fd, data, len);
    return r < 0 ? err_sys(err, -r, "write '%s' in '%s'", path, root) : 0;
}

int inside_unlink(const char *root, const char *path) {
    cleanup_free char *copy = xstrdup(path);
    cleanup_close int parent = open_parent(root, path);
    if (parent < 0)
        return parent;
    return unlinkat(parent, basename(copy), 0) < 0 ? -errno : 0;
}
