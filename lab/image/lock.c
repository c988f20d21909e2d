// SPDX-License-Identifier: PostgreSQL
// The store's folder, its lock, and what others have left behind in it.
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/base/own.h"
#include "lab/image/store.h"
#include "lab/image/tree.h"

void image_say(const struct image_ui *ui, const char *fmt, ...) {
    if (!ui || !ui->say)
        return;
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    ui->say(ui->arg, strbuf_str(&text));
}

bool image_stopped(const struct image_ui *ui) {
    return ui && ui->stop && *ui->stop;
}

int store_dir(char *ret, size_t size, struct err *err) {
    const char *own = getenv("BASCULE_IMAGES_DIR"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    cleanup_free char *dir = NULL;
    if (!str_empty(own)) {
        cleanup_free char *cwd = own[0] == '/' ? NULL : getcwd(NULL, 0);
        dir = own[0] == '/' ? xstrdup(own) : xasprintf("%s/%s", cwd ? cwd : "", own);
    } else if (!str_empty(data) && data[0] == '/') { // a relative path is ignored (XDG base directory specification)
        dir = xasprintf("%s/bascule/images", data);
    } else if (!str_empty(home)) {
        dir = xasprintf("%s/.local/share/bascule/images", home);
    } else {
        return err_set(err, ENOENT, "no folder for images: HOME is not set; set BASCULE_IMAGES_DIR");
    }
    if (!str_copy(ret, size, dir))
        return err_set(err, ENAMETOOLONG, "the path of the images is too long: %s", dir);
    // Programs of an image run as the user: a folder in which anybody could lay one down is none.
    return own_check_folder(dir, false, err) < 0 ? err_wrap(err, "images (BASCULE_IMAGES_DIR)") : 0;
}

int store_check_room(const char *dir, uint64_t need, struct err *err) {
    struct statvfs vfs;
    if (statvfs(dir, &vfs) < 0)
        return err_sys(err, errno, "look at the file system of '%s'", dir);
    uint64_t room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    if (room >= need)
        return 0;
    return err_set(err, ENOSPC,
                   "the disk is too full: %" PRIu64 " MB are free in '%s', %" PRIu64
                   " MB are needed; free some (`bascule image remove`), or set BASCULE_IMAGES_DIR",
                   room >> 20, dir, (need + (1 << 20) - 1) >> 20);
}

static int take_lock(int fd, const struct image_ui *ui, struct err *err) {
    for (bool told = false; flock(fd, LOCK_EX | LOCK_NB) < 0; told = true) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_sys(err, errno, "lock the images");
        if (image_stopped(ui))
            return err_set(err, ECANCELED, "interrupted");
        if (!told)
            image_say(ui, "waiting: another build, import or removal is at work");
        // flock(2) has no deadline and a signal between the check and a blocking call would be lost.
        (void)nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    }
    return 0;
}

static bool is_unfinished(const char *name) {
    return str_starts(name, ".new-") || str_starts(name, ".gone-");
}

static void remove_leftovers(const struct store *s, const struct image_ui *ui) {
    cleanup_dir DIR *d = opendir(s->dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (!is_unfinished(e->d_name))
            continue;
        cleanup_free char *path = xasprintf("%s/%s", s->dir, e->d_name);
        image_say(ui, "clearing away what an interrupted command has left (%s)", e->d_name);
        (void)fs_remove_tree(path, NULL); // what can't be removed does not harm: nobody takes it for an image
    }
}

int store_open(bool create, const struct image_ui *ui, struct store *ret, struct err *err) {
    struct store s = {.lock = -1};
    int r = store_dir(s.dir, sizeof s.dir, err);
    if (r == 0 && create)
        r = fs_mkdirs(s.dir, 0755, err);
    if (r < 0)
        return r;
    cleanup_free char *path = xasprintf("%s/.lock", s.dir);
    cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, errno, "images in '%s'", s.dir);
    r = take_lock(fd, ui, err);
    if (r < 0)
        return r;
    s.lock = STEAL_FD(fd);
    remove_leftovers(&s, ui);
    *ret = s;
    return 0;
}

void store_close(struct store *s) {
    if (s->lock >= 0)
        (void)close(s->lock);
    s->lock = -1;
}

int store_stage(const struct store *s, char ret[static PATH_MAX], struct err *err) {
    cleanup_free char *path = xasprintf("%s/.new-XXXXXX", s->dir);
    if (!mkdtemp(path)) // 0700: what is world-writable in a tree (its /tmp) can be reached by its owner only
        return err_sys(err, errno, "make a folder in '%s'", s->dir);
    cleanup_free char *root = xasprintf("%s/root", path);
    if (mkdir(root, 0755) < 0) {
        int r = err_sys(err, errno, "make '%s'", root);
        (void)rmdir(path);
        return r;
    }
    (void)str_copy(ret, PATH_MAX, path);
    return 0;
}
