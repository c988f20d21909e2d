// SPDX-License-Identifier: PostgreSQL
#include "lab/base/own.h"

#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"

static uid_t overflow_uid(void) {
    cleanup_strbuf struct strbuf text = {0};
    return fs_read("/proc/sys/kernel/overflowuid", 64, &text, NULL) < 0 ? 65534
                                                                        : (uid_t)strtoul(strbuf_str(&text), NULL, 10);
}

bool own_is_inner_map(const char *uid_map) {
    unsigned long long inside, outside, n;
    return sscanf(uid_map, "%llu %llu %llu", &inside, &outside, &n) != 3 || inside != 0 || outside != 0 ||
           n < UINT32_MAX;
}

static bool in_user_namespace(void) {
    cleanup_strbuf struct strbuf map = {0};
    return fs_read("/proc/self/uid_map", 4096, &map, NULL) == 0 && own_is_inner_map(strbuf_str(&map));
}

// Root's files in a user namespace that has no root belong to the overflow id (user_namespaces(7)). On the host that is a user like any
// other: nobody, whom services run as.
static bool trusted(uid_t uid) {
    return uid == 0 || uid == geteuid() || (uid == overflow_uid() && in_user_namespace());
}

static void name_of(uid_t uid, char *out, size_t size) {
    const struct passwd *pw = getpwuid(uid);
    if (pw)
        (void)snprintf(out, size, "%s", pw->pw_name);
    else
        (void)snprintf(out, size, "%u", (unsigned)uid);
}

int own_check_folder(const char *path, bool shared, struct err *err) {
    struct stat st;
    char owner[64];
    if (lstat(path, &st) < 0)
        return 0; // whoever makes or opens it says what is wrong
    name_of(st.st_uid, owner, sizeof owner);
    if (S_ISLNK(st.st_mode) && !trusted(st.st_uid))
        return err_set(err, EPERM,
                       "'%s' is a link that user %s made, who can let it lead anywhere; choose another folder", path,
                       owner);
    if (stat(path, &st) < 0 || !(st.st_mode & S_IWOTH) || !S_ISDIR(st.st_mode))
        return 0;
    name_of(st.st_uid, owner, sizeof owner);
    if (!trusted(st.st_uid))
        return err_set(err, EPERM, "'%s' belongs to user %s and everybody may write to it; choose another folder", path,
                       owner);
    if (shared && (st.st_mode & S_ISVTX))
        return 0;
    return err_set(err, EPERM,
                   "everybody on this host may write to '%s' and replace what lies in it: chmod o-w '%s', or choose "
                   "another folder",
                   path, path);
}
