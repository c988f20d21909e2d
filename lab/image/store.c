// SPDX-License-Identifier: PostgreSQL
// From an unpacked tree in a staging folder to an image with a name.
#include "lab/image/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/image/manifest.h"
#include "lab/image/os.h"
#include "lab/image/tree.h"

void store_folder(const char *id, char *ret, size_t size) {
    (void)str_copy(ret, size, id);
    char *colon = strchr(ret, ':');
    if (colon)
        *colon = '-';
}

// Everything of the file system that holds path is on the disk: a rename must not outlive the data it names.
// A slow disk may take minutes, and no signal interrupts syncfs(2): so a process of its own does it, which need not be waited for.
static int sync_all(const char *path, const struct image_ui *ui, struct err *err) {
    cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "open '%s'", path);
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(fd, 3) < 0)
            _exit(EBADF);
        (void)close_range(4, ~0U, 0); // not the lock of the images
        _exit(syncfs(3) < 0 ? errno : 0);
    }
    if (pid < 0)
        return err_sys(err, errno, "make a process");
    int status;
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        if (image_stopped(ui))
            return err_set(err, ECANCELED, "interrupted");
        (void)nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
    }
    int code = ended < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    return code ? err_sys(err, code, "write '%s' to the disk", path) : 0;
}

static int sync_folder(const char *path, struct err *err) {
    cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? err_sys(err, errno, "write '%s' to the disk", path) : 0;
}

static int write_records(const char *staging, struct image_info *info, const struct image_ui *ui, struct err *err) {
    cleanup_free char *root = xasprintf("%s/root", staging), *list = xasprintf("%s/manifest", staging),
                      *json = xasprintf("%s/image.json", staging);
    cleanup_strbuf struct strbuf text = {0}, record = {0};
    struct manifest m = {0};
    int r = tree_normalise(root, ui ? ui->stop : NULL, err);
    if (r == 0)
        r = os_read(root, &info->image, err);
    if (r < 0)
        return r;
    image_say(ui, "computing the content id");
    r = manifest_of_tree(root, ui ? ui->stop : NULL, &m, err);
    if (r < 0)
        return r;
    manifest_text(&m, &text);
    manifest_id(strbuf_str(&text), text.len, info->image.id);
    info->bytes = m.bytes;
    info->files = m.files;
    info->built = usec_wall_now();
    manifest_done(&m);
    image_json_write(info, &record);
    r = fs_write(list, strbuf_str(&text), text.len, 0644, err);
    return r < 0 ? r : fs_write(json, strbuf_str(&record), record.len, 0644, err);
}

static int place_in_store(const struct store *s, const char *staging, const struct image_info *info, struct err *err) {
    char folder[MANIFEST_ID_MAX];
    store_folder(info->image.id, folder, sizeof folder);
    cleanup_free char *final = xasprintf("%s/%s", s->dir, folder), *gone = xasprintf("%s/.gone-%s", s->dir, folder);
    // The same content is there already: perhaps with a changed file, so the fresh one takes its place, unless a lab uses it.
    if (access(final, F_OK) == 0) {
        if (store_in_use(info->image.id) != 0)
            return fs_remove_tree(staging, err);
        if (rename(final, gone) < 0)
            return err_sys(err, errno, "put '%s' aside", final);
    }
    if (rename(staging, final) < 0)
        return err_sys(err, errno, "rename '%s' to '%s'", staging, final);
    (void)fs_remove_tree(gone, NULL);
    return sync_folder(s->dir, err);
}

static int point_name(const struct store *s, const struct image *im, struct err *err) {
    char folder[MANIFEST_ID_MAX];
    store_folder(im->id, folder, sizeof folder);
    cleanup_free char *link = xasprintf("%s/%s", s->dir, im->name), *tmp = xasprintf("%s/.new-link", s->dir);
    (void)unlink(tmp);
    if (symlink(folder, tmp) < 0 || rename(tmp, link) < 0)
        return err_sys(err, errno, "give the image its name '%s'", im->name);
    return sync_folder(s->dir, err);
}

int store_commit(const struct store *s, const char *staging, struct image_info *info, const struct image_ui *ui,
                 struct err *err) {
    int r = write_records(staging, info, ui, err);
    if (r == 0) {
        image_say(ui, "writing it to the disk"); // takes long when others write much
        r = sync_all(staging, ui, err);
    }
    if (r == 0 && image_stopped(ui))
        r = err_set(err, ECANCELED, "interrupted");
    if (r == 0)
        r = place_in_store(s, staging, info, err);
    if (r == 0)
        r = point_name(s, &info->image, err);
    if (r < 0) {
        (void)fs_remove_tree(staging, NULL);
        return r;
    }
    store_collect(s);
    char folder[MANIFEST_ID_MAX];
    store_folder(info->image.id, folder, sizeof folder);
    (void)snprintf(info->image.root, sizeof info->image.root, "%s/%s/root", s->dir, folder);
    return 0;
}
