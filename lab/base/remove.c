// SPDX-License-Identifier: PostgreSQL
// Removing a tree, whoever made it: folders without permissions, and deeper ones than there are descriptors. What lies deeper than
// DEPTH_MAX is moved up beside the top's entries, where the next pass meets it; so a tree of any depth goes with a handful of
// descriptors, and a path is never put together that could be too long.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"

enum { DEPTH_MAX = 64, NAMES_MAX = 1 << 20 };

struct removal {
    int top;
    dev_t dev; // nothing on another file system is touched
    unsigned moved;
};

static int remove_entry(struct removal *x, int parent, const char *name, int depth);

static int remove_contents(struct removal *x, int fd, int depth) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    cleanup_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        int code = errno;
        if (copy >= 0)
            (void)close(copy);
        return -code;
    }
    rewinddir(dir); // the copy shares its place with fd, which an earlier pass has read
    for (const struct dirent *e; (e = readdir(dir));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        int r = remove_entry(x, fd, e->d_name, depth + 1);
        if (r < 0)
            return r;
    }
    return 0;
}

// A folder that can be emptied: its owner may read and change it.
static int open_folder(int parent, const char *name) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        (void)fchmod(fd, 0700); // refused: unlinkat says why
    return fd < 0 ? -errno : fd;
}

static int move_up(struct removal *x, int parent, const char *name) {
    for (int tries = 0; tries < NAMES_MAX; tries++) {
        char to[32];
        (void)snprintf(to, sizeof to, ".deep-%u", x->moved++);
        if (renameat(parent, name, x->top, to) == 0)
            return 0;
        if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
            return -errno;
    }
    return -EEXIST;
}

static int remove_entry(struct removal *x, int parent, const char *name, int depth) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    cleanup_close int fd = open_folder(parent, name);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fd < 0 ? fd : -errno;
    if (st.st_dev != x->dev)
        return -EXDEV;
    if (depth > DEPTH_MAX)
        return move_up(x, parent, name);
    int r = remove_contents(x, fd, depth);
    return r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : r;
}

static int remove_top(const char *path, const struct stat *st) {
    if (!S_ISDIR(st->st_mode))
        return unlink(path) < 0 ? -errno : 0;
    cleanup_close int top = open_folder(AT_FDCWD, path);
    if (top < 0)
        return top;
    struct removal x = {.top = top, .dev = st->st_dev};
    int r = 0;
    for (unsigned before = 1; r == 0 && before != 0;) {
        unsigned moved = x.moved;
        r = remove_contents(&x, top, 0);
        before = x.moved - moved; // those wait at the top
    }
    return r == 0 && rmdir(path) < 0 ? -errno : r;
}

int fs_remove_tree(const char *path, struct err *err) {
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "remove '%s'", path);
    int r = remove_top(path, &st);
    return r < 0 ? err_sys(err, -r, "remove '%s'", path) : 0;
}
