// SPDX-License-Identifier: PostgreSQL
// Tests of the checker itself: spoil the rows or the ledger of a good run in one way and see it caught, by the check meant for it and by no
// other. What is no row: test_measure_checks.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/measure/idset.h"
#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

// The rows of the good run: 1-702 (two unknown ones got through), 3591-4100.
#define GOOD "1-702,3591-4100"

static void a_good_run_has_no_finding(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    assert_string_equal(world_ranges(&r.w, 0), GOOD);
    world_expect(&r.w, "lost_writes", -1, 0);
    world_expect(&r.w, "write_outage", 20e6, 34e6);
    run_caught(&r, "");
    const struct write_counts *w = &r.o->writes;
    assert_true(w->checked && w->from_ledger);
    assert_true(w->attempted == 4100 && w->acknowledged == 1210 && w->unknown == 200 && w->failed == 2690);
    assert_true(w->lost == 0 && w->unexpected == 0 && w->duplicated == 0 && w->recovered == 2 && w->foreign == 0);
    assert_int_equal(r.o->split_brain.min, 0);
    run_end(&r);
}

static void a_dropped_acknowledged_row_is_lost(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    (void)snprintf(world_ranges(&r.w, 0), EVENT_TEXT_MAX, "1-698,701-702,3591-4100");
    (void)snprintf(world_ranges(&r.w, 1), EVENT_TEXT_MAX, "1-698,701-702,3591-4100");
    run_caught(&r, "lost_writes");
    assert_int_equal(r.o->writes.lost, 2);
    assert_int_equal(r.o->writes.lost_first, MS(3003 + 698 * 10)); // id 699
    assert_int_equal(r.o->writes.lost_last, MS(3003 + 699 * 10));
    run_end(&r);
}

static void loss_inside_the_allowed_number_is_counted_and_passes(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 5);
    (void)snprintf(world_ranges(&r.w, 0), EVENT_TEXT_MAX, "1-695,701-702,3591-4100");
    (void)snprintf(world_ranges(&r.w, 1), EVENT_TEXT_MAX, "1-695,701-702,3591-4100");
    run_caught(&r, "");
    assert_int_equal(r.o->writes.lost, 5);
    run_end(&r);
}

static void a_failed_write_that_is_there_is_unexpected(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    assert_int_equal(world_record(&r.w, 3000)->result, LEDGER_FAILED);
    for (int i = 0; i < 2; i++)
        (void)snprintf(world_ranges(&r.w, i), EVENT_TEXT_MAX, "1-702,3000,3591-4100");
    run_caught(&r, "unexpected_writes");
    assert_int_equal(r.o->writes.unexpected, 1);
    run_end(&r);
}

// Its process was killed: the rows of what it sent last are in no ledger, which is nobody's fault, and "none lost" is not known.
static void an_application_that_was_cut_off_proves_no_absence(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    struct event ev = {.t = 40 * SEC, .kind = EVENT_CLIENT_ERROR};
    ev.u.CLIENT_ERROR.phase = CLIENT_PHASE_PROCESS;
    (void)world_add(&r.w, ev);
    for (int i = 0; i < 2; i++)
        (void)snprintf(world_ranges(&r.w, i), EVENT_TEXT_MAX, GOOD ",99999");
    run_fold(&r, true);
    assert_true(r.o->writes.lost == 0 && r.o->writes.unexpected == 0 && r.o->writes.unreported == 1);
    assert_false(run_expected(&r, "lost_writes")->known || run_expected(&r, "unexpected_writes")->known);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    run_end(&r);

    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    (void)world_add(&r.w, ev);
    for (int i = 0; i < 2; i++)
        (void)snprintf(world_ranges(&r.w, i), EVENT_TEXT_MAX, "1-698,701-702,3591-4100");
    run_fold(&r, true);
    assert_int_equal(r.o->writes.lost, 2); // what is gone is gone
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    run_end(&r);
}

