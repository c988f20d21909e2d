// SPDX-License-Identifier: PostgreSQL
// The list of recorded runs: whose verdict still holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/record/digest.h"
#include "lab/runs/runs.h"

static char parent[PATH_MAX - 64], events[PATH_MAX], result[PATH_MAX];
static const char judged[] = "{\"ev\":\"run.begin\"}\n", seal[] = "{\"ev\":\"record.seal\"}\n";

static void put(const char *path, const char *text) {
    assert_int_equal(fs_write(path, text, strlen(text), 0644, NULL), 0);
}

// When it was written last, counted from some day on.
static void set_time(const char *path, time_t seconds) {
    struct timespec at[2] = {{.tv_sec = 1700000000 + seconds}, {.tv_sec = 1700000000 + seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

// A log that is judged up to its seal, and the verdict.
static int setup(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(parent, sizeof parent, "%s/test_runs.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(parent))
        return -1;
    cleanup_free char *run = xasprintf("%s/20260101-one", parent);
    (void)snprintf(events, sizeof events, "%s/events.jsonl", run);
    (void)snprintf(result, sizeof result, "%s/result.json", run);
    assert_int_equal(mkdir(run, 0755), 0);
    struct digest d;
    char hex[DIGEST_HEX];
    put(events, judged);
    assert_int_equal(digest_file(events, &d, NULL), 0);
    digest_hex(&d, hex);
    cleanup_free char *all = xasprintf("%s%s", judged, seal);
    cleanup_free char *verdict =
        xasprintf("{\"verdict\":\"pass\",\"record\":{\"bytes\":%zu,\"sha256\":\"%s\"}}", strlen(judged), hex);
    put(events, all);
    put(result, verdict);
    set_time(events, 0);
    set_time(result, 1);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(parent, NULL);
}

static void demand(bool wanted) {
    run_entry_list list = {0};
    assert_int_equal(runs_list(parent, &list, NULL), 0);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.items[0].judged, wanted);
    assert_int_equal(list.items[0].changed, !wanted);
    assert_string_equal(list.items[0].verdict, wanted ? "pass" : "");
    runs_done(&list);
}

static void a_verdict_holds_for_the_events_it_was_given_for(void **state) {
    (void)state;
    demand(true);
    cleanup_free char *kept = xasprintf("%s%s{\"ev\":\"fault\"}\n", judged, seal);
    put(events, kept); // a kept lab goes on behind the seal
    demand(true);
    put(events, "{\"ev\":\"run.begiN\"}\n{\"ev\":\"record.seal\"}\n");
    demand(false);
}

static void a_log_that_is_too_short_has_changed_whatever_its_time(void **state) {
    (void)state;
    assert_int_equal(truncate(events, 5), 0);
    set_time(events, 0);
    demand(false);
}

// Thousands of logs can't be hashed while somebody waits for a list: `report` proves them.
static void a_log_that_is_as_old_and_long_as_it_should_be_is_not_read_again(void **state) {
    (void)state;
    put(events, "{\"ev\":\"run.begiN\"}\n{\"ev\":\"record.seal\"}\n");
    set_time(events, 1);
    demand(true);
    set_time(events, 2);
    demand(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_verdict_holds_for_the_events_it_was_given_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_is_too_short_has_changed_whatever_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_is_as_old_and_long_as_it_should_be_is_not_read_again, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
