// SPDX-License-Identifier: PostgreSQL
// A lab has one uid and one gid: the host's postgres. In an image they may be somebody else's (Debian gives out system ids in
// the order of installation), and postgres another: initdb, peer authentication and `whoami` would name the wrong user. So the
// node's /etc/passwd and /etc/group have the two ids exchanged.
#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/base/vec.h"
#include "lab/node/internal.h"

enum { USERS_MAX = 1 << 20 };

// The field of a line of passwd(5) or group(5), counted from 0. len = 0: there is none.
static const char *field(const char *line, int which, size_t *len) {
    const char *end = line + strcspn(line, "\n");
    for (; which > 0 && line; which--) {
        const char *colon = memchr(line, ':', (size_t)(end - line));
        line = colon ? colon + 1 : NULL;
    }
    *len = line ? strcspn(line, ":\n") : 0;
    return line;
}

static const char *next_line(const char *line) {
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

// A number of the line of `name`, or -1.
static long number_of(const char *text, const char *name, int which) {
    for (const char *line = text; *line; line = next_line(line)) {
        size_t len, digits;
        const char *who = field(line, 0, &len), *number = field(line, which, &digits);
        if (strlen(name) == len && strncmp(who, name, len) == 0 && digits)
            return strtol(number, NULL, 10);
    }
    return -1;
}

// Copies text with a and b exchanged in one field of every line.
static void exchange(const char *text, int which, long a, long b, struct strbuf *out) {
    for (const char *line = text; *line; line = next_line(line)) {
        size_t len, all = (size_t)(next_line(line) - line);
        const char *at = field(line, which, &len);
        long id = len ? strtol(at, NULL, 10) : -1;
        if (id < 0 || (id != a && id != b)) {
            strbuf_addn(out, line, all);
            continue;
        }
        strbuf_addn(out, line, (size_t)(at - line));
        strbuf_addf(out, "%ld", id == a ? b : a);
        strbuf_addn(out, at + len, all - (size_t)(at + len - line));
    }
}

static void put_first(struct strbuf *text, const char *line) {
    cleanup_free char *rest = xstrdup(strbuf_str(text));
    strbuf_clear(text);
    strbuf_add(text, line);
    strbuf_add(text, rest);
}

static int read_users(const char *root, const char *file, struct strbuf *out, struct err *err) {
    cleanup_free char *path = xasprintf("etc/%s", file);
    return inside_read(root, path, USERS_MAX, out, err); // a link in an image may point anywhere
}

static int write_users(const char *etc, const char *file, const struct strbuf *text, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", etc, file);
    return fs_write(path, strbuf_str(text), text->len, 0644, err);
}

int etc_users(const char *image_root, const char *etc_dir, struct err *err) {
    cleanup_strbuf struct strbuf passwd = {0}, group = {0}, by_uid = {0}, passwd_new = {0}, group_new = {0};
    long uid = (long)getuid(), gid = (long)getgid();
    int r = read_users(image_root, "passwd", &passwd, err);
    if (r == 0)
        r = read_users(image_root, "group", &group, err);
    if (r < 0)
        return r;
    long their_uid = number_of(strbuf_str(&passwd), "postgres", 2);
    long their_gid = number_of(strbuf_str(&group), "postgres", 2);
    // An image without PostgreSQL, for nodes with etcd alone: first in the file, so that the name of the id is this one.
    cleanup_free char *user_line =
        xasprintf("postgres:x:%ld:%ld::/var/lib/postgresql:/bin/bash\n", uid, their_gid < 0 ? gid : their_gid);
    cleanup_free char *group_line = xasprintf("postgres:x:%ld:\n", gid);
    if (their_uid < 0)
        put_first(&passwd, user_line);
    if (their_gid < 0)
        put_first(&group, group_line);
    exchange(strbuf_str(&passwd), 2, their_uid < 0 ? uid : their_uid, uid, &by_uid);
    exchange(strbuf_str(&by_uid), 3, their_gid < 0 ? gid : their_gid, gid, &passwd_new);
    exchange(strbuf_str(&group), 2, their_gid < 0 ? gid : their_gid, gid, &group_new);
    r = write_users(etc_dir, "passwd", &passwd_new, err);
    return r < 0 ? r : write_users(etc_dir, "group", &group_new, err);
}
