// SPDX-License-Identifier: PostgreSQL
#include "lab/image/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"

struct walk {
    const char *root;
    const volatile bool *stop;
    uint64_t bytes;
};

static mode_t wanted_mode(mode_t mode) {
    if (S_ISDIR(mode))
        return (mode & 01777) | 0700;
    return (mode & 0777) | 0400;
}

int tree_too_large(struct err *err) {
    return err_set(err, EFBIG, "its files are larger than %d GiB together: no root file system of a node is",
                   TREE_GIB_MAX);
}

static int visit_folder(struct walk *w, int parent, const char *name, int depth, struct err *err);

static int visit(struct walk *w, int dir, const char *name, int depth, struct err *err) {
    struct stat st;
    if (w->stop && *w->stop)
        return err_set(err, ECANCELED, "interrupted");
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, errno, "'%s' below '%s'", name, w->root);
    if (S_ISLNK(st.st_mode))
        return 0; // has no mode of its own
    if (S_ISSOCK(st.st_mode))
        return unlinkat(dir, name, 0) < 0 ? err_sys(err, errno, "remove '%s' below '%s'", name, w->root) : 0;
    if ((st.st_mode & 07777) != wanted_mode(st.st_mode) && fchmodat(dir, name, wanted_mode(st.st_mode), 0) < 0)
        return err_sys(err, errno, "change the mode of '%s' below '%s'", name, w->root);
    if (S_ISDIR(st.st_mode))
        return visit_folder(w, dir, name, depth + 1, err);
    w->bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return w->bytes > (uint64_t)TREE_GIB_MAX << 30 ? tree_too_large(err) : 0;
}

static int visit_folder(struct walk *w, int parent, const char *name, int depth, struct err *err) {
    if (depth > TREE_DEPTH_MAX)
        return err_set(err, ENAMETOOLONG, "it has folders more than %d deep: no root file system of a node has",
                       TREE_DEPTH_MAX);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        int code = errno;
        if (fd >= 0)
            (void)close(fd);
        return err_sys(err, code, "read folder '%s' below '%s'", name, w->root);
    }
    for (const struct dirent *e; (e = readdir(d));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        int r = visit(w, fd, e->d_name, depth, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int tree_normalise(const char *root, const volatile bool *stop, struct err *err) {
    struct walk w = {.root = root, .stop = stop};
    if (chmod(root, 0755) < 0)
        return err_sys(err, errno, "change the mode of '%s'", root);
    return visit_folder(&w, AT_FDCWD, root, 0, err);
}
