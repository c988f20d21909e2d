// SPDX-License-Identifier: PostgreSQL
// A tree is walked by descriptors (openat, O_NOFOLLOW), so that a link in it leads nowhere else. Every file becomes a line; the lines,
// sorted by path, are the manifest, and the hash of their text is the image's content id.
#include "lab/image/manifest.h"

#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>

#include "lab/base/fs.h"

enum { CHUNK = 1 << 18, LINK_MAX_LEN = 4096 };

void manifest_done(struct manifest *m) {
    VEC_FOREACH (&m->entries, e) {
        free(e->path);
        free(e->what);
    }
    VEC_DONE(&m->entries);
}

static void hex_digest(struct sha256_ctx *ctx, char ret[static 2 * SHA256_DIGEST_SIZE + 1]) {
    uint8_t raw[SHA256_DIGEST_SIZE];
    sha256_digest(ctx, sizeof raw, raw);
    for (size_t i = 0; i < sizeof raw; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", raw[i]);
}

void manifest_id(const char *text, size_t len, char ret[static MANIFEST_ID_MAX]) {
    struct sha256_ctx ctx;
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    sha256_init(&ctx);
    sha256_update(&ctx, len, (const uint8_t *)text);
    hex_digest(&ctx, hex);
    (void)snprintf(ret, MANIFEST_ID_MAX, "sha256:%s", hex);
}

// ---- reading a tree ------------------------------------------------------------------------------------------------------

struct walk {
    struct manifest *m;
    const volatile bool *stop;
    uint8_t *chunk;
    const char *root; // for messages
};

static int hash_file(struct walk *w, int fd, uint64_t *ret_size, char ret[static 2 * SHA256_DIGEST_SIZE + 1]) {
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    *ret_size = 0;
    for (;;) {
        if (*w->stop)
            return -ECANCELED; // a single file may take minutes
        ssize_t n = fs_read_some(fd, w->chunk, CHUNK);
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        sha256_update(&ctx, (size_t)n, w->chunk);
        *ret_size += (uint64_t)n;
    }
    hex_digest(&ctx, ret);
    return 0;
}

static int add_file(struct walk *w, int dir, const char *name, const char *path, mode_t mode) {
    cleanup_close int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char hash[2 * SHA256_DIGEST_SIZE + 1];
    uint64_t size = 0;
    int r = fd < 0 ? -errno : hash_file(w, fd, &size, hash);
    if (r < 0)
        return r;
    struct manifest_entry *e = VEC_ADD(&w->m->entries);
    e->path = xstrdup(path);
    e->what = xasprintf("f %04o %" PRIu64 " %s", mode & 07777, size, hash);
    w->m->bytes += size;
    w->m->files++;
    return 0;
}

static int add_link(struct walk *w, int dir, const char *name, const char *path) {
    char target[LINK_MAX_LEN];
    ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
    if (n < 0)
        return -errno;
    target[n] = '\0';
    struct manifest_entry *e = VEC_ADD(&w->m->entries);
    e->path = xstrdup(path);
    e->what = xasprintf("l %s", target);
    return 0;
}

static void add_other(struct walk *w, const char *path, mode_t mode) {
    struct manifest_entry *e = VEC_ADD(&w->m->entries);
    e->path = xstrdup(path);
    e->what = xasprintf("%c %04o", S_ISDIR(mode) ? 'd' : S_ISFIFO(mode) ? 'p' : 'o', mode & 07777);
}

static int walk_folder(struct walk *w, int fd, const char *path, struct err *err);

static int walk_entry(struct walk *w, int dir, const char *name, const char *path, struct err *err) {
    struct stat st;
    int r = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    if (r == 0 && S_ISREG(st.st_mode))
        r = add_file(w, dir, name, path, st.st_mode);
    else if (r == 0 && S_ISLNK(st.st_mode))
        r = add_link(w, dir, name, path);
    else if (r == 0)
        add_other(w, path, st.st_mode);
    if (r == -ECANCELED)
        return err_set(err, ECANCELED, "interrupted");
    if (r < 0)
        return err_sys(err, -r, "read '%s/%s'", w->root, path);
    if (!S_ISDIR(st.st_mode))
        return 0;
    cleanup_close int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? err_sys(err, errno, "read '%s/%s'", w->root, path) : walk_folder(w, fd, path, err);
}

static int walk_folder(struct walk *w, int fd, const char *path, struct err *err) {
    int again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    cleanup_dir DIR *d = again < 0 ? NULL : fdopendir(again);
    if (!d)
        return err_sys(err, errno, "read '%s/%s'", w->root, path);
    for (const struct dirent *e; (e = readdir(d));) {
        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        if (*w->stop)
            return err_set(err, ECANCELED, "interrupted");
        cleanup_free char *below = *path ? xasprintf("%s/%s", path, e->d_name) : xstrdup(e->d_name);
        int r = walk_entry(w, fd, e->d_name, below, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct manifest_entry *)a)->path, ((const struct manifest_entry *)b)->path);
}

