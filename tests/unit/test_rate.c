// SPDX-License-Identifier: PostgreSQL
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/base/rate.h"

static void rates_are_read_as_tc_writes_them(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bits;
    } good[] = {{"512kbit", 512000}, {"10mbit", 10000000},  {"1gbit", 1000000000}, {"2.5mbit", 2500000},
                {"0.5kbit", 500},    {"9600bit", 9600},     {"10Mbit", 10000000},  {"0bit", 0},
                {"1.25kbit", 1250},  {"1.gbit", 1000000000}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t bits = 1;
        assert_int_equal(rate_parse(good[i].text, &bits), 0);
        assert_int_equal(bits, good[i].bits);
    }
}

static void anything_else_is_refused_and_leaves_the_result_alone(void **state) {
    (void)state;
    static const char *const bad[] = {"",       "bit",       "10",      "10mb",     "10 mbit", "-1kbit", "+1kbit",
                                      ".5mbit", "1.2.3kbit", "1e3kbit", "0x10kbit", "10mbits", "mbit10", "99999gbit"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t bits = 42;
        assert_int_equal(rate_parse(bad[i], &bits), -EINVAL);
        assert_int_equal(bits, 42);
    }
}

static void rates_are_written_with_the_unit_that_fits(void **state) {
    (void)state;
    char buf[32];
    assert_string_equal(rate_format(buf, 512000), "512.00 kbit/s");
    assert_string_equal(rate_format(buf, 999), "1.00 kbit/s");
    assert_string_equal(rate_format(buf, 9870000), "9.87 Mbit/s");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_read_as_tc_writes_them),
        cmocka_unit_test(anything_else_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(rates_are_written_with_the_unit_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
