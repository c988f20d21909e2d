// SPDX-License-Identifier: PostgreSQL
// Where the host's apt gets Debian from, and what an image's apt lines become.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/image/sources.h"

static apt_source_list list;

static int clear(void **state) {
    (void)state;
    sources_done(&list);
    return 0;
}

static void expect(const char *suite, const char *mirror, const char *const *wanted, size_t n) {
    line_list lines = {0};
    sources_for_suite(&list, suite, mirror, &lines);
    assert_int_equal(lines.n, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(lines.items[i], wanted[i]);
    line_list_done(&lines);
}
#define EXPECT(suite, mirror, ...)                                                                                     \
    expect(suite, mirror, (const char *const[]){__VA_ARGS__}, ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static void one_line_entries_are_read_with_their_options(void **state) {
    (void)state;
    sources_parse_list("# comment\n"
                       "deb-src http://m/debian bookworm main\n"
                       "  deb [ arch=amd64 signed-by=/k.gpg trusted=yes ] http://m/debian bookworm contrib main # end\n"
                       "deb\thttp://m/debian/ bookworm-updates main\n"
                       "deb [broken http://m/x y main\n"
                       "deb http://only-a-uri\n",
                       &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].uri, "http://m/debian");
    assert_string_equal(list.items[0].suite, "bookworm");
    assert_string_equal(list.items[0].signed_by, "/k.gpg");
    assert_true(list.items[0].trusted && list.items[0].main);
    assert_string_equal(list.items[1].suite, "bookworm-updates");
    assert_null(list.items[1].signed_by);
    assert_false(list.items[1].trusted);
}

static void stanzas_are_read_each_suite_of_each_uri(void **state) {
    (void)state;
    sources_parse_deb822("# a comment\n"
                         "Types: deb deb-src\n"
                         "URIs: http://one/debian\n"
                         " http://two/debian\n"
                         "suites: bookworm bookworm-updates\n"
                         "Components: main\n"
                         "# in between\n"
                         "Signed-By: /k.gpg\n"
                         "\n"
                         "Enabled: no\nTypes: deb\nURIs: http://off/debian\nSuites: bookworm\nComponents: main\n"
                         "\n\n"
                         "Types: deb-src\nURIs: http://src/debian\nSuites: bookworm\nComponents: main\n"
                         "\n"
                         "Types: deb\r\nURIs: http://inline/debian\r\nSuites: bookworm\r\nComponents: main\r\n"
                         "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n",
                         &list);
    assert_int_equal(list.n, 5);
    assert_string_equal(list.items[1].suite, "bookworm-updates");
    assert_string_equal(list.items[2].uri, "http://two/debian");
    assert_string_equal(list.items[2].signed_by, "/k.gpg");
    assert_string_equal(list.items[4].uri, "http://inline/debian");
    assert_string_equal(list.items[4].suite, "bookworm");
    assert_null(list.items[4].signed_by);
}

static void an_image_uses_the_host_s_mirror_with_its_own_suite(void **state) {
    (void)state;
    sources_parse_list("deb [signed-by=/k/other.gpg] https://packages.example/php bookworm main\n"
                       "deb http://apt.example/pub/repos/apt bookworm-pgdg main\n"
                       "deb http://classroom.lan:3142/debian bookworm main\n"
                       "deb http://second.lan/debian bookworm main\n"
                       "deb [trusted=yes] http://classroom.lan:3142/debian-security bookworm-security main\n",
                       &list);
    EXPECT("trixie", NULL, "deb [signed-by=" SOURCES_KEYRING "] http://classroom.lan:3142/debian trixie main",
           "deb [trusted=yes] http://classroom.lan:3142/debian-security trixie-security main");
    EXPECT("sid", NULL, "deb [signed-by=" SOURCES_KEYRING "] http://classroom.lan:3142/debian sid main");
    EXPECT("trixie", "http://own/debian", "deb [signed-by=" SOURCES_KEYRING "] http://own/debian trixie main");
}

static void a_host_that_is_no_debian_gets_the_public_mirrors(void **state) {
    (void)state;
    sources_parse_list("deb http://archive.ubuntu.example/ubuntu noble main\n"
                       "deb cdrom:[Debian GNU/Linux 12]/ bookworm main\n",
                       &list);
    EXPECT("trixie", NULL, "deb [signed-by=" SOURCES_KEYRING "] http://deb.debian.org/debian trixie main",
           "deb [signed-by=" SOURCES_KEYRING "] http://deb.debian.org/debian trixie-updates main",
           "deb [signed-by=" SOURCES_KEYRING "] http://deb.debian.org/debian-security trixie-security main");
}

static void a_third_party_with_debian_s_suite_names_is_not_debian(void **state) {
    (void)state;
    sources_parse_list("deb https://packages.example/php bookworm main\n"
                       "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://m/mirror bookworm main\n"
                       "deb http://m/debian bookworm contrib\n"
                       "deb mirror+file:///etc/apt/mirrors/debian.list bookworm main\n",
                       &list);
    assert_false(sources_is_debian(&list.items[0]));
    assert_true(sources_is_debian(&list.items[1]));
    assert_false(sources_is_debian(&list.items[2]));
    assert_true(sources_is_debian(&list.items[3]));
}

static void a_folder_that_is_not_there_gives_nothing(void **state) {
    (void)state;
    sources_read("/nonexistent/apt", &list);
    assert_int_equal(list.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_line_entries_are_read_with_their_options, clear),
        cmocka_unit_test_teardown(stanzas_are_read_each_suite_of_each_uri, clear),
        cmocka_unit_test_teardown(an_image_uses_the_host_s_mirror_with_its_own_suite, clear),
        cmocka_unit_test_teardown(a_host_that_is_no_debian_gets_the_public_mirrors, clear),
        cmocka_unit_test_teardown(a_third_party_with_debian_s_suite_names_is_not_debian, clear),
        cmocka_unit_test_teardown(a_folder_that_is_not_there_gives_nothing, clear),
    };
    return cmocka_run_group_tests_name("image_sources", tests, NULL, NULL);
}
