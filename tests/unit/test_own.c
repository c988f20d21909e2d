// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/base/own.h"

static char folder[64];

static int setup(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/test_own.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(folder, NULL);
}

static void what_everybody_may_write_to_is_refused_with_the_way_out(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        bool alone, shared; // taken
    } cases[] = {
        {0700, true, true}, {0755, true, true}, {02775, true, true}, {0777, false, false}, {01777, false, true}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = {0};
        assert_int_equal(chmod(folder, cases[i].mode), 0);
        assert_int_equal(own_check_folder(folder, false, &err) == 0, cases[i].alone);
        assert_int_equal(own_check_folder(folder, true, &err) == 0, cases[i].shared);
        if (!cases[i].alone)
            assert_non_null(strstr(err.msg, "chmod o-w"));
    }
}

static void a_link_of_ones_own_is_looked_through(void **state) {
    (void)state;
    cleanup_free char *link = xasprintf("%s/link", folder), *target = xasprintf("%s/target", folder);
    assert_int_equal(own_check_folder(link, false, NULL), 0); // not there yet
    assert_int_equal(symlink("target", link), 0);
    assert_int_equal(mkdir(target, 0755), 0);
    assert_int_equal(own_check_folder(link, false, NULL), 0);
    assert_int_equal(chmod(target, 0777), 0);
    assert_true(own_check_folder(link, true, NULL) < 0);
}

static void only_the_hosts_own_map_has_every_id_as_it_is(void **state) {
    (void)state;
    assert_false(own_is_inner_map("         0          0 4294967295\n"));
    static const char *const inner[] = {"",
                                        "0 1000 1\n",
                                        "1000 1000 1\n",
                                        "0 0 1\n",
                                        "0 0 65536\n",
                                        "0 1000 1\n1 100000 65536\n",
                                        "0 100000 4294867295\n"};
    for (size_t i = 0; i < ARRAY_SIZE(inner); i++)
        assert_true(own_is_inner_map(inner[i]));
}

// Where we may give a folder away: as root of the host.
static void nobody_is_a_user_like_any_other(void **state) {
    (void)state;
    if (geteuid() != 0) { // who runs as nobody would give it to himself
        fprintf(stderr, "skipped %s: only root can give a folder away\n", __func__);
        skip();
        return;
    }
    cleanup_free char *theirs = xasprintf("%s/theirs", folder);
    assert_int_equal(mkdir(theirs, 0755), 0);
    assert_int_equal(chmod(theirs, 01777), 0);
    assert_int_equal(chown(theirs, 65534, 65534), 0);
    assert_int_equal(own_check_folder(theirs, true, NULL), -EPERM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_everybody_may_write_to_is_refused_with_the_way_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_of_ones_own_is_looked_through, setup, teardown),
        cmocka_unit_test(only_the_hosts_own_map_has_every_id_as_it_is),
        cmocka_unit_test_setup_teardown(nobody_is_a_user_like_any_other, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
