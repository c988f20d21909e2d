// SPDX-License-Identifier: PostgreSQL
// tar(1) does the work. This file chooses its options, reads its messages while it runs (they tell of a full disk, of a tree that is too
// large), and turns its end into an error that names the way out. Import unpacks into a staging folder of the store and commits that;
// export writes a new file, which appears under its name when it is whole.
#include "lab/image/tar.h"

#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/image/make.h"
#include "lab/image/program.h"
#include "lab/image/recipe.h"
#include "lab/image/tree.h"

// A plain user can neither make device nodes nor give files away. Modes are taken as they are (a umask must not change the content
// id); tree_normalise then takes the setuid bits away. tar itself refuses "..", and makes links that point outside only at the end.
pid_t tar_start_unpack(const char *staging, int in, const char *file, int *ret_messages, struct err *err) {
    cleanup_free char *root = xasprintf("--directory=%s/root", staging),
                      *from = xasprintf("--file=%s", file ? file : "-");
    const char *argv[] = {
        "tar", "--extract", "--no-same-owner", "--same-permissions", "--delay-directory-restore", "--anchored",
        "--force-local", // "a:b.tar" is no host
        // So that a small file that grows without end is noticed: how much was read, every GiB (records of 10 KiB).
        "--checkpoint=104858", "--checkpoint-action=totals", "--exclude=./dev/*", "--exclude=dev/*", "--exclude=/dev/*",
        root, from, NULL};
    int messages[2];
    if (pipe2(messages, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    pid_t pid = program_start(argv, in, -1, messages[1], err);
    (void)close(messages[1]);
    if (pid < 0)
        (void)close(messages[0]);
    else
        *ret_messages = messages[0];
    return pid;
}

int tar_judge(int status, const struct complaint *c, const char *dir, struct err *err) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (c->disk_full)
        return err_set(err, ENOSPC,
                       "the disk is full: nothing was kept; free some space for '%s' (`bascule image remove`), or set "
                       "BASCULE_IMAGES_DIR",
                       dir);
    if (c->bytes > (uint64_t)TREE_GIB_MAX << 30)
        return tree_too_large(err);
    if (c->too_deep)
        return err_set(err, ENAMETOOLONG, "a path in it is longer than the %d bytes that this system allows",
                       PATH_MAX - 1);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return err_set(err, ENOENT, "tar could not be started; is it installed?");
    return err_set(err, EBADMSG, "unpacking failed: %s",
                   *c->first             ? c->first
                   : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                         : "tar said nothing");
}

struct talk {
    struct complaint *c;
    pid_t pid;
};

static void take_line(void *arg, const char *line) {
    const struct talk *t = arg;
    complaint_line(t->c, line);
    tar_stop_at_limit(t->pid, t->c);
}

void tar_stop_at_limit(pid_t pid, const struct complaint *c) {
    if (c->bytes > (uint64_t)TREE_GIB_MAX << 30)
        (void)kill(pid, SIGKILL); // ours, not reaped
}

// Reads a program's messages to its end and reaps it.
static int wait_program(pid_t pid, int messages, struct complaint *c, const struct image_ui *ui, struct err *err) {
    struct talk t = {.c = c, .pid = pid};
    struct line_reader reader = {.fd = messages, .line = take_line, .arg = &t};
    int status = 0, r = program_read_lines(&reader, 1, ui, err);
    line_reader_done(&reader);
    if (r < 0)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return r < 0 ? r : status;
}

static int unpack_file(const char *staging, const char *file, const char *dir, const struct image_ui *ui,
                       struct err *err) {
    struct complaint c = {0};
    int messages = -1;
    pid_t pid = tar_start_unpack(staging, -1, file, &messages, err);
    if (pid < 0)
        return pid;
    int status = wait_program(pid, messages, &c, ui, err);
    (void)close(messages);
    return status < 0 ? status : tar_judge(status, &c, dir, err);
}

// ---- import ----------------------------------------------------------------------------------------------------------------

static int check_file(const char *file, uint64_t *ret_size, struct err *err) {
    struct stat st;
    if (stat(file, &st) < 0 || access(file, R_OK) < 0)
        return err_sys(err, errno, "read '%s'", file);
    if (S_ISDIR(st.st_mode))
        return err_set(err, EISDIR, "'%s' is a folder; a tar file is wanted (tar -C %s -cf image.tar .)", file, file);
    *ret_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return 0;
}

// "rootfs/debian-13.tar.zst" is called "debian-13".
static int name_from_file(const char *file, char *ret, size_t size, struct err *err) {
    cleanup_free char *copy = xstrdup(file);
    const char *base = basename(copy), *tar = strstr(base, ".tar"), *dot = tar ? tar : strrchr(base, '.');
    cleanup_free char *name = xstrndup(base, dot ? (size_t)(dot - base) : strlen(base));
    (void)str_copy(ret, size, name);
    int r = recipe_check_name(name, err);
    return r < 0 ? err_wrap(err, "pass --name") : 0;
}

int import_tar(const char *file, const char *name, const struct image_ui *ui, struct image_info *ret, struct err *err) {
    struct image_info info = {0};
    struct store s = {.lock = -1};
    char staging[PATH_MAX];
    uint64_t size = 0;
    if (name)
        STR_COPY(info.image.name, name);
    int r = name ? recipe_check_name(name, err) : name_from_file(file, info.image.name, sizeof info.image.name, err);
    if (r == 0)
        r = check_file(file, &size, err);
    if (r == 0)
        r = store_open(true, ui, &s, err);
    if (r < 0)
        return r;
    STR_COPY(info.from, file);
    r = store_check_room(s.dir, size, err); // unpacked it is larger still, if compressed; then tar finds out
    if (r == 0)
        r = store_stage(&s, staging, err);
    if (r == 0) {
        image_say(ui, "unpacking %s", file);
        r = unpack_file(staging, file, s.dir, ui, err);
        if (r == 0)
            r = store_commit(&s, staging, &info, ui, err);
        else
            (void)fs_remove_tree(staging, NULL);
    }
    store_close(&s);
    if (r < 0)
        return err_wrap(err, "import '%s'", file);
    *ret = info;
    return 0;
}

// ---- export ----------------------------------------------------------------------------------------------------------------

// As tar --auto-compress, which wants a file with a name.
static const char *compression(const char *file) {
    static const struct {
        const char *ending, *option;
    } all[] = {{".gz", "--gzip"},   {".tgz", "--gzip"}, {".bz2", "--bzip2"}, {".tbz2", "--bzip2"}, {".tbz", "--bzip2"},
               {".xz", "--xz"},     {".txz", "--xz"},   {".zst", "--zstd"},  {".tzst", "--zstd"},  {".lz", "--lzip"},
               {".lzma", "--lzma"}, {".tlz", "--lzma"}, {".lzo", "--lzop"},  {".Z", "--compress"}};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (str_ends(file, all[i].ending))
            return all[i].option;
    return NULL;
}

static int write_tar(const char *root, const char *file, int out, const struct image_ui *ui, struct err *err) {
    cleanup_free char *folder = xasprintf("--directory=%s", root);
    const char *compress = compression(file);
    const char *argv[] = {
        "tar",  "--create", "--file=-", "--sort=name", "--owner=root:0", "--group=root:0", "--numeric-owner",
        folder, ".",        compress,   NULL};
    int messages[2];
    if (pipe2(messages, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    pid_t pid = program_start(argv, -1, out, messages[1], err);
    (void)close(messages[1]);
    struct complaint c = {0};
    int status = pid < 0 ? pid : wait_program(pid, messages[0], &c, ui, err);
    (void)close(messages[0]);
    return status > 0
               ? err_set(err, c.disk_full ? ENOSPC : EIO, "write '%s': %s", file, *c.first ? c.first : "tar failed")
               : status;
}

int export_tar(const char *name, const char *file, const struct image_ui *ui, struct err *err) {
    struct image_info info;
    struct new_file f = {.fd = -1};
    int r = image_info_find(name, &info, err);
    if (r == 0)
        r = new_file_open(file, 0666, &f, err);
    if (r < 0)
        return r;
    image_say(ui, "writing %s", file);
    r = write_tar(info.image.root, file, f.fd, ui, err);
    if (r == 0)
        r = new_file_sync(&f, err);
    if (r == 0)
        r = new_file_publish(&f, err);
    new_file_close(&f);
    return r;
}