static void a_row_that_nobody_wrote_is_unexpected(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    for (int i = 0; i < 2; i++)
        (void)snprintf(world_ranges(&r.w, i), EVENT_TEXT_MAX, "1-702,3591-4100,99999");
    run_caught(&r, "unexpected_writes");
    run_end(&r);
}

static void a_row_that_is_there_twice_is_duplicated(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    for (int way = 0; way < 2; way++) { // as the final read counted it, or as the chunks show it
        if (way == 0)
            world_find(&r.w, EVENT_FINAL_READ, 0)->u.FINAL_READ.duplicates = 1;
        else
            (void)snprintf(world_ranges(&r.w, 0), EVENT_TEXT_MAX, "1-702,700,3591-4100");
        run_caught(&r, "duplicated_writes");
        assert_int_equal(r.o->writes.duplicated, 1);
        measure_free(r.m);
        r.m = NULL;
        world_find(&r.w, EVENT_FINAL_READ, 0)->u.FINAL_READ.duplicates = 0;
    }
    run_end(&r);
}

static void an_unknown_write_turned_into_an_acknowledged_one_is_lost(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    struct ledger_record *l = world_record(&r.w, 750);
    assert_int_equal(l->result, LEDGER_UNKNOWN);
    l->result = LEDGER_OK;
    for (size_t i = 0; i < r.w.events.n; i++) { // the ticks tell the same story
        struct event *ev = &r.w.events.items[i];
        if (ev->kind == EVENT_CLIENT_TICK && ev->u.CLIENT_TICK.from <= l->returned &&
            l->returned < ev->u.CLIENT_TICK.from + MS(100))
            ev->u.CLIENT_TICK.w_ok++, ev->u.CLIENT_TICK.w_unknown--,
                ev->u.CLIENT_TICK.w_first_ok = ev->u.CLIENT_TICK.w_last_ok = l->returned;
    }
    run_caught(&r, "lost_writes");
    assert_int_equal(r.o->writes.lost, 1);
    run_end(&r);
}

static void a_write_acknowledged_without_its_standby_counts_as_unknown(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    world_record(&r.w, 700)->flags = LEDGER_FLAG_LOCAL_ONLY;
    for (int i = 0; i < 2; i++)
        (void)snprintf(world_ranges(&r.w, i), EVENT_TEXT_MAX, "1-699,701-702,3591-4100");
    run_caught(&r, "");
    assert_true(r.o->writes.local_only == 1 && r.o->writes.lost == 0 && r.o->writes.acknowledged == 1209);
    assert_int_equal(r.o->writes.local_only_lost, 1); // gone, and no lost write
    run_end(&r);
}

static void local_only_writes_that_are_gone_are_counted_apart(void **state) {
    (void)state;
    static const struct {
        const char *kind;
        double min, max;
        const char *rows; // that the leader holds: 699 and 700 are local only
        bool known, ok;
    } table[] = {
        {"local_only_writes", 2, 2, "1-698,701-702,3591-4100", true, true},
        {"local_only_writes", 3, -1, "1-698,701-702,3591-4100", true, false},
        {"local_only_lost", 2, 2, "1-698,701-702,3591-4100", true, true},
        {"local_only_lost", 1, 1, "1-699,701-702,3591-4100", true, true},
        {"local_only_lost", 1, -1, "1-702,3591-4100", true, false}, // both are there
        {"local_only_lost", -1, -1, "1-699,701-702,3591-4100", true, false},
        {"local_only_lost", 1, -1, NULL, false, false}, // nothing was read: not known
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        world_expect(&r.w, table[i].kind, table[i].min, table[i].max);
        world_record(&r.w, 699)->flags = world_record(&r.w, 700)->flags = LEDGER_FLAG_LOCAL_ONLY;
        if (table[i].rows)
            for (int n = 0; n < 2; n++)
                (void)snprintf(world_ranges(&r.w, n), EVENT_TEXT_MAX, "%s", table[i].rows);
        else
            world_find(&r.w, EVENT_FINAL_READ, 0)->u.FINAL_READ.chunks = 9;
        run_fold(&r, true);
        const struct expect_result *e = &r.o->expects.items[0];
        if (e->known != table[i].known || e->ok != table[i].ok)
            fail_msg("row %zu: %s", i, e->text);
        run_end(&r);
    }
}

