// SPDX-License-Identifier: PostgreSQL
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/base/usec.h"

static void durations_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        usec_t t;
    } good[] = {
        {"0", 0},
        {"0s", 0},
        {"300us", 300},
        {"250ms", 250 * MSEC},
        {"1.5s", 1500 * MSEC},
        {"1.0000019s", SEC + 1},
        {"2m", 2 * MINUTE},
        {"2min", 2 * MINUTE},
        {"1h", 60 * MINUTE},
        {"10 s", 10 * SEC},
        {"1m30s", 90 * SEC},
        {"1h5m", 65 * MINUTE},
        {"1h 5m 2.5s", 65 * MINUTE + 2500 * MSEC},
        {"1s250ms", 1250 * MSEC},
        {"87600h", UINT64_C(315360000000000)},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        usec_t t = 1;
        if (usec_parse(good[i].text, &t) < 0 || t != good[i].t)
            fail_msg("'%s' gave %llu", good[i].text, (unsigned long long)t);
    }
}

static void anything_else_is_refused_and_leaves_the_result_alone(void **state) {
    (void)state;
    static const char *const bad[] = {"",     "s",        "5",      "5 5s",  "-1s",     "+1s",    "1e3s",
                                      "0x5s", "1.s",      ".5s",    "30s1m", "1m2m",    "1m30",   "1m 30",
                                      "1s1s", "1sx",      "1 0",    "inf",   "1,5s",    "1m-30s", "87601h",
                                      "1:30", "00:01:30", "1m,30s", "5sec",  "87600h1s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        usec_t t = 42;
        if (usec_parse(bad[i], &t) != -EINVAL || t != 42)
            fail_msg("'%s' was taken", bad[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(anything_else_is_refused_and_leaves_the_result_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
