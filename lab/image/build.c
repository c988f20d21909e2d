// SPDX-License-Identifier: PostgreSQL
// An image from Debian's packages: mmdebstrap writes a tar into a pipe, tar unpacks it as the user's files. Nothing in between lies
// on the disk.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/image/make.h"
#include "lab/image/program.h"
#include "lab/image/recipe.h"
#include "lab/image/tar.h"
#include "lab/image/tree.h"

// Debian 13 with the stack takes 470 MB unpacked, and mmdebstrap's own copy lies beside it while it works.
static const uint64_t need_bytes = UINT64_C(700) << 20;
enum { TAIL = 12 }; // lines of mmdebstrap's log that a failure shows

// ---- the command -----------------------------------------------------------------------------------------------------------

typedef VEC(const char *) word_list;

// No default cluster (postgresql-common's postinst asks createcluster.d), nothing of this host in it.
static const char setup_hook[] =
    "--setup-hook=mkdir -p \"$1/etc/postgresql-common/createcluster.d\" && "
    "echo create_main_cluster = false >\"$1/etc/postgresql-common/createcluster.d/bascule.conf\"";
static const char customize_hook[] =
    "--customize-hook=echo debian >\"$1/etc/hostname\" && : >\"$1/etc/resolv.conf\" && "
    "rm -rf \"$1\"/var/log/*.log \"$1\"/var/log/apt \"$1\"/var/cache/ldconfig/* \"$1\"/var/cache/apt/*.bin "
    // ssl-cert's key of its own: not the same twice, and not to be shared
    "\"$1\"/etc/ssl/private/ssl-cert-snakeoil.key \"$1\"/etc/ssl/certs/ssl-cert-snakeoil.pem && "
    "find \"$1/etc/ssl/certs\" -lname ssl-cert-snakeoil.pem -delete";

// Message catalogues and documents are a seventh of the size, and nobody reads them on a node; licences stay.
static const char *const dpkg_options[] = {
    "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-include=/usr/share/locale/locale.alias",
    "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright"};

static char *package_list(const struct build_request *q) {
    cleanup_strbuf struct strbuf all = {0};
    strbuf_add(&all, "--include=ca-certificates");
    for (const char *const *p = recipe_packages; !q->bare && *p; p++)
        strbuf_addf(&all, ",%s", *p);
    for (const char *const *p = q->packages; p && *p; p++)
        strbuf_addf(&all, ",%s", *p);
    return xstrdup(strbuf_str(&all));
}

// The packages of one day give the same bytes: mmdebstrap clamps times to this (SOURCE_DATE_EPOCH, reproducible-builds.org).
static void set_epoch(void) {
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)time(NULL) / 86400 * 86400);
    (void)setenv("SOURCE_DATE_EPOCH", text, 1);
}

int build_start(const struct build_request *q, struct worker *ret, struct err *err) {
    apt_source_list host = {0};
    line_list lines = {0};
    word_list argv = {0};
    cleanup_free char *include = package_list(q);
    sources_read("/etc/apt", &host);
    sources_for_suite(&host, q->suite, q->mirror, &lines);
    VEC_PUSH(&argv, "mmdebstrap");
    VEC_PUSH(&argv, geteuid() == 0 ? "--mode=root" : "--mode=unshare");
    VEC_PUSH(&argv, "--variant=minbase");
    VEC_PUSH(&argv, "--format=tar");
    VEC_PUSH(&argv, include);
    VEC_PUSH(&argv, setup_hook);
    VEC_PUSH(&argv, customize_hook);
    for (size_t i = 0; i < ARRAY_SIZE(dpkg_options); i++)
        VEC_PUSH(&argv, dpkg_options[i]);
    VEC_PUSH(&argv, q->suite);
    VEC_PUSH(&argv, "-");
    VEC_FOREACH (&lines, line)
        VEC_PUSH(&argv, *line);
    VEC_PUSH(&argv, NULL);
    set_epoch();
    int r = worker_start(argv.items, ret, err);
    VEC_DONE(&argv);
    line_list_done(&lines);
    sources_done(&host);
    return r;
}

// ---- following it ----------------------------------------------------------------------------------------------------------

struct follow {
    const struct image_ui *ui;
    FILE *log;
    char tail[TAIL][256]; // ring
    size_t lines;
    struct complaint c;
    pid_t tar;
};

