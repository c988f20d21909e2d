// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/yaml/load.h"

#include <sys/stat.h>

#include "lab/base/fs.h"

int file_load(const char *path, struct strbuf *ret, struct err *err) {
    struct stat st;
    if (stat(path, &st) < 0)
        return err_sys(err, errno, "read '%s'", path);
    if (!S_ISREG(st.st_mode)) // a pipe would block, a device never end
        return err_set(err, EINVAL, "read '%s': it is %s, not a file", path,
                       S_ISDIR(st.st_mode) ? "a folder" : "a device");
    return fs_read(path, YAML_BYTES_MAX, ret, err);
}

static void tree_complains(void *arg, struct mark at, const char *text) {
    complain(arg, at, "%s", text);
}

struct ynode *file_parse(struct reader *r, const char *text, size_t len) {
    const struct yaml_sink sink = {.complain = tree_complains, .arg = r};
    return yaml_tree_read(text, len, &sink, &r->whole);
}
