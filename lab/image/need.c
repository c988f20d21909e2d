// SPDX-License-Identifier: PostgreSQL
#include "lab/image/need.h"

#include "lab/base/fs.h"
#include "lab/image/program.h"
#include "lab/image/sources.h"

// mmdebstrap (1.3.5, read_subuid_subgid) wants the whole range of a Debian system: 0 to 65535.
enum { RANGE = 65536, FILE_MAX = 1 << 20 };
static const unsigned long first_free = 100000; // SUB_UID_MIN in /etc/login.defs

bool need_has_range(const char *text, const char *user, uid_t uid, unsigned long *ret_free) {
    bool found = false;
    char number[16];
    (void)snprintf(number, sizeof number, "%u", (unsigned)uid);
    *ret_free = first_free;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        cleanup_free char *line = xstrndup(p, n);
        char *start = strchr(line, ':'), *count = start ? strchr(start + 1, ':') : NULL;
        if (count) {
            *start = *count = '\0';
            unsigned long from = strtoul(start + 1, NULL, 10), many = strtoul(count + 1, NULL, 10);
            if (from + many > *ret_free)
                *ret_free = from + many;
            found |= many >= RANGE && (str_eq(line, user) || str_eq(line, number));
        }
        p += n + (p[n] != '\0');
    }
    return found;
}

static void add_package(struct strbuf *packages, const char *name) {
    strbuf_addf(packages, "%s%s", packages->len ? " " : "", name);
}

static void check_ranges(uid_t uid, const char *user, struct strbuf *out) {
    cleanup_strbuf struct strbuf uids = {0}, gids = {0};
    unsigned long free_uid, free_gid;
    (void)fs_read("/etc/subuid", FILE_MAX, &uids, NULL); // a file that is not there has no range
    (void)fs_read("/etc/subgid", FILE_MAX, &gids, NULL);
    bool has_uid = need_has_range(strbuf_str(&uids), user, uid, &free_uid),
         has_gid = need_has_range(strbuf_str(&gids), user, uid, &free_gid);
    if (has_uid && has_gid)
        return;
    strbuf_addf(out, "%suser '%s' has no subordinate %s (%d of them): sudo usermod", out->len ? "; " : "", user,
                has_uid   ? "groups in /etc/subgid"
                : has_gid ? "users in /etc/subuid"
                          : "users and groups in /etc/subuid and /etc/subgid",
                RANGE);
    if (!has_uid)
        strbuf_addf(out, " --add-subuids %lu-%lu", free_uid, free_uid + RANGE - 1);
    if (!has_gid)
        strbuf_addf(out, " --add-subgids %lu-%lu", free_gid, free_gid + RANGE - 1);
    strbuf_addf(out, " %s", user);
}

int need_check(uid_t uid, const char *user, struct err *err) {
    cleanup_strbuf struct strbuf packages = {0}, out = {0};
    char path[PATH_MAX];
    if (!program_find("mmdebstrap", path))
        add_package(&packages, "mmdebstrap");
    if (uid != 0 && (!program_find("newuidmap", path) || !program_find("newgidmap", path)))
        add_package(&packages, "uidmap");
    if (access(SOURCES_KEYRING, R_OK) < 0)
        add_package(&packages, "debian-archive-keyring");
    if (!program_find("tar", path))
        add_package(&packages, "tar");
    if (packages.len)
        strbuf_addf(&out, "missing: sudo apt-get install %s", strbuf_str(&packages));
    if (uid != 0)
        check_ranges(uid, user, &out);
    return out.len ? err_set(err, ENOENT, "%s", strbuf_str(&out)) : 0;
}