static void a_standby_with_rows_of_its_own_is_caught_though_timelines_agree(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    (void)snprintf(world_ranges(&r.w, 1), EVENT_TEXT_MAX, "1-710,3591-4100"); // n3; every timeline in this log is 1
    run_caught(&r, "foreign_rows");
    assert_int_equal(r.o->writes.foreign, 8);
    assert_string_equal(r.o->writes.foreign_nodes, "n3");
    run_end(&r);
}

static void missing_evidence_about_the_rows_is_never_a_pass(void **state) {
    (void)state;
    static const char *const whys[] = {"was not read", "parts of the final read", "parts of the final read",
                                       "misses acknowledged", "no ledger"};
    for (int way = 0; way < 5; way++) {
        struct run r;
        run_crash(&r);
        r.w.final_read = way != 0;
        world_build(&r.w);
        world_expect(&r.w, "lost_writes", -1, 0);
        if (way == 1)
            world_find(&r.w, EVENT_FINAL_READ, 0)->u.FINAL_READ.chunks = 2;
        if (way == 2)
            STR_COPY(world_find(&r.w, EVENT_FINAL_ROWS, 0)->u.FINAL_ROWS.ranges, "1-702,3591-");
        if (way == 3)
            r.w.ledger.n -= 50; // the last batch never reached the disk
        if (way == 4)
            VEC_CLEAR(&r.w.ledger);
        run_fold(&r, true);
        assert_false(r.o->writes.checked);
        assert_int_equal(r.o->verdict, VERDICT_INVALID);
        assert_non_null(strstr(r.o->reason, whys[way]));
        run_end(&r);
    }
}

static void sets_of_ids_know_their_arithmetic_and_their_limits(void **state) {
    (void)state;
    struct idset a = {0}, b = {0};
    assert_int_equal(idset_add_ranges(&a, "1-64,100,4000-4003"), 0);
    assert_int_equal(idset_count(&a), 69);
    assert_int_equal(idset_add_ranges(&a, "64-65"), 1);
    assert_int_equal(idset_add_ranges(&b, "65-100"), 0);
    assert_int_equal(idset_count_minus(&a, &b), 68);
    assert_int_equal(idset_count_minus(&b, &a), 34);
    assert_int_equal(idset_count_both(&a, &b), 2);
    assert_false(idset_has(&a, 1u << 30));
    assert_false(idset_add(&a, 0) || idset_add(&a, UINT64_MAX));
    static const char *const bad[] = {
        "0", "a", "1-", "-1", "5-4", "1,,2", "1;2", "99999999999999999999", "1-268435457", " 1", "1-268435456,1-2"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(idset_add_ranges(&a, bad[i]), -1);
    assert_int_equal(idset_add_ranges(&a, ""), 0);
    idset_done(&a);
    idset_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_run_has_no_finding),
        cmocka_unit_test(a_dropped_acknowledged_row_is_lost),
        cmocka_unit_test(loss_inside_the_allowed_number_is_counted_and_passes),
        cmocka_unit_test(a_failed_write_that_is_there_is_unexpected),
        cmocka_unit_test(an_application_that_was_cut_off_proves_no_absence),
        cmocka_unit_test(a_row_that_nobody_wrote_is_unexpected),
        cmocka_unit_test(a_row_that_is_there_twice_is_duplicated),
        cmocka_unit_test(an_unknown_write_turned_into_an_acknowledged_one_is_lost),
        cmocka_unit_test(a_write_acknowledged_without_its_standby_counts_as_unknown),
        cmocka_unit_test(local_only_writes_that_are_gone_are_counted_apart),
        cmocka_unit_test(a_standby_with_rows_of_its_own_is_caught_though_timelines_agree),
        cmocka_unit_test(missing_evidence_about_the_rows_is_never_a_pass),
        cmocka_unit_test(sets_of_ids_know_their_arithmetic_and_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
