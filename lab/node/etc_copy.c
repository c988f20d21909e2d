// SPDX-License-Identifier: PostgreSQL
// A copy of the host's /etc, for each node of a lab, where no overlay over it is possible. It is bounded, whatever lies in that /etc:
// folders are taken level by level, so what every program needs (passwd, nsswitch.conf, ld.so.cache, alternatives) comes long before what
// lies deep or in a folder of fifty thousand files. What a limit left out is listed in a file of the node's /etc; what we may not read is no
// loss, and a pipe or a socket belongs to a running daemon of the host.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/base/plain.h"
#include "lab/base/vec.h"
#include "lab/node/internal.h"

// A Debian server has 1500 to 4000 entries and 3 to 12 MB below /etc, 440 of them in its fullest folder (ssl/certs); its largest file has 1 MB.
enum { DEPTH_MAX = 12, FOLDER_MAX = 2000, ENTRIES_MAX = 10000, FILE_MAX = 4 << 20, BYTES_MAX = 32 << 20 };
enum { LINES_MAX = 100 }; // of the list

struct folder {
    char *path; // below both roots, "" = the root
    int depth;
};

struct copy {
    const char *from, *to;
    VEC(struct folder) folders; // to be copied, from `next` on
    size_t next;
    size_t entries, left_out;
    uint64_t bytes;
    struct strbuf list;
};

// A name is whatever somebody in the node made of it: in the list it is one line of plain text.
static void add_name(struct strbuf *out, const char *path) {
    cleanup_strbuf struct strbuf plain = {0};
    plain_add(&plain, path, strlen(path), true);
    for (const char *c = strbuf_str(&plain); *c; c++)
        strbuf_addn(out, *c == '\n' || *c == '\t' ? "?" : c, 1);
}

static void leave_out(struct copy *c, const char *path, const char *why) {
    c->left_out++;
    if (c->left_out > LINES_MAX)
        return;
    strbuf_addf(&c->list, "%s/", c->from);
    add_name(&c->list, path);
    strbuf_addf(&c->list, ": %s\n", why);
}

// A folder of both trees. No link is followed on either side: in a node's /etc anybody in that node can make one, which would lead us to a
// file of the host.
struct pair {
    DIR *from;
    int to;
};

static int copy_link(const struct pair *in, const char *name, const char *path, struct err *err) {
    char target[4096];
    ssize_t n = readlinkat(dirfd(in->from), name, target, sizeof target - 1);
    if (n <= 0)
        return 0;
    target[n] = '\0';
    return symlinkat(target, in->to, name) < 0 && errno != EEXIST ? err_sys(err, errno, "copy link '%s'", path) : 0;
}

