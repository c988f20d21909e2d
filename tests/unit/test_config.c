// SPDX-License-Identifier: PostgreSQL
// The user's configuration file: what a good one says, and each complaint about a bad one at its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/base/str.h"
#include "lab/scenario/config.h"

static char *complaints(const char *yaml, const char *home, struct config *c) {
    struct diags d = {0};
    struct strbuf text = {0};
    int r = config_read_text("c.yaml", yaml, strlen(yaml), home, &d, c);
    diags_to_text(&d, &text);
    assert_int_equal(r, d.errors ? -EINVAL : 0);
    diags_done(&d);
    return text.data ? text.data : xstrdup("");
}

static void demand(const char *yaml, const char *home, const char *wanted) {
    struct config c = {0};
    cleanup_free char *said = complaints(yaml, home, &c);
    assert_string_equal(said, wanted);
    if (*wanted) { // nothing of a bad file is taken
        assert_null(c.runs_dir);
        assert_string_equal(c.theme, "");
        assert_int_equal(c.set.n, 0);
    }
    config_done(&c);
}

static void a_good_one_is_taken(void **state) {
    (void)state;
    struct config c = {0};
    cleanup_free char *said = complaints("# mine\n"
                                         "runs-dir: ~/big/runs\n"
                                         "theme: light\n"
                                         "set:\n"
                                         "  patroni: {ttl: 20s, loop_wait: 5}\n"
                                         "  settle: 1s\n"
                                         "  postgresql.work_mem: 8MB\n",
                                         "/home/me", &c);
    static const struct setting wanted[] = {{(char *)"patroni.ttl", (char *)"20s"},
                                            {(char *)"patroni.loop_wait", (char *)"5"},
                                            {(char *)"settle", (char *)"1s"},
                                            {(char *)"postgresql.work_mem", (char *)"8MB"}};
    assert_string_equal(said, "");
    assert_string_equal(c.runs_dir, "/home/me/big/runs");
    assert_string_equal(c.theme, "light");
    assert_int_equal(c.set.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(c.set.items[i].key, wanted[i].key);
        assert_string_equal(c.set.items[i].value, wanted[i].value);
    }
    config_done(&c);
    said = (free(said), complaints("runs-dir: /srv/runs\n", NULL, &c));
    assert_string_equal(c.runs_dir, "/srv/runs");
    assert_string_equal(said, "");
    config_done(&c);
}

static void one_that_says_nothing_is_no_mistake(void **state) {
    (void)state;
    demand("", "/h", "");
    demand("\n  \n", "/h", "");
    demand("# runs-dir: ~/x", "/h", "");
    demand("#\n\t# two\n", "/h", "");
}

static void each_mistake_is_told_at_its_place(void **state) {
    (void)state;
    demand("runs_dir: /x\ntheme: drak\n", "/h",
           "c.yaml:1:1: error: unknown key 'runs_dir' in the configuration (did you mean 'runs-dir'?); allowed: "
           "runs-dir, theme, set\n"
           "c.yaml:2:8: error: 'drak' is no theme (did you mean 'dark'?); allowed: auto, dark, light\n");
    demand("runs-dir: runs\n", "/h",
           "c.yaml:1:11: error: 'runs' would be another folder wherever you are; write a path that begins with '/' or "
           "'~/'\n");
    demand("runs-dir: ~/runs\n", "",
           "c.yaml:1:11: error: '~/runs': there is no home here; write a path that begins with '/'\n");
    demand("runs-dir: [a]\n", "/h", "c.yaml:1:11: error: expected a folder such as ~/bascule-runs, found a list\n");
    demand("just text\n", "/h",
           "c.yaml:1:1: error: expected a mapping (key: value) for the configuration, found text\n");
    demand("set: yes\n", "/h",
           "c.yaml:1:6: error: expected a mapping of settings such as {patroni.ttl: 20s}, found text\n");
    demand("theme: dark\ntheme: light\n", "/h",
           "c.yaml:2:1: error: key 'theme' is here twice (first in line 1): only one of them can count\n");
}

static void settings_are_judged_like_those_of_a_scenario(void **state) {
    (void)state;
    demand("set:\n  patroni: {ttl: 20s, loop_wait: hello}\n", "/h",
           "c.yaml:2:34: error: 'hello' is not a duration: expected a number and a unit, such as 250ms, 10s or 2m\n");
    demand("set: {workload.writes: 100000}\n", "/h",
           "c.yaml:1:24: error: workload.writes 100000 is out of range: 0 to 5000\n");
    demand("set: {topology: patroni-3-sync}\n", "/h",
           "c.yaml:1:7: error: a topology belongs to a scenario; say `--set topology=patroni-3-sync`\n");
    demand("set: {node.n1.image: debian-13}\n", "/h",
           "c.yaml:1:7: error: 'node.n1.image': other topologies have other nodes; say `--set "
           "node.n1.image=debian-13`\n");
    struct config c = {0};
    cleanup_free char *said = complaints("set: {patroni.tttl: 20s}\n", "/h", &c);
    assert_non_null(strstr(said, "c.yaml:1:7: error: unknown setting 'patroni.tttl' (did you mean 'patroni.ttl'?)"));
}

static void a_lab_by_hand_has_no_settings_of_a_scenario(void **state) {
    (void)state;
    assert_true(config_of_scenario("settle"));
    assert_true(config_of_scenario("workload.writes"));
    assert_false(config_of_scenario("patroni.ttl"));
    assert_false(config_of_scenario("postgresql.work_mem"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_good_one_is_taken),
                                       cmocka_unit_test(one_that_says_nothing_is_no_mistake),
                                       cmocka_unit_test(each_mistake_is_told_at_its_place),
                                       cmocka_unit_test(settings_are_judged_like_those_of_a_scenario),
                                       cmocka_unit_test(a_lab_by_hand_has_no_settings_of_a_scenario)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
