// SPDX-License-Identifier: PostgreSQL
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/image/manifest.h"
#include "lab/image/recipe.h"
#include "lab/image/store.h"

enum { JSON_MAX = 1 << 20 };

static bool is_content_folder(const char *s) {
    return str_starts(s, "sha256-") && strlen(s) == 71 && strspn(s + 7, "0123456789abcdef") == 64;
}

static bool is_dir(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// -ENOENT: there is no such name. Anything else: the image is damaged, err says how.
static int read_info(const char *dir, const char *name, struct image_info *ret, struct err *err) {
    cleanup_free char *link = xasprintf("%s/%s", dir, name);
    char folder[MANIFEST_ID_MAX] = "";
    ssize_t n = readlink(link, folder, sizeof folder - 1);
    if (n < 0)
        return errno == ENOENT ? -ENOENT : err_set(err, EBADMSG, "'%s' is not a link to an image's content", link);
    folder[n] = '\0';
    if (!is_content_folder(folder))
        return err_set(err, EBADMSG, "'%s' is not a link to an image's content", link);
    STR_COPY(ret->image.name, name);
    (void)snprintf(ret->image.id, sizeof ret->image.id, "sha256:%s", folder + 7);
    cleanup_free char *json = xasprintf("%s/%s/image.json", dir, folder), *root = xasprintf("%s/%s/root", dir, folder);
    cleanup_strbuf struct strbuf text = {0};
    struct err why = {0};
    if (fs_read(json, JSON_MAX, &text, &why) < 0)
        return err_set(err, EBADMSG, "%s", why.msg);
    struct image_info info = *ret;
    if (image_json_read(strbuf_str(&text), &info, &why) < 0 || !str_eq(info.image.id, ret->image.id))
        return err_set(err, EBADMSG, "'%s' does not belong to this image", json);
    if (!is_dir(root))
        return err_set(err, EBADMSG, "'%s' is missing", root);
    if (!str_copy(info.image.root, sizeof info.image.root, root))
        return err_set(err, EBADMSG, "the path '%s' is too long", root);
    *ret = info;
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct image_info *)a)->image.name, ((const struct image_info *)b)->image.name);
}

int image_list(image_info_list *ret, size_t *ret_leftovers, struct err *err) {
    char path[PATH_MAX];
    int r = store_dir(path, sizeof path, err);
    if (r < 0)
        return r;
    cleanup_dir DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? 0 : err_sys(err, errno, "images in '%s'", path);
    for (const struct dirent *e; (e = readdir(d));) {
        if (ret_leftovers && (str_starts(e->d_name, ".new-") || str_starts(e->d_name, ".gone-")))
            (*ret_leftovers)++;
        if (recipe_check_name(e->d_name, NULL) < 0)
            continue;
        struct err why = {0};
        struct image_info info = {0};
        STR_COPY(info.image.name, e->d_name);
        info.state = read_info(path, e->d_name, &info, &why);
        STR_COPY(info.why, why.msg);
        if (info.state != -ENOENT)
            VEC_PUSH(ret, info);
    }
    VEC_SORT(ret, by_name);
    return 0;
}

static int tell_missing(const char *dir, const char *name, struct err *err) {
    image_info_list list = {0};
    (void)image_list(&list, NULL, NULL);
    const char **words = xcalloc(list.n + 1, sizeof *words);
    for (size_t i = 0; i < list.n; i++)
        words[i] = list.items[i].image.name;
    const char *near = str_nearest(name, words);
    cleanup_free char *hint = near ? xasprintf(" (did you mean '%s'?)", near) : xstrdup("");
    int r = err_set(err, ENOENT, "there is no image '%s' in '%s'%s; this builds it: bascule image build %s%s", name,
                    dir, hint, name, recipe_find(name) ? "" : " --suite SUITE");
    free(words);
    VEC_DONE(&list);
    return r;
}

int image_info_find(const char *name, struct image_info *ret, struct err *err) {
    char dir[PATH_MAX];
    int r = recipe_check_name(name, err);
    if (r == 0)
        r = store_dir(dir, sizeof dir, err);
    if (r < 0)
        return r;
    struct image_info info = {0};
    r = read_info(dir, name, &info, err);
    if (r == -ENOENT)
        return tell_missing(dir, name, err);
    if (r < 0)
        return err_wrap(err, "image '%s' is damaged (build or import it again)", name);
    *ret = info;
    return 0;
}

int image_find(const char *name, struct image *ret, struct err *err) {
    struct image_info info;
    int r = image_info_find(name, &info, err);
    if (r == 0)
        *ret = info.image;
    return r;
}
