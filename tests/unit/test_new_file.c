// SPDX-License-Identifier: PostgreSQL
// Files that appear whole: what a reader sees while they are written, and what a writer leaves that is killed.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/base/fs.h"

static char folder[PATH_MAX], path[PATH_MAX + 16];

static size_t files(void) {
    cleanup_dir DIR *d = opendir(folder);
    size_t n = 0;
    for (const struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    return n;
}

static void demand_content(const char *wanted) {
    cleanup_strbuf struct strbuf text = {0};
    assert_int_equal(fs_read(path, 1 << 20, &text, NULL), 0);
    assert_string_equal(strbuf_str(&text), wanted);
}

static int setup(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/test_new_file.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/report.html", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(folder, NULL);
}

static void a_reader_sees_the_old_file_until_the_new_one_is_whole(void **state) {
    (void)state;
    struct new_file f;
    struct err err = {0};
    assert_int_equal(fs_write_atomic(path, "old", 3, 0644, &err), 0);
    assert_int_equal(new_file_open(path, 0644, &f, &err), 0);
    assert_int_equal(fs_write_all(f.fd, "ne", 2), 0);
    demand_content("old");
    assert_int_equal(fs_write_all(f.fd, "w", 1), 0);
    assert_int_equal(new_file_publish(&f, &err), 0);
    new_file_close(&f);
    demand_content("new");
    assert_int_equal(files(), 1);
}

static void what_is_given_up_leaves_nothing(void **state) {
    (void)state;
    struct new_file f;
    struct err err = {0};
    assert_int_equal(new_file_open(path, 0644, &f, &err), 0);
    assert_int_equal(fs_write_all(f.fd, "half", 4), 0);
    new_file_close(&f);
    new_file_close(&f); // harmless
    assert_int_equal(files(), 0);
}

static void two_writers_do_not_mix(void **state) {
    (void)state;
    struct new_file mine;
    struct err err = {0};
    assert_int_equal(new_file_open(path, 0644, &mine, &err), 0);
    assert_int_equal(fs_write_all(mine.fd, "mine", 4), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fs_write_atomic(path, "another's", 9, 0644, NULL) == 0 ? 0 : 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    demand_content("another's");
    assert_int_equal(new_file_publish(&mine, &err), 0);
    new_file_close(&mine);
    demand_content("mine");
    assert_int_equal(files(), 1);
}

static void a_writer_that_is_killed_leaves_nothing(void **state) {
    (void)state;
    struct err err = {0};
    cleanup_close int unnamed = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (unnamed < 0) {
        print_message("the file system of %s has no unnamed files\n", folder);
        skip();
    }
    assert_int_equal(fs_write_whole(path, "old", 3, 0644, &err), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct new_file f;
        if (new_file_open(path, 0644, &f, NULL) < 0 || fs_write_all(f.fd, "half", 4) < 0)
            _exit(1);
        (void)raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    demand_content("old");
    assert_int_equal(files(), 1);
}

static void modes_obey_the_umask(void **state) {
    (void)state;
    struct stat st;
    mode_t before = umask(077);
    int r = fs_write_atomic(path, "x", 1, 0644, NULL);
    (void)umask(before);
    assert_int_equal(r, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_folder_that_is_not_there_is_named(void **state) {
    (void)state;
    struct err err = {0};
    char nowhere[PATH_MAX + 32];
    (void)snprintf(nowhere, sizeof nowhere, "%s/no/report.html", folder);
    assert_int_equal(fs_write_atomic(nowhere, "x", 1, 0644, &err), -ENOENT);
    assert_non_null(strstr(err.msg, nowhere));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reader_sees_the_old_file_until_the_new_one_is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_given_up_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(two_writers_do_not_mix, setup, teardown),
        cmocka_unit_test_setup_teardown(a_writer_that_is_killed_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(modes_obey_the_umask, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
