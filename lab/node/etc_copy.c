// SPDX-License-Identifier: PostgreSQL
// A copy of the host's /etc, for each node of a lab, where no overlay over it is possible. It is bounded, whatever lies in that /etc:
// folders are taken level by level, so what every program needs (passwd, nsswitch.conf, ld.so.cache, alternatives) comes long before what
// lies deep or in a folder of fifty thousand files. What a limit left out is listed in a file of the node's /etc; what we may not read is no
// loss, and a pipe or a socket belongs to a running daemon of the host.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
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

static void leave_out(struct copy *c, const char *path, const char *why) {
    c->left_out++;
    if (c->left_out <= LINES_MAX)
        strbuf_addf(&c->list, "%s/%s: %s\n", c->from, path, why);
}

static int copy_link(struct copy *c, const char *path, const char *to, struct err *err) {
    char target[4096];
    cleanup_free char *from = xasprintf("%s/%s", c->from, path);
    ssize_t n = readlink(from, target, sizeof target - 1);
    if (n <= 0)
        return 0;
    target[n] = '\0';
    return symlink(target, to) < 0 && errno != EEXIST ? err_sys(err, errno, "copy link '%s'", from) : 0;
}

// A file that is there already belongs to the node: hosts, hostname, a daemon's configuration.
static int copy_file(struct copy *c, const char *path, const char *to, const struct stat *st, struct err *err) {
    cleanup_strbuf struct strbuf text = {0};
    cleanup_free char *from = xasprintf("%s/%s", c->from, path);
    if (access(to, F_OK) == 0)
        return 0;
    if (st->st_size > FILE_MAX) {
        char why[96];
        (void)snprintf(why, sizeof why, "a file of %lld MB, more than %d MB", (long long)(st->st_size >> 20),
                       FILE_MAX >> 20);
        leave_out(c, path, why);
        return 0;
    }
    if (c->bytes + (uint64_t)st->st_size > BYTES_MAX) {
        leave_out(c, path, "more than 32 MB in all");
        return 0;
    }
    if (fs_read_file(from, FILE_MAX, &text, NULL) < 0)
        return 0;
    c->bytes += text.len;
    return fs_write(to, strbuf_str(&text), text.len, st->st_mode & 0755, err);
}

static void copy_later(struct copy *c, const char *path, int depth) {
    if (depth > DEPTH_MAX)
        leave_out(c, path, "more than 12 folders deep");
    else
        VEC_PUSH(&c->folders, ((struct folder){.path = xstrdup(path), .depth = depth}));
}

static int copy_entry(struct copy *c, const struct folder *f, const char *name, struct err *err) {
    cleanup_free char *path = *f->path ? xasprintf("%s/%s", f->path, name) : xstrdup(name);
    cleanup_free char *from = xasprintf("%s/%s", c->from, path), *to = xasprintf("%s/%s", c->to, path);
    struct stat st;
    if (lstat(from, &st) < 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        copy_later(c, path, f->depth + 1);
    if (S_ISLNK(st.st_mode))
        return copy_link(c, path, to, err);
    return S_ISREG(st.st_mode) ? copy_file(c, path, to, &st, err) : 0;
}

static int copy_folder(struct copy *c, const struct folder *f, struct err *err) {
    cleanup_free char *from = xasprintf("%s/%s", c->from, f->path), *to = xasprintf("%s/%s", c->to, f->path);
    cleanup_dir DIR *dir = opendir(from);
    if (!dir)
        return 0;
    if (mkdir(to, 0755) < 0 && errno != EEXIST)
        return err_sys(err, errno, "make folder '%s'", to);
    size_t here = 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        if (++here > FOLDER_MAX || c->entries >= ENTRIES_MAX) {
            leave_out(c, f->path,
                      here > FOLDER_MAX ? "the rest of a folder with more than 2000 entries"
                                        : "the rest of it, after 10000 entries in all");
            return 0;
        }
        c->entries++;
        int r = copy_entry(c, f, e->d_name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_list(const struct copy *c, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", c->to, NODE_ETC_LEFT_OUT);
    cleanup_strbuf struct strbuf text = {0};
    strbuf_addf(&text, "%zu left out of the copy of %s\n%s", c->left_out, c->from, strbuf_str(&c->list));
    if (c->left_out > LINES_MAX)
        strbuf_addf(&text, "... and %zu more\n", c->left_out - LINES_MAX);
    return fs_write(path, strbuf_str(&text), text.len, 0644, err);
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
