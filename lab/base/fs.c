// SPDX-License-Identifier: PostgreSQL
// Whole files and trees of them: reading, writing in place, copying. What must appear whole is in new_file.c, removing in remove.c, and
// paths that somebody else may have prepared in inside.c.
#include "lab/base/fs.h"

#include <fcntl.h>
#include <sys/stat.h>

bool fs_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

bool fs_is_below(const char *path, const char *folder) {
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

int fs_mkdirs(const char *path, mode_t mode, struct err *err) {
    cleanup_free char *copy = xstrdup(path);
    for (char *p = copy + 1; *copy; p++) {
        bool last = *p == '\0';
        if (*p != '/' && !last)
            continue;
        *p = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return err_sys(err, errno, "create folder '%s'", copy);
        if (last)
            break;
        *p = '/';
    }
    struct stat st;
    if (stat(path, &st) < 0)
        return err_sys(err, errno, "create folder '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return err_sys(err, ENOTDIR, "create folder '%s'", path);
    return 0;
}

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

int fs_open_file(const char *path, struct err *err) {
    // Without waiting: for a pipe's writer, or for a device that is not there.
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, errno, "read '%s'", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, EINVAL, "read '%s': it is %s, not a file", path, kind_of(st.st_mode));
    return STEAL_FD(fd);
}

ssize_t fs_read_some(int fd, void *to, size_t size) {
    ssize_t n;
    do
        n = read(fd, to, size);
    while (n < 0 && errno == EINTR);
    return n;
}

int fs_read_fd(int fd, const char *path, size_t max, struct strbuf *buf, struct err *err) {
    size_t total = 0;
    char chunk[16384];
    for (;;) {
        ssize_t n = fs_read_some(fd, chunk, sizeof chunk);
        if (n < 0)
            return err_sys(err, errno, "read '%s'", path);
        if (n == 0)
            return 0;
        total += (size_t)n;
        if (total > max)
            return err_set(err, EFBIG, "read '%s': larger than %zu bytes", path, max);
        strbuf_addn(buf, chunk, (size_t)n);
    }
}

int fs_read(const char *path, size_t max, struct strbuf *buf, struct err *err) {
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? err_sys(err, errno, "read '%s'", path) : fs_read_fd(fd, path, max, buf, err);
}

int fs_read_file(const char *path, size_t max, struct strbuf *buf, struct err *err) {
    cleanup_close int fd = fs_open_file(path, err);
    return fd < 0 ? fd : fs_read_fd(fd, path, max, buf, err);
}

int fs_write_all(int fd, const void *data, size_t len) {
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int fs_write(const char *path, const char *data, size_t len, mode_t mode, struct err *err) {
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return err_sys(err, errno, "write '%s'", path);
    int r = fs_write_all(fd, data, len);
    return r < 0 ? err_sys(err, -r, "write '%s'", path) : 0;
}

static int copy_file(int src, int dst) {
    for (;;) {
        ssize_t n = copy_file_range(src, NULL, dst, NULL, 64 << 20, 0);
        if (n == 0)
            return 0;
        if (n > 0)
            continue;
        if (errno == EINTR)
            continue;
        if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
            return -errno;
        break; // between different file systems or on old kernels: by hand
    }
    cleanup_free char *chunk = xmalloc(1 << 18);
    for (;;) {
        ssize_t n = fs_read_some(src, chunk, 1 << 18);
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        int r = fs_write_all(dst, chunk, (size_t)n);
        if (r < 0)
            return r;
    }
}

static int copy_at(int src, int dst, char *where, size_t size) {
    int again = fcntl(src, F_DUPFD_CLOEXEC, 3);
    cleanup_dir DIR *dir = again < 0 ? NULL : fdopendir(again);
    if (!dir) {
        int code = errno;
        if (again >= 0)
            (void)close(again);
        return -code;
    }
    struct dirent *e;
    while ((e = readdir(dir))) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        (void)snprintf(where, size, "%s", e->d_name);
        struct stat st;
        if (fstatat(src, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return -errno;
        if (S_ISLNK(st.st_mode)) {
            char target[4096];
            ssize_t n = readlinkat(src, e->d_name, target, sizeof target - 1);
            if (n < 0)
                return -errno;
            target[n] = '\0';
            if (symlinkat(target, dst, e->d_name) < 0)
                return -errno;
        } else if (S_ISDIR(st.st_mode)) {
            if (mkdirat(dst, e->d_name, st.st_mode & 07777) < 0 && errno != EEXIST)
                return -errno;
            cleanup_close int s = openat(src, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            cleanup_close int d = openat(dst, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (s < 0 || d < 0)
                return -errno;
            int r = copy_at(s, d, where, size);
            if (r < 0)
                return r;
        } else if (S_ISREG(st.st_mode)) {
            cleanup_close int s = openat(src, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
            cleanup_close int d =
                openat(dst, e->d_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, st.st_mode & 07777);
            if (s < 0 || d < 0)
                return -errno;
            int r = copy_file(s, d);
            if (r < 0)
                return r;
        } // sockets and pipes belong to a running daemon: not part of a copy
    }
    return 0;
}

int fs_copy_tree(const char *src, const char *dst, struct err *err) {
    cleanup_close int s = open(src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s < 0)
        return err_sys(err, errno, "copy '%s'", src);
    cleanup_close int d = open(dst, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d < 0)
        return err_sys(err, errno, "copy to '%s'", dst);
    char where[256] = "";
    int r = copy_at(s, d, where, sizeof where);
    return r < 0 ? err_sys(err, -r, "copy '%s' to '%s' (at '%s')", src, dst, where) : 0;
}
