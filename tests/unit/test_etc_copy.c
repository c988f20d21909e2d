// SPDX-License-Identifier: PostgreSQL
// The copy of a node's /etc, in which whoever works on that node has made what he likes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"

static char folder[PATH_MAX - 64], from[PATH_MAX], to[PATH_MAX], outside[PATH_MAX];

static int setup(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/test_etc_copy.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(from, sizeof from, "%s/from", folder);
    (void)snprintf(to, sizeof to, "%s/to", folder);
    (void)snprintf(outside, sizeof outside, "%s/outside", folder);
    return mkdir(from, 0755) < 0 || mkdir(to, 0755) < 0 || mkdir(outside, 0755) < 0 ? -1 : 0;
}
static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(folder, NULL);
}

static void put(const char *root, const char *name, const char *text) {
    cleanup_free char *path = xasprintf("%s/%s", root, name);
    assert_int_equal(fs_write(path, text, strlen(text), 0644, NULL), 0);
}
static void put_giant(const char *name) {
    cleanup_free char *path = xasprintf("%s/%s", from, name);
    put(from, name, "");
    assert_int_equal(truncate(path, 1 << 30), 0);
}
static void put_link(const char *root, const char *name, const char *target) {
    cleanup_free char *path = xasprintf("%s/%s", root, name);
    assert_int_equal(symlink(target, path), 0);
}
static void put_folder(const char *root, const char *name) {
    cleanup_free char *path = xasprintf("%s/%s", root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void copy(void) {
    struct err err = {0};
    if (etc_copy(from, to, &err) < 0)
        fail_msg("%s", err.msg);
}
static void demand(const char *name, const char *text) {
    cleanup_free char *path = xasprintf("%s/%s", to, name);
    cleanup_strbuf struct strbuf found = {0};
    assert_int_equal(fs_read(path, 1 << 20, &found, NULL), 0);
    assert_string_equal(strbuf_str(&found), text);
}
static void demand_in_list(const char *text) {
    cleanup_free char *path = xasprintf("%s/%s", to, NODE_ETC_LEFT_OUT);
    cleanup_strbuf struct strbuf found = {0};
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(fs_read(path, 1 << 20, &found, NULL), 0);
    if (!strstr(strbuf_str(&found), text))
        fail_msg("'%s' is not in: %s", text, strbuf_str(&found));
}
static void demand_nothing_outside(void) {
    cleanup_dir DIR *dir = opendir(outside);
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.')
            fail_msg("'%s' was written outside", e->d_name);
}

static void files_links_and_folders_are_copied_and_what_is_there_stays(void **state) {
    (void)state;
    put(from, "hosts", "theirs");
    put(to, "hosts", "ours");
    put_folder(from, "patroni");
    put(from, "patroni/config.yml", "scope: demo\n");
    put_link(from, "localtime", "/usr/share/zoneinfo/UTC");
    char target[64] = "";
    cleanup_free char *link = xasprintf("%s/localtime", to);
    copy();
    demand("hosts", "ours");
    demand("patroni/config.yml", "scope: demo\n");
    assert_true(readlink(link, target, sizeof target - 1) > 0);
    assert_string_equal(target, "/usr/share/zoneinfo/UTC");
    cleanup_free char *list = xasprintf("%s/%s", to, NODE_ETC_LEFT_OUT);
    assert_int_equal(access(list, F_OK), -1);
}

static void a_link_in_the_place_of_the_list_is_not_followed(void **state) {
    (void)state;
    cleanup_free char *victim = xasprintf("%s/victim", outside);
    put_link(from, NODE_ETC_LEFT_OUT, victim);
    put_giant("giant");
    copy();
    demand_nothing_outside();
    demand_in_list("giant: a file of 1024 MB");
    demand_in_list(NODE_ETC_LEFT_OUT ": it has the name of this list");
}

static void a_link_that_lies_there_already_is_not_followed_either(void **state) {
    (void)state;
    cleanup_free char *victim = xasprintf("%s/victim", outside);
    put_link(to, NODE_ETC_LEFT_OUT, victim);
    put_link(to, "folder", outside);
    put_link(to, "file", victim);
    put_folder(from, "folder");
    put(from, "folder/a", "a");
    put(from, "file", "text");
    put(from, "after", "b");
    copy();
    demand_nothing_outside();
    demand_in_list("/folder: a folder where something else of that name lies");
    demand("after", "b");
}

static void a_folder_in_the_place_of_the_list_does_not_lose_it(void **state) {
    (void)state;
    put_folder(from, NODE_ETC_LEFT_OUT);
    put_giant("giant");
    copy();
    demand_in_list("giant: a file of 1024 MB");
}

static void a_name_in_the_list_is_one_line_of_plain_text(void **state) {
    (void)state;
    put_giant("gi\nant\033[2J\t");
    copy();
    demand_in_list("/gi?ant?[2J?: a file of");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_links_and_folders_are_copied_and_what_is_there_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_in_the_place_of_the_list_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_that_lies_there_already_is_not_followed_either, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_in_the_place_of_the_list_does_not_lose_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_in_the_list_is_one_line_of_plain_text, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
