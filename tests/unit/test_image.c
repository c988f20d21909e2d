// SPDX-License-Identifier: PostgreSQL
// What an image is called, what it says about itself, what is in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/image/manifest.h"
#include "lab/image/need.h"
#include "lab/image/os.h"
#include "lab/image/program.h"
#include "lab/image/recipe.h"
#include "lab/image/store.h"
#include "lab/image/tar.h"
#include "lab/image/tree.h"

static void names_that_would_be_paths_or_options_are_refused(void **state) {
    (void)state;
    static const char *const good[] = {"debian-13", "d", "my.image_2", "9"};
    static const char *const bad[] = {"",    "host", "Debian", "../x", "a/b",      ".hidden", "-x",
                                      "a b", "_x",   "ä",      "a\n",  "sha256-0", "NULL"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_int_equal(recipe_check_name(good[i], NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(recipe_check_name(bad[i], NULL), -EINVAL);
    char text[80];
    memset(text, 'a', sizeof text);
    text[63] = '\0';
    assert_int_equal(recipe_check_name(text, NULL), 0);
    text[63] = 'a';
    text[64] = '\0';
    assert_int_equal(recipe_check_name(text, NULL), -EINVAL);
}

static void debian_13_is_trixie_and_another_name_needs_a_suite(void **state) {
    (void)state;
    assert_string_equal(recipe_find("debian-13")->suite, "trixie");
    assert_string_equal(recipe_find("debian-12")->suite, "bookworm");
    assert_null(recipe_find("debian-1"));
    assert_int_equal(recipe_check_suite("trixie", NULL), 0);
    assert_int_equal(recipe_check_suite("x] http://evil", NULL), -EINVAL);
    assert_int_equal(recipe_check_suite("-x", NULL), -EINVAL);
    assert_int_equal(recipe_check_package("postgresql-17", NULL), 0);
    assert_int_equal(recipe_check_package("g++", NULL), 0);
    assert_int_equal(recipe_check_package("a b", NULL), -EINVAL);
    assert_int_equal(recipe_check_package("--x", NULL), -EINVAL);
    assert_int_equal(recipe_check_package("a,b", NULL), -EINVAL);
}

static void the_host_has_three_names(void **state) {
    (void)state;
    assert_true(image_is_host(NULL) && image_is_host("") && image_is_host("host"));
    assert_false(image_is_host("debian-13"));
}

static void upstream(const char *debian, const char *wanted) {
    char got[32];
    os_upstream_version(debian, got, sizeof got);
    assert_string_equal(got, wanted);
}

static void upstream_versions_are_without_epoch_and_revision(void **state) {
    (void)state;
    upstream("17.12-0+deb13u1", "17.12");
    upstream("3.5.16-4", "3.5.16");
    upstream("1:2.0+ds1-3", "2.0");
    upstream("18~beta1-1", "18~beta1");
    upstream("1.0", "1.0");
    upstream("4.0-rc-1", "4.0-rc");
    upstream("", "");
}

static void versions_come_from_installed_packages_only(void **state) {
    (void)state;
    struct image im = {0};
    os_parse_status(
        "Package: postgresql-client-17\nStatus: install ok installed\nVersion: 17.9-1\n\n"
        "Package: postgresql-9\nStatus: install ok installed\nVersion: 9.1-1\n\n"
        "Package: postgresql-17\nStatus: install ok installed\nDescription: x\n Version: 1\nVersion: 17.12-0\n\n"
        "Package: postgresql-15\nStatus: install ok installed\nVersion: 15.1-1\n\n"
        "Package: postgresql-17-jit\nStatus: install ok installed\nVersion: 99-1\n\n"
        "Package: haproxy\nStatus: deinstall ok config-files\nVersion: 3.0.1-1\n\n"
        "Package: etcd-server\nStatus: install ok installed\nVersion: 3.5.16-4",
        &im);
    assert_string_equal(im.postgresql, "17.12"); // the newest server, 17 and not 9
    assert_string_equal(im.haproxy, "");         // removed, its configuration is left
    assert_string_equal(im.etcd, "3.5.16");      // the last stanza without an empty line
    assert_string_equal(im.patroni, "");
    os_parse_release("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n", &im);
    assert_string_equal(im.release, "Debian GNU/Linux 13 (trixie)");
    os_parse_release("PRETTY_NAME=bare", &im);
    assert_string_equal(im.release, "bare");
}

static void a_range_of_65536_is_wanted_and_the_next_free_one_proposed(void **state) {
    (void)state;
    unsigned long next = 0;
    assert_true(need_has_range("ann:100000:65536\nbob:165536:65536\n", "bob", 1002, &next));
    assert_int_equal(next, 231072);
    assert_true(need_has_range("1002:300000:65536", "bob", 1002, &next));  // by number, no newline at the end
    assert_false(need_has_range("bob:100000:1000\n", "bob", 1002, &next)); // too few
    assert_false(need_has_range("bobby:100000:65536\n", "bob", 1002, &next));
    assert_false(need_has_range("", "bob", 1002, &next));
    assert_int_equal(next, 100000);
    assert_false(need_has_range("nonsense\n:\n::\n", "bob", 1002, &next));
}

// ---- trees -----------------------------------------------------------------------------------------------------------

static char root[64];

static void put(const char *name, const char *text, mode_t mode) {
    cleanup_free char *path = xasprintf("%s/%s", root, name);
    assert_int_equal(fs_write(path, text, strlen(text), 0600, NULL), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int make_tree(void **state) {
    (void)state;
    STR_COPY(root, "/tmp/bascule-image.XXXXXX");
    assert_non_null(mkdtemp(root));
    cleanup_free char *dir = xasprintf("%s/bin", root), *link = xasprintf("%s/link", root);
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    put("bin/tool", "tool", 04755);
    put("odd\tname\\with\nnewline", "x", 0000);
    return 0;
}

static int drop_tree(void **state) {
    (void)state;
    return fs_remove_tree(root, NULL);
}

static volatile bool *stop_here;
static void on_alarm(int sig) {
    (void)sig;
    *stop_here = true;
}

static void make_deep(const char *top, int depth) {
    int at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(at, "d", 0755), 0);
        int below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void)close(at);
        at = below;
    }
    (void)close(at);
}

static size_t changes[3];
static char changed[256];
static void take_change(void *arg, enum manifest_change c, const char *path, const char *was, const char *is) {
    (void)arg;
    (void)was;
    (void)is;
    changes[c]++;
    STR_COPY(changed, path);
}

static size_t compare(const struct manifest *was) {
    struct manifest is = {0};
    memset(changes, 0, sizeof changes);
    assert_int_equal(manifest_of_tree(root, NULL, &is, NULL), 0);
    size_t n = manifest_compare(was, &is, take_change, NULL);
    manifest_done(&is);
    return n;
}

static void a_manifest_names_what_differs_is_missing_or_new(void **state) {
    (void)state;
    struct manifest m = {0}, again = {0};
    cleanup_strbuf struct strbuf text = {0}, same = {0};
    assert_int_equal(tree_normalise(root, NULL, NULL), 0);
    assert_int_equal(manifest_of_tree(root, NULL, &m, NULL), 0);
    assert_int_equal(m.entries.n, 4);
    assert_int_equal(m.files, 2);
    assert_int_equal(m.bytes, 5);
    manifest_text(&m, &text);
    assert_int_equal(manifest_parse(strbuf_str(&text), &again, NULL), 0);
    manifest_text(&again, &same);
    assert_string_equal(strbuf_str(&text), strbuf_str(&same));
    assert_int_equal(compare(&again), 0);

    put("bin/tool", "tooL", 0755); // same size
    assert_int_equal(compare(&again), 1);
    assert_int_equal(changes[MANIFEST_DIFFERS], 1);
    assert_string_equal(changed, "bin/tool");
    put("bin/tool", "tool", 0711); // same content, another mode
    assert_int_equal(compare(&again), 1);
    put("bin/tool", "tool", 0755);
    put("zzz", "", 0644);
    assert_int_equal(compare(&again), 1);
    assert_int_equal(changes[MANIFEST_NEW], 1);
    cleanup_free char *tool = xasprintf("%s/bin/tool", root);
    assert_int_equal(unlink(tool), 0);
    assert_int_equal(compare(&again), 2);
    assert_int_equal(changes[MANIFEST_MISSING], 1);
    manifest_done(&m);
    manifest_done(&again);
}

static void nothing_in_a_tree_stays_setuid_or_unreadable(void **state) {
    (void)state;
    struct stat st;
    cleanup_free char *tool = xasprintf("%s/bin/tool", root), *odd = xasprintf("%s/odd\tname\\with\nnewline", root);
    assert_int_equal(tree_normalise(root, NULL, NULL), 0);
    assert_int_equal(stat(tool, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(stat(odd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
}

static void the_id_is_the_sha_256_of_the_manifest(void **state) {
    (void)state;
    char id[MANIFEST_ID_MAX];
    manifest_id("abc", 3, id); // FIPS 180-2, appendix B.1
    assert_string_equal(id, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_manifest_cut_short_is_refused(void **state) {
    (void)state;
    struct manifest m = {0};
    assert_int_equal(manifest_parse("d 0755\tbin\nf 0644 1 ab\tx", &m, NULL), -EBADMSG);
    assert_int_equal(manifest_parse("no tab\n", &m, NULL), -EBADMSG);
}

static void a_stop_ends_the_reading_of_a_tree(void **state) {
    (void)state;
    struct manifest m = {0};
    volatile bool stop = true;
    assert_int_equal(manifest_of_tree(root, &stop, &m, NULL), -ECANCELED);
}

static void one_file_alone_can_be_stopped(void **state) {
    (void)state;
    struct manifest m = {0};
    volatile bool stop = false;
    cleanup_free char *path = xasprintf("%s/holes", root);
    put("holes", "", 0600);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0); // a day's reading, were it not for the stop
    pid_t pid = fork();
    if (pid == 0) {
        stop_here = &stop;
        (void)signal(SIGALRM, on_alarm);
        (void)ualarm(50000, 0);
        _exit(manifest_of_tree(root, &stop, &m, NULL) == -ECANCELED ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_tree_that_is_too_large_or_too_deep_is_refused_unread(void **state) {
    (void)state;
    struct err err = {0};
    cleanup_free char *path = xasprintf("%s/holes", root);
    put("holes", "", 0600);
    assert_int_equal(truncate(path, ((off_t)TREE_GIB_MAX << 30) + 1), 0);
    assert_int_equal(tree_normalise(root, NULL, &err), -EFBIG);
    assert_non_null(strstr(err.msg, "larger than 32 GiB"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tree_normalise(root, NULL, NULL), 0);
    make_deep(root, TREE_DEPTH_MAX + 1);
    assert_int_equal(tree_normalise(root, NULL, &err), -ENAMETOOLONG);
    assert_non_null(strstr(err.msg, "more than 256 deep"));
    const volatile bool stop = true;
    assert_int_equal(tree_normalise(root, &stop, NULL), -ECANCELED);
}

static void a_tree_of_any_depth_can_be_removed(void **state) {
    (void)state;
    cleanup_free char *own = xasprintf("%s/.deep-0", root), *closed = xasprintf("%s/bin", root);
    make_deep(root, 5000);
    assert_int_equal(mkdir(own, 0755), 0); // a name that the removal would like to use
    make_deep(own, 300);
    put(".deep-1", "x", 0600);
    assert_int_equal(chmod(closed, 0000), 0);
    assert_int_equal(fs_remove_tree(root, NULL), 0);
    assert_int_equal(access(root, F_OK), -1);
}

// What tar says of itself every GiB of its input is no complaint, and too many of them are.
static void a_tar_that_grows_without_end_is_told_so(void **state) {
    (void)state;
    struct complaint c = {0};
    struct err err = {0};
    complaint_line(&c, "Total bytes read: 34359737344 (32GiB, 294MiB/s)");
    assert_string_equal(c.first, "");
    assert_int_equal(tar_judge(0, &c, "/images", &err), 0);
    complaint_line(&c, "Total bytes read: 34359738369 (33GiB, 294MiB/s)");
    assert_int_equal(tar_judge(9, &c, "/images", &err), -EFBIG);
    struct complaint deep = {0};
    complaint_line(&deep, "tar: a/a: Cannot mkdir: File name too long");
    assert_int_equal(tar_judge(2 << 8, &deep, "/images", &err), -ENAMETOOLONG);
}

// A link of an image is followed as in the image, and never out of it.
static void what_is_read_of_an_image_is_its_own(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf text = {0};
    cleanup_free char *up = xasprintf("%s/up", root), *absolute = xasprintf("%s/absolute", root),
                      *pipe = xasprintf("%s/pipe", root);
    assert_int_equal(symlink("../../../../../bin/tool", up), 0);
    assert_int_equal(symlink("/bin/tool", absolute), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(inside_read(root, "up", 100, &text, NULL), 0);
    assert_int_equal(inside_read(root, "/absolute", 100, &text, NULL), 0);
    assert_string_equal(strbuf_str(&text), "tooltool");
    assert_int_equal(access("/etc/passwd", R_OK), 0);
    assert_int_equal(inside_read(root, "link", 100, &text, NULL), -ENOENT); // to /etc/passwd
    assert_int_equal(inside_read(root, "pipe", 100, &text, NULL), -EINVAL);
    assert_int_equal(inside_read(root, "bin", 100, &text, NULL), -EINVAL);
    assert_true(inside_exists(root, "bin/tool") && inside_exists(root, "/absolute"));
    assert_false(inside_exists(root, "link"));
    assert_true(inside_exists("", "/etc/passwd"));
}

static void a_link_leads_no_write_out_of_a_tree(void **state) {
    (void)state;
    char outside[] = "/tmp/bascule-outside.XXXXXX";
    assert_non_null(mkdtemp(outside));
    cleanup_free char *file = xasprintf("%s/file", outside), *dir = xasprintf("%s/dir", root),
                      *one = xasprintf("%s/one", root), *made = xasprintf("%s/made", outside),
                      *own = xasprintf("%s/new/folder/file", root);
    assert_int_equal(fs_write(file, "mine", 4, 0600, NULL), 0);
    assert_int_equal(symlink(outside, dir), 0);
    assert_int_equal(symlink(file, one), 0);
    assert_int_equal(inside_write(root, "one", "bad", 3, 0600, NULL), -ENOENT);
    assert_int_equal(inside_write(root, "dir/file", "bad", 3, 0600, NULL), -ENOENT);
    assert_int_equal(inside_mkdirs(root, "dir/made", 0755, NULL), -ENOENT); // where the link leads in there is nothing
    assert_true(inside_unlink(root, "dir/file") < 0);
    cleanup_strbuf struct strbuf text = {0};
    assert_int_equal(fs_read(file, 100, &text, NULL), 0);
    assert_string_equal(strbuf_str(&text), "mine");
    assert_int_equal(access(made, F_OK), -1);
    assert_int_equal(inside_mkdirs(root, "/new/folder", 0755, NULL), 0);
    assert_int_equal(inside_mkdirs(root, "new/folder/", 0755, NULL), 0);
    assert_int_equal(inside_write(root, "/new/folder/file", "good", 4, 0600, NULL), 0);
    assert_int_equal(access(own, F_OK), 0);
    assert_int_equal(inside_unlink(root, "new/folder/file"), 0);
    assert_int_equal(inside_unlink(root, "one"), 0); // itself
    assert_int_equal(fs_remove_tree(outside, NULL), 0);
}

static void image_json_keeps_every_word(void **state) {
    (void)state;
    struct image_info a = {.bytes = 545259520, .files = 11757, .built = 1764000000 * SEC}, b = {0};
    STR_COPY(a.image.id, "sha256:00");
    STR_COPY(a.image.release, "Debian \"13\"");
    STR_COPY(a.image.postgresql, "17.12");
    STR_COPY(a.from, "/a b.tar");
    cleanup_strbuf struct strbuf text = {0};
    image_json_write(&a, &text);
    assert_int_equal(image_json_read(strbuf_str(&text), &b, NULL), 0);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(image_json_read("{", &b, NULL), -EBADMSG);
    assert_int_equal(image_json_read("[]", &b, NULL), -EBADMSG);
}

static int say_lost(void *arg, struct err *err) {
    (void)arg;
    return err_set(err, ECHILD, "lost");
}
static int say_nothing(void *arg, struct err *err) {
    (void)arg, (void)err;
    return 0;
}
static void count_line(void *arg, const char *line) {
    (void)line;
    ++*(int *)arg;
}

// The pipe of a program that nobody can end stays open.
static void readers_stop_when_one_of_them_says_that_nothing_more_will_come(void **state) {
    (void)state;
    int open_ends[2], short_ends[2], lines = 0;
    struct err err = {0};
    assert_int_equal(pipe2(open_ends, O_CLOEXEC) + pipe2(short_ends, O_CLOEXEC), 0);
    assert_int_equal(write(short_ends[1], "one\ntwo", 7), 7);
    (void)close(short_ends[1]);
    struct line_reader readers[] = {{.fd = open_ends[0], .line = count_line, .arg = &lines},
                                    {.fd = short_ends[0], .line = count_line, .end = say_lost, .arg = &lines}};
    assert_int_equal(program_read_lines(readers, 2, NULL, &err), -ECHILD);
    assert_string_equal(err.msg, "lost");
    assert_int_equal(lines, 2);
    readers[1].end = say_nothing;
    (void)close(open_ends[1]);
    assert_int_equal(program_read_lines(readers, 2, NULL, &err), 0);
    for (size_t i = 0; i < 2; i++)
        line_reader_done(&readers[i]);
    (void)close(open_ends[0]);
    (void)close(short_ends[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_would_be_paths_or_options_are_refused),
        cmocka_unit_test(debian_13_is_trixie_and_another_name_needs_a_suite),
        cmocka_unit_test(the_host_has_three_names),
        cmocka_unit_test(upstream_versions_are_without_epoch_and_revision),
        cmocka_unit_test(versions_come_from_installed_packages_only),
        cmocka_unit_test(a_range_of_65536_is_wanted_and_the_next_free_one_proposed),
        cmocka_unit_test_setup_teardown(a_manifest_names_what_differs_is_missing_or_new, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(nothing_in_a_tree_stays_setuid_or_unreadable, make_tree, drop_tree),
        cmocka_unit_test(the_id_is_the_sha_256_of_the_manifest),
        cmocka_unit_test(a_manifest_cut_short_is_refused),
        cmocka_unit_test_setup_teardown(a_stop_ends_the_reading_of_a_tree, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(one_file_alone_can_be_stopped, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(a_tree_that_is_too_large_or_too_deep_is_refused_unread, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(a_tree_of_any_depth_can_be_removed, make_tree, drop_tree),
        cmocka_unit_test(a_tar_that_grows_without_end_is_told_so),
        cmocka_unit_test_setup_teardown(what_is_read_of_an_image_is_its_own, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(a_link_leads_no_write_out_of_a_tree, make_tree, drop_tree),
        cmocka_unit_test(image_json_keeps_every_word),
        cmocka_unit_test(readers_stop_when_one_of_them_says_that_nothing_more_will_come),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
