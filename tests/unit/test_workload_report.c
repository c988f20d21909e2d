// SPDX-License-Identifier: PostgreSQL
// The buckets that the application tells of: after a standstill everything that was due meanwhile is in the bucket of its schedule.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/workload/app.h"

#define BEGUN    (10 * SEC)
#define GOES_ON  (13 * SEC + 30 * MSEC)
#define PER_TICK 10 // writes

struct client {
    struct app app;
    struct pool pools[2];
    int supervisor;
};

static int begin(void **state) {
    struct client *c = xcalloc(1, sizeof *c);
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    c->supervisor = ends[0];
    c->app = (struct app){.fd = ends[1], .ledger.fd = -1, .pools = c->pools, .n_pools = 2, .first_id = 1};
    c->app.tick = EVENT_NEW(CLIENT_TICK);
    c->app.tick.u.CLIENT_TICK.from = BEGUN;
    c->pools[0] = (struct pool){.app = &c->app, .kind = LEDGER_WRITE, .period = 1e5 / PER_TICK, .t0 = BEGUN};
    c->pools[1] =
        (struct pool){.app = &c->app, .kind = LEDGER_READ, .period = 1e5, .t0 = BEGUN + 5 * MSEC, .warm = true};
    *state = c;
    return 0;
}

static int end(void **state) {
    struct client *c = *state;
    (void)close(c->supervisor), (void)close(c->app.fd);
    for (size_t i = 0; i < ARRAY_SIZE(c->pools); i++)
        pool_done(&c->pools[i]);
    VEC_DONE(&c->app.records), VEC_DONE(&c->app.unsent);
    free(c);
    return 0;
}

// All buckets up to the one in which it went on: no gap, nothing counted elsewhere, and no standstill that lasts longer than it did.
static void check_buckets(struct client *c) {
    usec_t from = BEGUN;
    struct event ev = {0};
    report_advance(&c->app, GOES_ON + 100 * MSEC);
    while (recv(c->supervisor, &ev, sizeof ev, MSG_DONTWAIT) > 0) {
        __auto_type k = &ev.u.CLIENT_TICK;
        bool last = k->from + 100 * MSEC > GOES_ON;
        assert_int_equal(k->from, from);
        assert_int_equal(k->w_tried, last ? 4 : PER_TICK); // 0, 10, 20 and 30 ms
        assert_int_equal(k->r_tried, 1);
        usec_t late = GOES_ON - from;
        assert_int_equal(k->late_us, late >= 100 * MSEC ? late : 0);
        from += 100 * MSEC;
    }
    assert_int_equal(from, GOES_ON - 30 * MSEC + 100 * MSEC);
}

static void what_was_due_is_worked_off_in_order(void **state) {
    struct client *c = *state;
    app_schedule(&c->app, GOES_ON);
    check_buckets(c);
}

// Who looks first, the clock or the socket, is chance.
static void an_answer_that_waited_does_not_hide_the_standstill(void **state) {
    struct client *c = *state;
    struct op sent = {.id = 1, .scheduled = BEGUN, .invoked = BEGUN, .counted = true};
    c->pools[0].n_scheduled = 1;
    report_scheduled(&c->app, LEDGER_WRITE, BEGUN, BEGUN);
    op_unsent(&c->pools[0], &sent, GOES_ON);
    assert_int_equal(c->app.tick.u.CLIENT_TICK.from, GOES_ON - 30 * MSEC);
    assert_int_equal(c->app.tick.u.CLIENT_TICK.late_us, 0);
    struct event first = {0};
    assert_true(recv(c->supervisor, &first, sizeof first, MSG_DONTWAIT) > 0);
    assert_int_equal(first.u.CLIENT_TICK.from, BEGUN);
    assert_int_equal(first.u.CLIENT_TICK.late_us, GOES_ON - BEGUN - 5 * MSEC); // the read: the write had been in time
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_due_is_worked_off_in_order, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_that_waited_does_not_hide_the_standstill, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
