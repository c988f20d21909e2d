// SPDX-License-Identifier: PostgreSQL
// When a line was written: stamps as the daemons print them, zones, and stamps that can't be true.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lab/base/vec.h"
#include "lab/observe/log_stamp.h"

#define TEN_OCLOCK INT64_C(1795860000000000) // 2026-11-28 10:00:00 UTC

static void the_stamps_of_all_daemons_are_read(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int64_t us; // after TEN_OCLOCK
        usec_t fraction;
    } cases[] = {
        {"2026-11-28 10:00:00,123 INFO: no action. I am (n1), the leader with the lock", 123000, MSEC},
        {"2026-11-28 10:00:00.123 UTC [42] 00000 LOG:  ready", 123000, MSEC},
        {"2026-11-28 10:00:00.007 +0545 [42] 00000 LOG:  ready", 7000, MSEC},
        {"2026-11-28 10:00:01 CET [42] LOG:  a prefix with %t", 1000000, SEC},
        {"2026-11-28 10:00:00.123456 I | embed: ready to serve client requests", 123456, 1},
        {"raft2026/11/28 10:00:02 INFO: raft.node: 5edd elected leader c7cc at term 2", 2000000, SEC},
        {"{\"level\":\"info\",\"ts\":\"2026-11-28T10:00:00.123Z\",\"msg\":\"x\"}", 123000, MSEC},
        {"{\"level\":\"info\",\"ts\":\"2026-11-28T10:00:00.123456+0100\",\"msg\":\"x\"}", 123456, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct log_stamp s = {0};
        if (!log_stamp_read(cases[i].line, &s) || s.wall != TEN_OCLOCK + cases[i].us || s.fraction != cases[i].fraction)
            fail_msg("%s: %lld, %llu", cases[i].line, (long long)(s.wall - TEN_OCLOCK), (unsigned long long)s.fraction);
    }
    static const char *const none[] = {"",
                                       "[WARNING]  (12) : Server rw/n1 is DOWN",
                                       "\tl'hôte « 127.0.0.1 »",
                                       "2026-13-28 10:00:00,123 x",
                                       "2026-11-28 10:61:00,123 x",
                                       "2026-11-28",
                                       "2026",
                                       "9999999999 1",
                                       "{\"ts\":1795860000.1}",
                                       "{",
                                       "raft",
                                       "pg_rewind: Done!"};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct log_stamp s;
        if (log_stamp_read(none[i], &s))
            fail_msg("%s", none[i]);
    }
}

static usec_t place(const char *line, int64_t wall_now) {
    struct log_stamp s;
    usec_t t = USEC_NEVER;
    assert_true(log_stamp_read(line, &s));
    (void)log_stamp_place(&s, wall_now, 3600 * SEC, &t);
    return t;
}

static void a_line_is_placed_at_the_latest_moment_that_its_stamp_allows(void **state) {
    (void)state;
    const usec_t now = 3600 * SEC;
    int64_t wall = TEN_OCLOCK + 623000;
    // A stamp of .123 was made before .124.
    assert_int_equal(place("2026-11-28 10:00:00,123 x", wall), now - 500 * MSEC + MSEC - 1);
    assert_int_equal(place("2026-11-28 10:00:00,623 x", wall), now); // of this very millisecond
    assert_int_equal(place("raft2026/11/28 10:00:00 INFO", wall), now);
    assert_int_equal(place("raft2026/11/28 09:59:59 INFO", wall), now - 623 * MSEC - 1);
}

static void the_zone_of_the_daemon_does_not_matter(void **state) {
    (void)state;
    int64_t wall = TEN_OCLOCK + 623000;
    usec_t wanted = place("2026-11-28 10:00:00,123 x", wall);
    static const char *const zones[] = {"2026-11-28 11:00:00,123 x", "2026-11-28 12:00:00,123 x",
                                        "2026-11-28 02:00:00,123 x", "2026-11-28 15:45:00,123 x",
                                        "2026-11-27 22:00:00,123 x", "2026-11-29 00:00:00,123 x"};
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
        assert_int_equal(place(zones[i], wall), wanted);
}

static void a_line_from_long_ago_or_from_the_future_is_not_believed(void **state) {
    (void)state;
    int64_t wall = TEN_OCLOCK + 623000;
    assert_int_equal(place("2026-11-28 10:00:01,000 x", wall), USEC_NEVER); // 0.4 s ahead of us: or 14 min 59.6 s old
    assert_int_equal(place("2026-11-28 10:00:30,123 x", wall), USEC_NEVER);
    assert_int_equal(place("2026-11-28 09:49:00,123 x", wall), USEC_NEVER); // 11 minutes old
    assert_int_equal(place("2026-11-28 09:51:00,622 x", wall),
                     3600 * SEC - 9 * MINUTE - 1); // a supervisor that was stopped
    struct log_stamp s;
    usec_t t = USEC_NEVER;
    assert_true(log_stamp_read("2026-11-28 09:59:58,000 x", &s));
    assert_false(log_stamp_place(&s, wall, SEC, &t)); // before the run
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stamps_of_all_daemons_are_read),
        cmocka_unit_test(a_line_is_placed_at_the_latest_moment_that_its_stamp_allows),
        cmocka_unit_test(the_zone_of_the_daemon_does_not_matter),
        cmocka_unit_test(a_line_from_long_ago_or_from_the_future_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
