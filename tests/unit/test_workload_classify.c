// SPDX-License-Identifier: PostgreSQL
// The table "ok, failed, unknown" row by row: a wrong row either hides lost writes or invents them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lab/workload/classify.h"

static void a_completed_statement_is_ok(void **state) {
    (void)state;
    assert_int_equal(LEDGER_OK, classify_op(OP_COMPLETED, true, ""));
    assert_int_equal(LEDGER_PHASE_NONE, classify_phase(OP_COMPLETED, true));
}

static void nothing_sent_is_a_certain_failure(void **state) {
    (void)state;
    const enum op_end ends[] = {OP_ERROR, OP_LOST, OP_DEADLINE};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        assert_int_equal(LEDGER_FAILED, classify_op(ends[i], false, "57P01"));
        assert_int_equal(LEDGER_PHASE_CONNECT, classify_phase(ends[i], false));
    }
}

static void an_error_that_rolls_back_is_a_certain_failure(void **state) {
    (void)state;
    const char *const failed[] = {"25006", "40001", "40P01", "23505", "22003", "42P01", "55P03",
                                  "57014", "57P03", "53300", "53100", "28P01", "3D000"};
    for (size_t i = 0; i < ARRAY_SIZE(failed); i++)
        if (classify_op(OP_ERROR, true, failed[i]) != LEDGER_FAILED)
            fail_msg("%s", failed[i]);
    assert_int_equal(LEDGER_PHASE_STATEMENT, classify_phase(OP_ERROR, true));
}

static void an_error_that_may_follow_a_commit_is_unknown(void **state) {
    (void)state;
    const char *const unknown[] = {"57P01", "57P02", "08006", "08003", "XX000", "58030", "40003", "", "P0001"};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        if (classify_op(OP_ERROR, true, unknown[i]) != LEDGER_UNKNOWN)
            fail_msg("'%s'", unknown[i]);
}

static void a_broken_connection_or_silence_after_sending_is_unknown(void **state) {
    (void)state;
    assert_int_equal(LEDGER_UNKNOWN, classify_op(OP_LOST, true, ""));
    assert_int_equal(LEDGER_UNKNOWN, classify_op(OP_DEADLINE, true, ""));
    assert_int_equal(LEDGER_PHASE_TIMEOUT, classify_phase(OP_DEADLINE, true));
    assert_int_equal(LEDGER_PHASE_STATEMENT, classify_phase(OP_LOST, true));
}

static void the_warning_of_a_cancelled_synchronous_wait_is_recognised_and_no_other(void **state) {
    (void)state;
    assert_true(classify_warning_is_local_only("WARNING", "SyncRepWaitForLSN"));
    assert_false(
        classify_warning_is_local_only("WARNING", "EndTransactionBlock")); // "there is no transaction in progress"
    assert_false(classify_warning_is_local_only("LOG", "SyncRepWaitForLSN"));
    assert_false(classify_warning_is_local_only("", "SyncRepWaitForLSN"));
    assert_false(classify_warning_is_local_only("WARNING", ""));
}

static void a_demoted_or_leaving_server_is_not_used_again(void **state) {
    (void)state;
    assert_true(classify_error_ends_connection("25006"));
    assert_true(classify_error_ends_connection("57P01"));
    assert_false(classify_error_ends_connection("23505"));
    assert_false(classify_error_ends_connection("40001"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_completed_statement_is_ok),
        cmocka_unit_test(nothing_sent_is_a_certain_failure),
        cmocka_unit_test(an_error_that_rolls_back_is_a_certain_failure),
        cmocka_unit_test(an_error_that_may_follow_a_commit_is_unknown),
        cmocka_unit_test(a_broken_connection_or_silence_after_sending_is_unknown),
        cmocka_unit_test(the_warning_of_a_cancelled_synchronous_wait_is_recognised_and_no_other),
        cmocka_unit_test(a_demoted_or_leaving_server_is_not_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
