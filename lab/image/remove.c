// SPDX-License-Identifier: PostgreSQL
// Taking images away, and not from under a running lab.
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/image/manifest.h"
#include "lab/image/recipe.h"
#include "lab/image/store.h"
#include "lab/image/tree.h"

enum { MOUNTINFO_MAX = 16 << 20 };

// A mount that uses the content names its folder: as a bind mount's root or as an overlay's lowerdir (proc(5), mountinfo).
pid_t store_in_use(const char *id) {
    char folder[MANIFEST_ID_MAX];
    store_folder(id, folder, sizeof folder);
    cleanup_dir DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc && (e = readdir(proc));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        cleanup_free char *path = xasprintf("/proc/%s/mountinfo", e->d_name);
        cleanup_strbuf struct strbuf text = {0};
        if (fs_read(path, MOUNTINFO_MAX, &text, NULL) == 0 && strstr(strbuf_str(&text), folder))
            return (pid_t)strtol(e->d_name, NULL, 10);
    }
    return 0;
}

static bool is_named(const image_info_list *list, const char *folder) {
    VEC_FOREACH (list, i) {
        char its[MANIFEST_ID_MAX];
        store_folder(i->image.id, its, sizeof its);
        if (str_eq(its, folder))
            return true;
    }
    return false;
}

// First out of the way by rename, so that an interrupted removal leaves no half of an image.
static void remove_content(const struct store *s, const char *folder) {
    cleanup_free char *path = xasprintf("%s/%s", s->dir, folder), *gone = xasprintf("%s/.gone-%s", s->dir, folder);
    if (rename(path, gone) == 0)
        (void)fs_remove_tree(gone, NULL); // what is left of it the next command takes away
}

void store_collect(const struct store *s) {
    image_info_list list = {0};
    cleanup_dir DIR *d = image_list(&list, NULL, NULL) == 0 ? opendir(s->dir) : NULL;
    for (const struct dirent *e; d && (e = readdir(d));)
        if (str_starts(e->d_name, "sha256-") && !is_named(&list, e->d_name) && store_in_use(e->d_name) == 0)
            remove_content(s, e->d_name);
    VEC_DONE(&list);
}

int image_remove(const char *name, const struct image_ui *ui, struct err *err) {
    int r = recipe_check_name(name, err);
    if (r < 0)
        return r;
    struct store s = {.lock = -1};
    struct image_info info = {0};
    r = store_open(false, ui, &s, err);
    if (r == -ENOENT) // no store: says which build makes the image
        return image_info_find(name, &info, err);
    if (r < 0)
        return r;
    r = image_info_find(name, &info, err);
    pid_t pid = r == 0 ? store_in_use(info.image.id) : 0;
    if (pid)
        r = err_set(err, EBUSY, "image '%s' is in use (process %d); end that lab first: bascule list, bascule down",
                    name, (int)pid);
    if (r == 0 || r == -EBADMSG) { // a damaged one can be taken away as well
        cleanup_free char *link = xasprintf("%s/%s", s.dir, name);
        r = unlink(link) < 0 ? err_sys(err, errno, "remove '%s'", link) : 0;
    }
    if (r == 0)
        store_collect(&s);
    store_close(&s);
    return r;
}