int manifest_of_tree(const char *root, const volatile bool *stop, struct manifest *ret, struct err *err) {
    static const volatile bool never;
    cleanup_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "read '%s'", root);
    cleanup_free uint8_t *chunk = xmalloc(CHUNK);
    struct manifest m = {0};
    struct walk w = {.m = &m, .stop = stop ? stop : &never, .chunk = chunk, .root = root};
    int r = walk_folder(&w, fd, "", err);
    if (r < 0) {
        manifest_done(&m);
        return r;
    }
    VEC_SORT(&m.entries, by_path);
    *ret = m;
    return 0;
}

// ---- its text --------------------------------------------------------------------------------------------------------------

static void add_escaped(struct strbuf *out, const char *s) {
    for (; *s; s++) {
        if (*s == '\n' || *s == '\t' || *s == '\\')
            strbuf_add(out, *s == '\n' ? "\\n" : *s == '\t' ? "\\t" : "\\\\");
        else
            strbuf_addn(out, s, 1);
    }
}

static char *unescape(const char *s, size_t n) {
    struct strbuf out = {0};
    for (size_t i = 0; i < n; i++) {
        bool escaped = s[i] == '\\' && i + 1 < n;
        if (escaped)
            i++;
        strbuf_addn(&out, escaped && s[i] == 'n' ? "\n" : escaped && s[i] == 't' ? "\t" : &s[i], 1);
    }
    return out.data ? out.data : xstrdup("");
}

void manifest_text(const struct manifest *m, struct strbuf *out) {
    VEC_FOREACH (&m->entries, e) {
        add_escaped(out, e->what);
        strbuf_add(out, "\t");
        add_escaped(out, e->path);
        strbuf_add(out, "\n");
    }
}

int manifest_parse(const char *text, struct manifest *ret, struct err *err) {
    struct manifest m = {0};
    size_t number = 1;
    for (const char *p = text; *p; number++) {
        size_t n = strcspn(p, "\n");
        const char *tab = memchr(p, '\t', n);
        if (!tab || !p[n]) {
            manifest_done(&m);
            return err_set(err, EBADMSG, "line %zu of the manifest can't be read", number);
        }
        struct manifest_entry *e = VEC_ADD(&m.entries);
        e->what = unescape(p, (size_t)(tab - p));
        e->path = unescape(tab + 1, n - (size_t)(tab - p) - 1);
        p += n + 1;
    }
    *ret = m;
    return 0;
}

size_t manifest_compare(const struct manifest *was, const struct manifest *is, manifest_change_fn *fn, void *arg) {
    size_t i = 0, j = 0, changes = 0;
    for (;;) {
        const struct manifest_entry *a = i < was->entries.n ? &was->entries.items[i] : NULL,
                                    *b = j < is->entries.n ? &is->entries.items[j] : NULL;
        if (!a && !b)
            return changes;
        int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
        i += order <= 0;
        j += order >= 0;
        if (order == 0 && str_eq(a->what, b->what))
            continue;
        changes++;
        if (order < 0)
            fn(arg, MANIFEST_MISSING, a->path, a->what, NULL);
        else if (order > 0)
            fn(arg, MANIFEST_NEW, b->path, NULL, b->what);
        else
            fn(arg, MANIFEST_DIFFERS, a->path, a->what, b->what);
    }
}
