// SPDX-License-Identifier: PostgreSQL
#include "lab/image/verify.h"

#include "lab/base/fs.h"

enum { MANIFEST_MAX = 256 << 20 };

static int read_expected(const struct image_info *info, struct manifest *ret, struct err *err) {
    cleanup_free char *path =
        xasprintf("%.*s/manifest", (int)(strlen(info->image.root) - strlen("/root")), info->image.root);
    cleanup_strbuf struct strbuf text = {0};
    char id[MANIFEST_ID_MAX];
    if (fs_read(path, MANIFEST_MAX, &text, err) < 0)
        return -EBADMSG;
    manifest_id(strbuf_str(&text), text.len, id);
    if (!str_eq(id, info->image.id))
        return err_set(err, EBADMSG, "its manifest was changed ('%s'); build or import the image again", path);
    return manifest_parse(strbuf_str(&text), ret, err);
}

int image_verify(const char *name, const struct image_ui *ui, manifest_change_fn *fn, void *arg,
                 struct image_verdict *ret, struct err *err) {
    struct image_info info;
    struct manifest was = {0}, is = {0};
    int r = image_info_find(name, &info, err);
    if (r == 0)
        r = read_expected(&info, &was, err);
    if (r < 0)
        return r;
    r = manifest_of_tree(info.image.root, ui ? ui->stop : NULL, &is, err);
    if (r == 0) {
        cleanup_strbuf struct strbuf text = {0};
        manifest_text(&is, &text);
        STR_COPY(ret->expected, info.image.id);
        manifest_id(strbuf_str(&text), text.len, ret->computed);
        ret->changes = manifest_compare(&was, &is, fn, arg);
        ret->files = is.files;
        ret->bytes = is.bytes;
    }
    manifest_done(&was);
    manifest_done(&is);
    return r;
}
