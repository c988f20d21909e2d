// SPDX-License-Identifier: PostgreSQL
#include "lab/cli/user_config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/base/own.h"
#include "lab/sandbox/sandbox.h"

// What there is to know of the file as its owner sees it: three texts, each with its NUL, on the way from a child.
enum { FOUND_MAX = (1 << 20) + 8192 };
struct raw {
    struct strbuf path, home, text;
    bool found;
};

static void raw_done(struct raw *w) {
    strbuf_done(&w->path);
    strbuf_done(&w->home);
    strbuf_done(&w->text);
}

// A relative path in XDG_CONFIG_HOME is invalid and ignored (XDG base directory specification).
static void find_path(struct strbuf *folder) {
    const char *own = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (!str_empty(own) && own[0] == '/')
        strbuf_addf(folder, "%s/bascule", own);
    else if (!str_empty(home))
        strbuf_addf(folder, "%s/.config/bascule", home);
}

static int read_here(struct raw *w, struct err *err) {
    cleanup_strbuf struct strbuf folder = {0};
    const char *home = getenv("HOME");
    find_path(&folder);
    strbuf_add(&w->home, home ? home : "");
    if (!folder.len)
        return 0;
    strbuf_addf(&w->path, "%s/config.yaml", strbuf_str(&folder));
    if (access(strbuf_str(&w->path), F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    int r = own_check_folder(strbuf_str(&folder), false, err);
    if (r == 0)
        r = config_load(strbuf_str(&w->path), &w->text, err);
    w->found = r == 0;
    return r;
}

// ---- as root -------------------------------------------------------------------------------------------------------------

// Scenarios are read with the rights of root, this file is not: a child becomes the user for good, looks, and tells what it saw.
static _Noreturn void read_in_child(int out) {
    struct raw w = {0};
    struct err err = {0};
    int r = sandbox_drop_root(&err);
    if (r == 0)
        r = read_here(&w, &err);
    struct strbuf all = {0};
    strbuf_addf(&all, "%d", r < 0 ? r : w.found);
    strbuf_addn(&all, "", 1);
    strbuf_add(&all, strbuf_str(&w.path));
    strbuf_addn(&all, "", 1);
    strbuf_add(&all, strbuf_str(&w.home));
    strbuf_addn(&all, "", 1);
    strbuf_add(&all, r < 0 ? err.msg : strbuf_str(&w.text));
    for (size_t done = 0; done < all.len;) {
        ssize_t n = write(out, all.data + done, all.len - done);
        if (n < 0)
            _exit(1);
        done += (size_t)n;
    }
    _exit(0);
}

static int take_answer(const struct strbuf *all, struct raw *w, struct err *err) {
    const char *part[4], *at = all->data;
    for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
        const char *end = at ? memchr(at, '\0', all->len - (size_t)(at - all->data)) : NULL;
        if (!at || (!end && i + 1 < ARRAY_SIZE(part)))
            return err_set(err, EIO, "the configuration file could not be looked for");
        part[i] = at;
        at = end ? end + 1 : NULL;
    }
    long r = strtol(part[0], NULL, 10);
    strbuf_add(&w->path, part[1]);
    strbuf_add(&w->home, part[2]);
    if (r < 0)
        return err_set(err, (int)-r, "%s", part[3]);
    strbuf_addn(&w->text, part[3], all->len - (size_t)(part[3] - all->data));
    w->found = r > 0;
    return 0;
}

static int read_as_user(struct raw *w, struct err *err) {
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "look for the configuration file");
    cleanup_close int in = ends[0];
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        read_in_child(ends[1]);
    (void)close(ends[1]);
    if (pid < 0)
        return err_sys(err, errno, "look for the configuration file");
    cleanup_strbuf struct strbuf all = {0};
    int r = fs_read_fd(in, "configuration file", FOUND_MAX, &all, err);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return r < 0 ? r : take_answer(&all, w, err);
}

// ---- once ----------------------------------------------------------------------------------------------------------------

static int load(struct user_config *u, struct err *err) {
    struct raw w = {0};
    struct diags d = {0};
    int r = geteuid() == 0 ? read_as_user(&w, err) : read_here(&w, err);
    u->path = xstrdup(strbuf_str(&w.path));
    u->found = w.found;
    if (r == 0 && w.found &&
        config_read_text(u->path, strbuf_str(&w.text), w.text.len, strbuf_str(&w.home), &d, &u->c) < 0) {
        cleanup_strbuf struct strbuf said = {0};
        diags_to_text(&d, &said);
        (void)fputs(strbuf_str(&said), stderr);
        r = err_set(err, EINVAL, "the configuration file '%s' has mistakes: mend it, or move it away", u->path);
    }
    diags_done(&d);
    raw_done(&w);
    return r;
}

int user_config(const struct user_config **ret, struct err *err) {
    static struct user_config once;
    static struct err failed;
    if (!once.path)
        (void)load(&once, &failed);
    *ret = &once;
    return failed.code ? err_set(err, failed.code, "%s", failed.msg) : 0;
}
