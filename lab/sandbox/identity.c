// SPDX-License-Identifier: PostgreSQL
// Who we are outside, and who the lab's processes are inside.
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/sandbox/caps.h"
#include "lab/sandbox/sandbox.h"

int sandbox_identity(uid_t *ret_uid, gid_t *ret_gid, struct err *err) {
    const struct passwd *pw = getpwnam("postgres");
    if (!pw)
        return err_set(err, ENOENT,
                       "there is no user 'postgres' on this host; it comes with PostgreSQL's packages: "
                       "apt-get install postgresql-common");
    *ret_uid = pw->pw_uid;
    *ret_gid = pw->pw_gid;
    return 0;
}

struct person {
    uid_t uid;
    gid_t gid;
    char name[64];
    char home[256]; // "" = make one
};

static bool parse_id(const char *text, uint32_t *ret) {
    if (str_empty(text))
        return false;
    char *end;
    errno = 0;
    unsigned long v = strtoul(text, &end, 10);
    if (errno || *end || v == 0 || v >= UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static void person_from(const struct passwd *pw, bool has_home, struct person *ret) {
    *ret = (struct person){.uid = pw->pw_uid, .gid = pw->pw_gid};
    STR_COPY(ret->name, pw->pw_name);
    STR_COPY(ret->home, has_home ? pw->pw_dir : "");
}

// Whoever typed sudo; else an account kept for us; else nobody.
static int choose_person(struct person *ret, struct err *err) {
    uint32_t uid, gid;
    if (parse_id(getenv("SUDO_UID"), &uid) && parse_id(getenv("SUDO_GID"), &gid)) {
        const struct passwd *pw = getpwuid(uid);
        if (!pw)
            return err_set(err, ENOENT, "SUDO_UID names user %u, whom this host does not know", uid);
        person_from(pw, true, ret);
        ret->gid = gid;
        return 0;
    }
    const struct passwd *pw = getpwnam("bascule");
    bool ours = pw != NULL;
    if (!pw)
        pw = getpwnam("nobody");
    if (!pw || pw->pw_uid == 0)
        return err_set(err, ENOENT, "started by root, and there is no user 'bascule' or 'nobody' to become instead");
    person_from(pw, ours && access(pw->pw_dir, F_OK) == 0, ret);
    return 0;
}

// A home below /var/tmp that belongs to this user and nobody else: another user may have made that name first.
static int make_home(struct person *p, struct err *err) {
    (void)snprintf(p->home, sizeof p->home, "/var/tmp/bascule-%u", (unsigned)p->uid);
    if (mkdir(p->home, 0700) < 0 && errno != EEXIST)
        return err_sys(err, errno, "make a home in '%s'", p->home);
    struct stat st;
    if (lstat(p->home, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != p->uid)
        return err_set(err, EPERM, "'%s' exists and belongs to somebody else; remove it", p->home);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, EPERM, "'%s' can be written to by others, who may have replaced what lies in it: remove it",
                       p->home);
    return 0;
}

static int become(const struct person *p, struct err *err) {
    if (initgroups(p->name, p->gid) < 0)
        return err_sys(err, errno, "take the groups of user '%s'", p->name);
    if (setresgid(p->gid, p->gid, p->gid) < 0 || setresuid(p->uid, p->uid, p->uid) < 0)
        return err_sys(err, errno, "become user '%s'", p->name);
    // For good: no way back by uid, none by a kept capability (setresuid(2) clears them unless securebits say
    // otherwise).
    if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0 || caps_any())
        return err_set(err, EPERM, "root's rights could not be given up for good; start bascule as a plain user");
    // After a change of uid /proc/self belongs to root and our own uid_map could not be written (proc(5),
    // PR_SET_DUMPABLE).
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return err_sys(err, errno, "own /proc/self as user '%s'", p->name);
    return 0;
}

// root's folders are not ours any more: programs fall back to what HOME says.
static void set_environment(const struct person *p) {
    static const char *const roots[] = {
        "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR", "MAIL"};
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
        (void)unsetenv(roots[i]);
    (void)setenv("HOME", p->home, 1);
    (void)setenv("USER", p->name, 1);
    (void)setenv("LOGNAME", p->name, 1);
    char runtime[64];
    (void)snprintf(runtime, sizeof runtime, "/run/user/%u", (unsigned)p->uid);
    if (access(runtime, W_OK) == 0)
        (void)setenv("XDG_RUNTIME_DIR", runtime, 1);
}

int sandbox_drop_root(struct err *err) {
    if (getuid() != 0 && geteuid() != 0)
        return 0;
    struct person p = {0};
    int r = choose_person(&p, err);
    if (r == 0)
        r = become(&p, err);
    if (r == 0 && !*p.home)
        r = make_home(&p, err);
    if (r == 0)
        set_environment(&p);
    return r;
}
