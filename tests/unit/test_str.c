// SPDX-License-Identifier: PostgreSQL
// Lists as they stand in events ("n1,n3", "n1, n3"), and the parameters of a fault ("service=postgres process=backend").
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/base/str.h"
#include "lab/record/fault_params.h"

static void a_word_is_found_in_a_list_as_a_whole(void **state) {
    (void)state;
    assert_true(str_list_has("n1", "n1"));
    assert_true(str_list_has("n1,n3", "n3"));
    assert_true(str_list_has("n1, n3", "n3"));
    assert_true(str_list_has(" n1 ,,\tn3 ", "n3"));
    assert_false(str_list_has("n10,n31", "n1"));
    assert_false(str_list_has("n1", "n10"));
    assert_false(str_list_has("", "n1"));
    assert_false(str_list_has("n1,,n3", ""));
}

static void a_parameter_is_read_by_its_whole_name(void **state) {
    (void)state;
    const char *params = "service=postgres process=backend path=etcd_client,rest empty=";
    char value[16];
    assert_true(fault_params_get(params, "path", value, sizeof value));
    assert_string_equal(value, "etcd_client,res"); // cut to fit
    assert_true(fault_params_get(params, "service", value, sizeof value));
    assert_string_equal(value, "postgres");
    assert_true(fault_params_get(params, "empty", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(fault_params_get(params, "proc", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(fault_params_get("", "path", value, sizeof value));
    assert_true(fault_params_are(params, "process", "backend"));
    assert_false(fault_params_are(params, "process", "back"));
    assert_false(fault_params_are(params, "process", "backend2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_found_in_a_list_as_a_whole),
        cmocka_unit_test(a_parameter_is_read_by_its_whole_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
