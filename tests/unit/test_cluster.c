// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/base/cluster.h"

static void services_are_told_in_order_with_what_they_bring(void **state) {
    (void)state;
    char text[64], small[9];
    services_text(services_whole(SERVICE_ETCD | SERVICE_POSTGRES), text, sizeof text);
    assert_string_equal(text, "postgres,patroni,etcd");
    services_text(SERVICE_APP, text, sizeof text);
    assert_string_equal(text, "app");
    services_text(0, text, sizeof text);
    assert_string_equal(text, "");
    services_text(services_whole(~0u), text, sizeof text);
    assert_string_equal(text, "postgres,patroni,etcd,haproxy,app");
    services_text(services_whole(SERVICE_POSTGRES), small, sizeof small);
    assert_string_equal(small, "postgres");
}

static void services_are_read_in_any_order_and_among_words_of_others(void **state) {
    (void)state;
    assert_int_equal(services_read("postgres,patroni,etcd"), services_whole(SERVICE_POSTGRES | SERVICE_ETCD));
    assert_int_equal(services_read("etcd,monitor,postgres"), SERVICE_ETCD | SERVICE_POSTGRES);
    assert_int_equal(services_read("postgresql"), 0);
    assert_int_equal(services_read(""), 0);
}

static void a_service_is_asked_for_by_the_one_that_brings_it(void **state) {
    (void)state;
    assert_int_equal(service_asked("patroni"), SERVICE_POSTGRES);
    assert_int_equal(service_asked("haproxy"), SERVICE_HAPROXY);
    assert_int_equal(service_asked("any"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_are_told_in_order_with_what_they_bring),
        cmocka_unit_test(services_are_read_in_any_order_and_among_words_of_others),
        cmocka_unit_test(a_service_is_asked_for_by_the_one_that_brings_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
