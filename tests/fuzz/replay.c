// SPDX-License-Identifier: PostgreSQL
// A fuzz target without libFuzzer: it is given every file of the folders in CORPUS (relative to the project's folder). What crashed it
// once must not do so again, in any build and under the sanitizers; the last name in the output is the one that did.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lab/base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give(const char *path) {
    cleanup_file FILE *f = fopen(path, "re");
    assert_non_null(f);
    cleanup_strbuf struct strbuf all = {0};
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
        strbuf_addn(&all, buf, n);
    print_message("%s: %zu bytes\n", path, all.len);
    uint8_t *tight = xmalloc(all.len ? all.len : 1); // so that reading beyond the end is seen by the sanitizer
    memcpy(tight, strbuf_str(&all), all.len);
    assert_int_equal(LLVMFuzzerTestOneInput(tight, all.len), 0);
    free(tight);
}

static int give_folder(const char *folder) {
    int given = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        cleanup_free char *path = xasprintf("%s/%s", folder, e->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            give(path);
            given++;
        }
    }
    if (dir)
        (void)closedir(dir);
    return given;
}

static void what_was_found_once_is_harmless(void **state) {
    (void)state;
    int given = 0;
    cleanup_free char *folders = xstrdup(CORPUS);
    char *rest = folders;
    for (char *folder; (folder = strsep(&rest, " "));)
        given += *folder ? give_folder(folder) : 0;
    print_message("%d inputs\n", given);
    assert_true(given > 0);
    assert_int_equal(LLVMFuzzerTestOneInput((const uint8_t *)"", 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_found_once_is_harmless)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