static void builder_line(void *arg, const char *line) {
    struct follow *f = arg;
    if (f->log)
        (void)fprintf(f->log, "%s\n", line);
    STR_COPY(f->tail[f->lines++ % TAIL], line);
    if (str_starts(line, "I: ") && !strstr(line, "tempdir") && !strstr(line, "-hook"))
        image_say(f->ui, "%s", line + 3);
    struct complaint full = {0};
    complaint_line(&full, line);
    f->c.disk_full |= full.disk_full;
}

static void tar_line(void *arg, const char *line) {
    struct follow *f = arg;
    if (f->log)
        (void)fprintf(f->log, "%s\n", line);
    complaint_line(&f->c, line);
    tar_stop_at_limit(f->tar, &f->c);
}

static int judge_builder(int status, const struct follow *f, const char *dir, struct err *err) {
    if (status == 0)
        return 0;
    if (f->c.disk_full)
        return err_set(err, ENOSPC,
                       "the disk is full: nothing was kept; free some space where images lie ('%s') and where they are "
                       "built (TMPDIR, else /var/tmp)",
                       dir);
    cleanup_strbuf struct strbuf text = {0};
    for (size_t i = f->lines > TAIL ? f->lines - TAIL : 0; i < f->lines; i++)
        strbuf_addf(&text, "\n  %s", f->tail[i % TAIL]);
    return err_set(err, EIO, "mmdebstrap failed (all it said: %s/.last-build.log)%s", dir, strbuf_str(&text));
}

// Both ends of the pipe at once; tar's complaint counts only if mmdebstrap had none, or the disk was full.
static int run_pipe(struct worker *w, const char *staging, const struct store *s, const struct image_ui *ui,
                    struct err *err) {
    cleanup_free char *log = xasprintf("%s/.last-build.log", s->dir);
    cleanup_file FILE *file = fopen(log, "we");
    struct follow f = {.ui = ui, .log = file};
    int messages = -1, status = 0;
    pid_t tar = tar_start_unpack(staging, w->out, NULL, &messages, err);
    if (tar < 0)
        return tar;
    f.tar = tar;
    (void)close(w->out); // tar's alone: when it ends, mmdebstrap notices
    w->out = -1;
    int r = worker_go(w, err);
    struct line_reader readers[] = {{.fd = w->messages, .line = builder_line, .arg = &f},
                                    {.fd = messages, .line = tar_line, .arg = &f},
                                    {.fd = w->life, .line = worker_read_life, .end = worker_life_ended, .arg = w}};
    if (r == 0)
        r = program_read_lines(readers, ARRAY_SIZE(readers), ui, err);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        line_reader_done(&readers[i]);
    (void)close(messages);
    if (r < 0)
        (void)kill(tar, SIGKILL);
    while (waitpid(tar, &status, 0) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return r;
    int built = worker_wait(w, err);
    r = built < 0 ? built : judge_builder(built, &f, s->dir, err);
    return r < 0 ? r : tar_judge(status, &f.c, s->dir, err);
}

static void note_source(const struct build_request *q, struct image_info *info) {
    apt_source_list host = {0};
    line_list lines = {0};
    sources_read("/etc/apt", &host);
    sources_for_suite(&host, q->suite, q->mirror, &lines);
    STR_COPY(info->from, lines.n ? lines.items[0] : "");
    line_list_done(&lines);
    sources_done(&host);
}

static int build_locked(struct worker *w, const struct store *s, const struct image_ui *ui, struct image_info *info,
                        struct err *err) {
    char staging[PATH_MAX];
    int r = store_check_room(s->dir, need_bytes, err);
    if (r == 0)
        r = store_stage(s, staging, err);
    if (r < 0)
        return r;
    r = run_pipe(w, staging, s, ui, err);
    if (r == 0)
        return store_commit(s, staging, info, ui, err);
    (void)fs_remove_tree(staging, NULL);
    return r;
}

int build_finish(const struct build_request *q, struct worker *w, const struct image_ui *ui, struct image_info *ret,
                 struct err *err) {
    struct image_info info = {0};
    struct store s = {.lock = -1};
    STR_COPY(info.image.name, q->name);
    STR_COPY(info.suite, q->suite);
    note_source(q, &info);
    int r = store_open(true, ui, &s, err);
    if (r == 0)
        r = build_locked(w, &s, ui, &info, err);
    worker_stop(w);
    store_close(&s);
    if (r == 0)
        *ret = info;
    return r;
}
