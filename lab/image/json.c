// SPDX-License-Identifier: PostgreSQL
// An image in words: image.json, the same as in `bascule image list --json`, and what is in it on one line.
#include "lab/base/json.h"
#include "lab/image/store.h"

void image_versions_text(const struct image *im, struct strbuf *out) {
    const struct {
        const char *name, *version;
    } all[] = {{"PostgreSQL", im->postgresql}, {"Patroni", im->patroni}, {"etcd", im->etcd}, {"HAProxy", im->haproxy}};
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (!*all[i].version)
            continue;
        strbuf_addf(out, "%s%s %s", any ? ", " : "", all[i].name, all[i].version);
        any = true;
    }
    if (!any)
        strbuf_add(out, "nothing of the PostgreSQL stack in it");
}

void image_json_write(const struct image_info *info, struct strbuf *out) {
    const struct image *im = &info->image;
    const struct {
        const char *key, *value;
    } words[] = {{"id", im->id},           {"release", im->release}, {"debian_version", im->debian_version},
                 {"suite", info->suite},   {"from", info->from},     {"postgresql", im->postgresql},
                 {"patroni", im->patroni}, {"etcd", im->etcd},       {"haproxy", im->haproxy}};
    strbuf_add(out, "{\n");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        strbuf_addf(out, "  \"%s\": ", words[i].key);
        if (*words[i].value)
            json_quote(out, words[i].value);
        else
            strbuf_add(out, "null");
        strbuf_add(out, ",\n");
    }
    strbuf_addf(out, "  \"bytes\": %" PRIu64 ",\n  \"files\": %" PRIu64 ",\n  \"built_unix_s\": %" PRIu64 "\n}\n",
                info->bytes, info->files, info->built / SEC);
}

int image_json_read(const char *text, struct image_info *ret, struct err *err) {
    cleanup_json cJSON *o = cJSON_Parse(text);
    if (!cJSON_IsObject(o) || !json_str(o, "id", NULL))
        return err_set(err, EBADMSG, "image.json can't be read");
    struct image *im = &ret->image;
    STR_COPY(im->id, json_str(o, "id", ""));
    STR_COPY(im->release, json_str(o, "release", ""));
    STR_COPY(im->debian_version, json_str(o, "debian_version", ""));
    STR_COPY(im->postgresql, json_str(o, "postgresql", ""));
    STR_COPY(im->patroni, json_str(o, "patroni", ""));
    STR_COPY(im->etcd, json_str(o, "etcd", ""));
    STR_COPY(im->haproxy, json_str(o, "haproxy", ""));
    STR_COPY(ret->suite, json_str(o, "suite", ""));
    STR_COPY(ret->from, json_str(o, "from", ""));
    ret->bytes = (uint64_t)json_int(o, "bytes", 0);
    ret->files = (uint64_t)json_int(o, "files", 0);
    ret->built = (usec_t)json_int(o, "built_unix_s", 0) * SEC;
    return 0;
}
