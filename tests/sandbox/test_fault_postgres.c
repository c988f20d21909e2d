// SPDX-License-Identifier: PostgreSQL
// The process faults on a real PostgreSQL with a standby: its processes are found by postmaster.pid and title, inside
// the node only.
#include "tests/sandbox/fault_postgres.h"

#include <stdio.h>

#include "lab/base/fs.h"

static void a_killed_postmaster_takes_its_children_and_is_started_by_its_keeper(void **state) {
    struct fixture *x = *state;
    int64_t before = pg_postmaster(x, N1);
    must_verify(x, "kill", "process.kill", "n1", "service=postgres");
    int starts = x->starts;
    must_heal(x, "kill");
    assert_int_equal(starts, x->starts); // nothing to start: the keeper does
    assert_true(pg_postmaster(x, N1) > 0 && pg_postmaster(x, N1) != before);
    assert_true(pg_comes(x, N2, PG_WALRECEIVER, 1, 20 * SEC));
}

static void the_walreceiver_is_found_by_its_title_and_frozen(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n2", "service=postgres process=walreceiver");
    assert_non_null(strstr(fixture_event(x, "pause", "effective")->u.FAULT.detail, "walreceiver"));
    must_heal(x, "pause");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "none", "process.pause", "n1", "service=postgres process=walreceiver"));
    const struct event *e = fixture_wait(x, "none", "failed", SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "has no walreceiver"));
}

static void a_killed_walsender_and_a_killed_backend_are_the_right_ones(void **state) {
    struct fixture *x = *state;
    must_verify(x, "sender", "process.kill", "n1", "service=postgres process=walsender signal=TERM");
    assert_true(pg_comes(x, N1, PG_WALSENDER, 1, 20 * SEC)); // the standby connects again
    must_heal(x, "sender");
    int64_t before = pg_postmaster(x, N1);
    must_verify(x, "backend", "process.kill", "n1", "service=postgres process=backend");
    must_heal(x, "backend");
    assert_int_equal(before, pg_postmaster(x, N1)); // crash restart below the same postmaster
}

static void a_frozen_postgres_is_frozen_whole(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n1", "service=postgres");
    process_list all = {0};
    struct err err = {0};
    assert_int_equal(0, process_scan(fixture_node(x, N1), &all, &err));
    int64_t pm = pg_postmaster(x, N1);
    int frozen = 0;
    for (size_t i = 0; i < all.n; i++)
        if (all.items[i].pid == pm || all.items[i].ppid == pm) {
            assert_int_equal('T', all.items[i].state);
            frozen++;
        }
    assert_true(frozen >= 6);
    VEC_DONE(&all);
    must_heal(x, "pause");
}

static void a_fast_stop_writes_a_shutdown_checkpoint(void **state) {
    struct fixture *x = *state;
    must_verify(x, "stop", "process.stop", "n2", "service=postgres");
    cleanup_strbuf struct strbuf log = {0};
    (void)fs_read(fixture_path(x, N2, "/var/log/pg.log"), 1 << 20, &log, NULL);
    assert_non_null(strstr(strbuf_str(&log), "received fast shutdown request"));
    assert_non_null(strstr(strbuf_str(&log), "database system is shut down"));
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, pg_setup, pg_teardown)
    const struct CMUnitTest tests[] = {
        T(a_killed_postmaster_takes_its_children_and_is_started_by_its_keeper),
        T(the_walreceiver_is_found_by_its_title_and_frozen),
        T(a_killed_walsender_and_a_killed_backend_are_the_right_ones),
        T(a_frozen_postgres_is_frozen_whole),
        T(a_fast_stop_writes_a_shutdown_checkpoint),
    };
    return cmocka_run_group_tests_name("PostgreSQL's processes", tests, NULL, NULL);
}

int main(void) {
    if (!pg_find()) {
        (void)fprintf(stderr, "SKIPPED: PostgreSQL is not installed; apt-get install postgresql\n");
        return 77;
    }
    return fixture_main(run);
}
