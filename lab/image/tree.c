// SPDX-License-Identifier: PostgreSQL
#include "lab/image/tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"

static mode_t wanted_mode(mode_t mode) {
    if (S_ISDIR(mode))
        return (mode & 01777) | 0700;
    return (mode & 0777) | 0400;
}

static int visit_folder(int parent, const char *name, const char *root, struct err *err);

static int visit(int dir, const char *name, const char *root, struct err *err) {
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, errno, "'%s' below '%s'", name, root);
    if (S_ISLNK(st.st_mode))
        return 0; // has no mode of its own
    if (S_ISSOCK(st.st_mode))
        return unlinkat(dir, name, 0) < 0 ? err_sys(err, errno, "remove '%s' below '%s'", name, root) : 0;
    if ((st.st_mode & 07777) != wanted_mode(st.st_mode) && fchmodat(dir, name, wanted_mode(st.st_mode), 0) < 0)
        return err_sys(err, errno, "change the mode of '%s' below '%s'", name, root);
    return S_ISDIR(st.st_mode) ? visit_folder(dir, name, root, err) : 0;
}

static int visit_folder(int parent, const char *name, const char *root, struct err *err) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        int code = errno;
        if (fd >= 0)
            (void)close(fd);
        return err_sys(err, code, "read folder '%s' below '%s'", name, root);
    }
    for (const struct dirent *e; (e = readdir(d));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        int r = visit(fd, e->d_name, root, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int tree_normalise(const char *root, struct err *err) {
    if (chmod(root, 0755) < 0)
        return err_sys(err, errno, "change the mode of '%s'", root);
    return visit_folder(AT_FDCWD, root, root, err);
}

int tree_remove(const char *path, struct err *err) {
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "remove '%s'", path);
    if (S_ISDIR(st.st_mode))
        (void)tree_normalise(path, NULL);
    return fs_remove_tree(path, err);
}
