// SPDX-License-Identifier: PostgreSQL
// Any bytes as what an image or apt's configuration says: os-release, dpkg's status, a manifest, image.json, sources.list, /etc/subuid. The
// first byte chooses the reader.
#include "lab/image/manifest.h"
#include "lab/image/need.h"
#include "lab/image/os.h"
#include "lab/image/recipe.h"
#include "lab/image/sources.h"
#include "lab/image/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, enum manifest_change change, const char *path, const char *was, const char *is) {
    (void)change, (void)was, (void)is;
    *(size_t *)arg += strlen(path) + 1;
}

// A manifest that is read and written is the same, and has no difference from itself.
static void manifest(const char *text) {
    struct manifest m = {0}, again = {0};
    struct err err = {0};
    cleanup_strbuf struct strbuf out = {0}, twice = {0};
    size_t n = 0;
    char id[MANIFEST_ID_MAX];
    if (manifest_parse(text, &m, &err) == 0) {
        manifest_text(&m, &out);
        if (manifest_parse(strbuf_str(&out), &again, &err) < 0)
            abort();
        manifest_text(&again, &twice);
        if (!str_eq(strbuf_str(&out), strbuf_str(&twice)) || manifest_compare(&m, &again, count, &n) != 0 || n)
            abort();
        manifest_id(strbuf_str(&out), out.len, id);
    }
    manifest_done(&m);
    manifest_done(&again);
}

static void sources(const char *text, bool deb822) {
    apt_source_list list = {0};
    line_list lines = {0};
    if (deb822)
        sources_parse_deb822(text, &list);
    else
        sources_parse_list(text, &list);
    VEC_FOREACH (&list, s)
        (void)sources_is_debian(s);
    sources_for_suite(&list, "trixie", NULL, &lines);
    line_list_done(&lines);
    sources_done(&list);
}

static void names(const char *text) {
    struct err err = {0};
    unsigned long free_id = 0;
    char version[16];
    (void)recipe_check_name(text, &err);
    (void)recipe_check_suite(text, &err);
    (void)recipe_check_package(text, &err);
    (void)recipe_find(text);
    (void)need_has_range(text, "user", 1000, &free_id);
    os_upstream_version(text, version, sizeof version);
}

static void image(const char *text) {
    struct image_info info = {0};
    struct err err = {0};
    cleanup_strbuf struct strbuf out = {0};
    os_parse_release(text, &info.image);
    os_parse_status(text, &info.image);
    (void)image_json_read(text, &info, &err);
    image_json_write(&info, &out);
    if (*info.image.id && image_json_read(strbuf_str(&out), &info, &err) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    cleanup_free char *text = xstrndup((const char *)data + 1, size - 1);
    switch (data[0] % 5) {
    case 0:
        manifest(text);
        break;
    case 1:
        sources(text, false);
        break;
    case 2:
        sources(text, true);
        break;
    case 3:
        names(text);
        break;
    default:
        image(text);
        break;
    }
    return 0;
}
