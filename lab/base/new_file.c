// SPDX-License-Identifier: PostgreSQL
// A file that appears whole. Until then it has no name (O_TMPFILE, open(2)): whoever is killed while it is written leaves nothing.
#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include "lab/base/fs.h"

static int open_unnamed(const char *path, mode_t mode) {
    cleanup_free char *copy = xstrdup(path);
    return open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
}

static int give_name(const struct new_file *f) {
    char self[64];
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", f->fd);
    (void)unlink(f->tmp); // of a process that had our number and was killed between here and its rename
    return linkat(AT_FDCWD, self, AT_FDCWD, f->tmp, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int new_file_open(const char *path, mode_t mode, struct new_file *ret, struct err *err) {
    // Not one name for two writers at a time: each would rename what the other has half written.
    struct new_file f = {.fd = open_unnamed(path, mode), .tmp = xasprintf("%s.%d.tmp", path, (int)getpid())};
    if (f.fd < 0) { // NFS, older overlays
        f.named = true;
        f.fd = open(f.tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    }
    if (f.fd < 0) {
        int code = errno;
        free(f.tmp);
        return err_sys(err, code, "write '%s'", path);
    }
    f.path = xstrdup(path);
    *ret = f;
    return 0;
}

int new_file_sync(const struct new_file *f, struct err *err) {
    return fsync(f->fd) < 0 ? err_sys(err, errno, "write '%s'", f->path) : 0;
}

int new_file_publish(struct new_file *f, struct err *err) {
    int r = f->named ? 0 : give_name(f);
    f->named |= r == 0;
    if (r == 0 && rename(f->tmp, f->path) < 0)
        r = -errno;
    f->named &= r != 0;
    return r < 0 ? err_sys(err, -r, "write '%s'", f->path) : 0;
}

void new_file_close(struct new_file *f) {
    if (f->fd < 0)
        return;
    (void)close(f->fd);
    if (f->named)
        (void)unlink(f->tmp);
    free(f->tmp);
    free(f->path);
    *f = (struct new_file){.fd = -1};
}

static int write_new(const char *path, const char *data, size_t len, mode_t mode, bool sync, struct err *err) {
    struct new_file f = {.fd = -1};
    int r = new_file_open(path, mode, &f, err);
    if (r < 0)
        return r;
    r = fs_write_all(f.fd, data, len);
    r = r < 0 ? err_sys(err, -r, "write '%s'", path) : 0;
    if (r == 0 && sync)
        r = new_file_sync(&f, err);
    if (r == 0)
        r = new_file_publish(&f, err);
    new_file_close(&f);
    return r;
}

int fs_write_whole(const char *path, const char *data, size_t len, mode_t mode, struct err *err) {
    return write_new(path, data, len, mode, false, err);
}

int fs_write_atomic(const char *path, const char *data, size_t len, mode_t mode, struct err *err) {
    return write_new(path, data, len, mode, true, err);
}
