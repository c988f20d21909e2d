// SPDX-License-Identifier: PostgreSQL
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"

enum { ETC_FILE_MAX = 4 * 1024 * 1024, ETC_DEPTH_MAX = 12 };

static int copy_folder(const char *from, const char *to, int depth, struct err *err);

static int copy_link(const char *from, const char *to) {
    char target[4096];
    ssize_t n = readlink(from, target, sizeof target - 1);
    if (n <= 0)
        return 0;
    target[n] = '\0';
    return symlink(target, to) < 0 && errno != EEXIST ? -errno : 0;
}

// A file that is there already belongs to the node (hosts, hostname, a daemon's configuration); one we may not read is
// no loss.
static int copy_file(const char *from, const char *to, mode_t mode, struct err *err) {
    cleanup_strbuf struct strbuf text = {0};
    if (access(to, F_OK) == 0 || fs_read(from, ETC_FILE_MAX, &text, NULL) < 0)
        return 0;
    return fs_write(to, strbuf_str(&text), text.len, mode & 0755, err);
}

static int copy_entry(const char *from, const char *to, int depth, struct err *err) {
    struct stat st;
    if (lstat(from, &st) < 0)
        return 0;
    if (S_ISLNK(st.st_mode)) {
        int r = copy_link(from, to);
        return r < 0 ? err_sys(err, -r, "copy link '%s'", from) : 0;
    }
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, st.st_mode, err);
    return S_ISDIR(st.st_mode) ? copy_folder(from, to, depth + 1, err) : 0;
}

static int copy_folder(const char *from, const char *to, int depth, struct err *err) {
    cleanup_dir DIR *dir = depth > ETC_DEPTH_MAX ? NULL : opendir(from);
    if (!dir)
        return 0;
    if (mkdir(to, 0755) < 0 && errno != EEXIST)
        return err_sys(err, errno, "make folder '%s'", to);
    int r = 0;
    for (const struct dirent *e; r == 0 && (e = readdir(dir));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        cleanup_free char *source = xasprintf("%s/%s", from, e->d_name), *target = xasprintf("%s/%s", to, e->d_name);
        r = copy_entry(source, target, depth, err);
    }
    return r;
}

int etc_copy(const char *from, const char *to, struct err *err) {
    int r = copy_folder(from, to, 0, err);
    return r < 0 ? err_wrap(err, "copy the host's '%s' for the node", from) : 0;
}