// Not blocking: what was a file when it was looked at may be a pipe by now.
static int open_source(const struct pair *in, const char *name, struct stat *ret) {
    cleanup_close int fd = openat(dirfd(in->from), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 && fstat(fd, ret) == 0 && S_ISREG(ret->st_mode) ? STEAL_FD(fd) : -1;
}

static bool fits(struct copy *c, const char *path, off_t size) {
    if (size > FILE_MAX) {
        char why[96];
        (void)snprintf(why, sizeof why, "a file of %lld MB, more than %d MB", (long long)(size >> 20), FILE_MAX >> 20);
        leave_out(c, path, why);
        return false;
    }
    if (c->bytes + (uint64_t)size <= BYTES_MAX)
        return true;
    leave_out(c, path, "more than 32 MB in all");
    return false;
}

// A file that is there already belongs to the node: hosts, hostname, a daemon's configuration.
static int copy_file(struct copy *c, const struct pair *in, const char *name, const char *path, struct err *err) {
    cleanup_strbuf struct strbuf text = {0};
    struct stat st, there;
    if (fstatat(in->to, name, &there, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    cleanup_close int from = open_source(in, name, &st);
    if (from < 0 || !fits(c, path, st.st_size) || fs_read_fd(from, path, FILE_MAX, &text, NULL) < 0)
        return 0;
    cleanup_close int to =
        openat(in->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, st.st_mode & 0755);
    int r = to < 0 ? -errno : fs_write_all(to, strbuf_str(&text), text.len);
    c->bytes += text.len;
    return r < 0 && r != -EEXIST ? err_sys(err, -r, "write '%s/%s'", c->to, path) : 0;
}

static void copy_later(struct copy *c, const char *path, int depth) {
    if (depth > DEPTH_MAX)
        leave_out(c, path, "more than 12 folders deep");
    else
        VEC_PUSH(&c->folders, ((struct folder){.path = xstrdup(path), .depth = depth}));
}

static int copy_entry(struct copy *c, const struct folder *f, const struct pair *in, const char *name,
                      struct err *err) {
    cleanup_free char *path = *f->path ? xasprintf("%s/%s", f->path, name) : xstrdup(name);
    struct stat st;
    if (fstatat(dirfd(in->from), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (str_eq(path, NODE_ETC_LEFT_OUT) && !S_ISREG(st.st_mode)) {
        leave_out(c, path, "it has the name of this list");
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        copy_later(c, path, f->depth + 1);
    if (S_ISLNK(st.st_mode))
        return copy_link(in, name, path, err);
    return S_ISREG(st.st_mode) ? copy_file(c, in, name, path, err) : 0;
}

static int copy_entries(struct copy *c, const struct folder *f, const struct pair *in, struct err *err) {
    size_t here = 0;
    for (const struct dirent *e; (e = readdir(in->from));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        if (++here > FOLDER_MAX || c->entries >= ENTRIES_MAX) {
            leave_out(c, f->path,
                      here > FOLDER_MAX ? "the rest of a folder with more than 2000 entries"
                                        : "the rest of it, after 10000 entries in all");
            return 0;
        }
        c->entries++;
        int r = copy_entry(c, f, in, e->d_name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

// It was a folder when its parent was read; a part of the way that has become a link since leads nowhere out of the root (inside.h).
static DIR *open_folder(const char *root, const char *path) {
    cleanup_close int fd = inside_open(root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir)
        (void)STEAL_FD(fd);
    return dir;
}

static int copy_folder(struct copy *c, const struct folder *f, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", c->to, f->path);
    cleanup_dir DIR *from = open_folder(c->from, f->path);
    if (!from)
        return 0;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return err_sys(err, errno, "make folder '%s'", path);
    cleanup_close int to = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to < 0 && errno != ENOTDIR && errno != ELOOP)
        return err_sys(err, errno, "open folder '%s'", path);
    if (to < 0) { // it was a link or a file a moment ago, and was copied as such
        leave_out(c, f->path, "a folder where something else of that name lies already");
        return 0;
    }
    return copy_entries(c, f, &(struct pair){.from = from, .to = to}, err);
}

static int write_list(const struct copy *c, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", c->to, NODE_ETC_LEFT_OUT);
    cleanup_strbuf struct strbuf text = {0};
    strbuf_addf(&text, "%zu left out of the copy of %s\n%s", c->left_out, c->from, strbuf_str(&c->list));
    if (c->left_out > LINES_MAX)
        strbuf_addf(&text, "... and %zu more\n", c->left_out - LINES_MAX);
    return fs_write_whole(path, strbuf_str(&text), text.len, 0644, err); // in the place of whatever has that name
}

int etc_copy(const char *from, const char *to, struct err *err) {
    struct copy c = {.from = from, .to = to};
    int r = 0;
    copy_later(&c, "", 0);
    for (; r == 0 && c.next < c.folders.n; c.next++) {
        struct folder f = c.folders.items[c.next]; // a copy: the list may move
        r = copy_folder(&c, &f, err);
    }
    if (r == 0 && c.left_out)
        r = write_list(&c, err);
    VEC_FOREACH (&c.folders, f)
        free(f->path);
    VEC_DONE(&c.folders);
    strbuf_done(&c.list);
    return r < 0 ? err_wrap(err, "copy the host's '%s' for the node", from) : 0;
}
