// SPDX-License-Identifier: PostgreSQL
// The word at the end of a lab by hand: green only when every acknowledged write was looked for and found.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/report/report.h"
#include "test_measure_world.h"

static const struct report_style ascii = {.width = 100};

static enum verdict told(struct run *r, const char *words) {
    cleanup_strbuf struct strbuf out = {0};
    run_fold(r, true);
    enum verdict v = report_farewell(r->o, &ascii, &out);
    if (!strstr(strbuf_str(&out), words))
        fail_msg("'%s' is not in:\n%s", words, strbuf_str(&out));
    return v;
}

static void begin(struct run *r) {
    run_crash(r);
    world_build(&r->w);
    run_expect_flag(r, "same_history", true);
    world_expect(&r->w, "lost_writes", -1, 0);
}

static void nothing_lost_is_green(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    assert_int_equal(told(&r, "NOTHING LOST: all 1210 acknowledged writes are in the table of n2"), VERDICT_PASS);
    run_end(&r);
}

static void a_loss_is_told_with_who_has_what(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_rows(&r, "n2", "1-690,3591-4100");
    run_rows(&r, "n3", "1-702,3591-4100");
    assert_int_equal(told(&r, "DATA LOST: 10 acknowledged writes are lost; n3 follows another history\n"),
                     VERDICT_FAIL);
    run_end(&r);
    begin(&r);
    run_rows(&r, "n2", "1-690,3591-4100");
    run_rows(&r, "n3", "1-702,3591-4100");
    assert_int_equal(told(&r, "n3, ANOTHER HISTORY: 1212 rows; 12 of them n2 has not, 0 of n2 it has not"),
                     VERDICT_FAIL);
    run_end(&r);
}

// An old leader that comes back and takes the key: the application's first write was made in another history.
static void a_leader_without_the_table_has_lost_all(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_rows(&r, "n2", "");
    struct event *final = run_final(&r, "n2");
    final->u.FINAL_READ.rows = 0;
    STR_COPY(final->u.FINAL_READ.error, "the application's table does not exist in its history");
    cleanup_strbuf struct strbuf out = {0};
    run_fold(&r, true);
    enum verdict v = report_farewell(r.o, &ascii, &out);
    assert_int_equal(v, VERDICT_FAIL);
    assert_non_null(strstr(strbuf_str(&out), "DATA LOST: 1210 acknowledged writes are lost"));
    assert_non_null(
        strstr(strbuf_str(&out), "n2, the leader: 0 rows: the application's table does not exist in its history"));
    run_end(&r);
}

static void what_could_not_be_read_is_not_known(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_final(&r, "n2")->u.FINAL_READ.chunks = 9;
    assert_int_equal(told(&r, "NOT KNOWN: parts of the final read of the leader's table are missing"), VERDICT_INVALID);
    run_end(&r);
}

static void a_fault_that_was_not_verified_takes_no_row(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.verified = false;
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    assert_int_equal(told(&r, "NOTHING LOST"), VERDICT_PASS);
    assert_int_equal(r.o->verdict, VERDICT_INVALID); // as a scenario it would prove nothing
    run_end(&r);
}

static void without_an_application_there_is_nothing_to_lose(void **state) {
    (void)state;
    struct measures m = {.verdict = VERDICT_PASS};
    cleanup_strbuf struct strbuf out = {0};
    assert_int_equal(report_farewell(&m, &ascii, &out), VERDICT_PASS);
    assert_string_equal(out.data, "NOTHING TO LOSE: no application had written anything\n");
}

static void a_ledger_that_is_gone_is_no_application_that_wrote_nothing(void **state) {
    (void)state;
    struct record_proof damaged = {.complete = false};
    struct measures m = {.verdict = VERDICT_INVALID, .reason = "the ledger is missing", .run.record = &damaged};
    cleanup_strbuf struct strbuf out = {0};
    assert_int_equal(report_farewell(&m, &ascii, &out), VERDICT_INVALID);
    assert_string_equal(out.data, "NOT KNOWN: the ledger is missing\n");
}

// Its process was killed, or its node lost power: writes of its last moments may be acknowledged and in no ledger.
static void an_application_that_did_not_report_all_leaves_it_open(void **state) {
    (void)state;
    struct measures m = {.verdict = VERDICT_INVALID, .writes = {.attempted = 10, .acknowledged = 9, .checked = true}};
    STR_COPY(m.writes.cut_why, "the application's process ended before it had reported everything");
    cleanup_strbuf struct strbuf out = {0};
    assert_int_equal(report_farewell(&m, &ascii, &out), VERDICT_INVALID);
    assert_string_equal(out.data, "NOT KNOWN: the application's process ended before it had reported everything\n");
}

static void a_failure_without_a_loss_is_called_no_loss(void **state) {
    (void)state;
    struct measures m = {.verdict = VERDICT_FAIL,
                         .reason = "two nodes accepted writes at the same time for 3.00 s",
                         .writes = {.attempted = 10, .checked = true}};
    cleanup_strbuf struct strbuf out = {0};
    assert_int_equal(report_farewell(&m, &ascii, &out), VERDICT_FAIL);
    assert_string_equal(out.data, "NOT AS IT SHOULD BE: two nodes accepted writes at the same time for 3.00 s\n");
}

static void a_lab_that_broke_is_red(void **state) {
    (void)state;
    struct measures m = {.verdict = VERDICT_ERROR, .reason = "the disk is full"};
    cleanup_strbuf struct strbuf out = {0};
    assert_int_equal(report_farewell(&m, &ascii, &out), VERDICT_ERROR);
    assert_string_equal(out.data, "THE LAB BROKE: the disk is full\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost_is_green),
        cmocka_unit_test(a_loss_is_told_with_who_has_what),
        cmocka_unit_test(a_leader_without_the_table_has_lost_all),
        cmocka_unit_test(what_could_not_be_read_is_not_known),
        cmocka_unit_test(a_fault_that_was_not_verified_takes_no_row),
        cmocka_unit_test(without_an_application_there_is_nothing_to_lose),
        cmocka_unit_test(a_ledger_that_is_gone_is_no_application_that_wrote_nothing),
        cmocka_unit_test(an_application_that_did_not_report_all_leaves_it_open),
        cmocka_unit_test(a_failure_without_a_loss_is_called_no_loss),
        cmocka_unit_test(a_lab_that_broke_is_red),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
