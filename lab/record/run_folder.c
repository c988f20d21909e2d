// SPDX-License-Identifier: PostgreSQL
#include <ctype.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/base/own.h"
#include "lab/record/run.h"

int run_default_dir(struct strbuf *out, struct err *err) {
    const char *own = getenv("BASCULE_RUNS_DIR"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (!str_empty(own))
        strbuf_add(out, own);
    else if (!str_empty(state) &&
             state[0] == '/') // a relative path is invalid and ignored (XDG base directory specification)
        strbuf_addf(out, "%s/bascule/runs", state);
    else if (!str_empty(home))
        strbuf_addf(out, "%s/.local/state/bascule/runs", home);
    else
        return err_set(err, ENOENT, "no folder for runs: HOME is not set; pass --runs-dir or set BASCULE_RUNS_DIR");
    return 0;
}

// The nearest folder above `path` (or itself) that exists: its file system is where the run will be written.
static char *existing_parent(const char *path) {
    char *p = xstrdup(path);
    while (access(p, F_OK) < 0 && strchr(p, '/') && strcmp(p, "/") != 0) {
        char *slash = strrchr(p, '/');
        if (slash == p)
            slash++;
        *slash = '\0';
    }
    if (access(p, F_OK) < 0) // a relative path of one word
        (void)snprintf(p, strlen(p) + 1, ".");
    return p;
}

// Before anything is made, so that a refusal leaves nothing behind.
static int check_room(const char *parent, uint64_t need_bytes, struct err *err) {
    if (own_check_folder(parent, true, err) < 0)
        return err_wrap(err, "runs can't be kept there (--runs-dir)");
    cleanup_free char *at = existing_parent(parent);
    struct statvfs vfs;
    if (statvfs(at, &vfs) < 0)
        return err_sys(err, errno, "look at the file system of '%s'", at);
    if (vfs.f_flag & ST_RDONLY)
        return err_set(err, EROFS, "runs can't be kept in '%s': its file system is read-only; pass --runs-dir", parent);
    if (access(at, W_OK | X_OK) < 0)
        return err_set(err, errno, "runs can't be kept in '%s': no permission to write in '%s'; pass --runs-dir",
                       parent, at);
    uint64_t room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    if (room < need_bytes)
        return err_set(err, ENOSPC,
                       "runs can't be kept in '%s': %" PRIu64 " MB are free, a run needs %" PRIu64
                       " MB; free some or pass --runs-dir",
                       parent, room >> 20, (need_bytes + (1 << 20) - 1) >> 20);
    return 0;
}

static void add_safe_name(struct strbuf *out, const char *name) {
    for (const char *p = str_empty(name) ? "run" : name; *p; p++) {
        bool safe = isalnum((unsigned char)*p) || *p == '_' || *p == '-' || (*p == '.' && p > name);
        strbuf_addn(out, safe ? p : "-", 1);
    }
}

static int make_unique(struct strbuf *path, struct err *err) {
    size_t base = path->len;
    for (int i = 2; mkdir(strbuf_str(path), 0755) < 0; i++) {
        if (errno != EEXIST || i > 999)
            return err_sys(err, errno, "create the run folder '%s'", strbuf_str(path));
        path->len = base;
        strbuf_addf(path, "-%d", i);
    }
    return 0;
}

int run_folder_create(const char *parent, const char *name, uint64_t need_bytes, struct strbuf *out, struct err *err) {
    int r = check_room(parent, need_bytes, err);
    if (r == 0)
        r = fs_mkdirs(parent, 0755, err);
    if (r < 0)
        return r;
    time_t now = (time_t)(usec_wall_now() / SEC);
    struct tm tm;
    char stamp[32];
    (void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
    cleanup_strbuf struct strbuf path = {0};
    strbuf_addf(&path, "%s/%s-", parent, stamp);
    add_safe_name(&path, name);
    r = make_unique(&path, err);
    if (r < 0)
        return r;
    strbuf_add(out, strbuf_str(&path));
    return 0;
}
