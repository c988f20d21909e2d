// SPDX-License-Identifier: PostgreSQL
// Whose doing is an outage? A fault or act that may explain it, else nobody's of the run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/model/blame.h"
#include "test_measure_world.h"

static void the_rule_is_from_the_order_to_ten_seconds_after_the_end(void **state) {
    (void)state;
    const usec_t asked = 5 * SEC, over = 7 * SEC;
    assert_false(blame_covers(asked, over, asked - 1));
    assert_true(blame_covers(asked, over, asked));
    assert_true(blame_covers(asked, over, over + BLAME_AFTERMATH));
    assert_false(blame_covers(asked, over, over + BLAME_AFTERMATH + 1));
    assert_true(blame_covers(asked, USEC_NEVER, 100 * MINUTE)); // it goes on
    assert_true(blame_covers(0, USEC_NEVER - 1, USEC_NEVER));   // sums stop
}

static void what_was_ordered_and_seen_a_moment_later_had_bitten(void **state) {
    (void)state;
    assert_true(blame_has_bitten(5 * SEC, 6 * SEC, 6 * SEC));
    assert_true(blame_has_bitten(5 * SEC, 6 * SEC + BLAME_SEEN_LATE, 6 * SEC));
    assert_false(blame_has_bitten(5 * SEC, 6 * SEC + BLAME_SEEN_LATE + 1, 6 * SEC));
    assert_false(blame_has_bitten(0, 6 * SEC + 1, 6 * SEC)); // its order was not told
    assert_true(blame_has_bitten(5 * SEC, 0, 6 * SEC));      // its effect was not
    assert_false(blame_has_bitten(0, 0, 6 * SEC));
}

static void an_outage_is_the_latest_ones_doing_else_the_first_ones_within_a_hiccup(void **state) {
    (void)state;
    const usec_t t = 30 * SEC, ms = MSEC;
    const struct blame_candidate two[] = {{t - 9 * SEC, t - 9 * SEC, USEC_NEVER}, {t - SEC, t - SEC, USEC_NEVER}};
    assert_int_equal(blame_choose(two, 2, t, USEC_NEVER, 10 * ms), 1);
    assert_int_equal(blame_choose(two, 1, t, USEC_NEVER, 10 * ms), 0);
    // ordered 12 ms after the last acknowledged write, as seen once with a cut of the leader: a write was slow just then
    const struct blame_candidate late[] = {{t + 12 * ms, t + 13 * ms, USEC_NEVER},
                                           {t + 90 * ms, t + 91 * ms, USEC_NEVER}};
    assert_int_equal(blame_choose(late, 2, t, USEC_NEVER, 10 * ms), 0);
    assert_int_equal(blame_choose(late, 2, t, t + 11 * ms, 10 * ms), -1); // writes were back before it bit
    const struct blame_candidate too_late[] = {{t + BLAME_HICCUP, t + BLAME_HICCUP + 1, USEC_NEVER}};
    assert_int_equal(blame_choose(too_late, 1, t, USEC_NEVER, 10 * ms), -1);
    const struct blame_candidate over[] = {{t - 60 * SEC, t - 59 * SEC, t - 40 * SEC}};
    assert_int_equal(blame_choose(over, 1, t, USEC_NEVER, 10 * ms), -1);
    assert_int_equal(blame_choose(NULL, 0, t, USEC_NEVER, 10 * ms), -1);
}

// Writes stop at 30 s. The fault took effect at 5 s and was over at `over`, 0 = never.
static bool is_blamed(const char *mechanism, const char *nodes, const char *params, usec_t over) {
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = mechanism, r.w.nodes = nodes, r.w.params = params;
    r.w.fault = 5 * SEC, r.w.writes_stop = 30 * SEC;
    r.w.renewed = 4 * SEC;
    world_build(&r.w);
    if (over) {
        struct event ev = *world_find(&r.w, EVENT_FAULT, 0);
        ev.t = over;
        ev.u.FAULT.phase = FAULT_PHASE_HEALED;
        (void)world_add(&r.w, ev);
    }
    run_fold(&r, true);
    assert_true(r.o->outage.present);
    bool blamed = r.o->cause.fault == 0;
    assert_int_equal(r.o->cause.recovery > 0, blamed);
    for (int i = 0; i < PHASE_COUNT; i++)
        assert_true(blamed || !r.o->phases.list[i].present);
    run_end(&r);
    return blamed;
}

static void a_fault_that_was_healed_long_before_is_blamed_for_nothing(void **state) {
    (void)state;
    assert_true(is_blamed("net.drop", "n3", "", 0));         // in force
    assert_true(is_blamed("net.drop", "n3", "", 21 * SEC));  // its aftermath
    assert_false(is_blamed("net.drop", "n3", "", 19 * SEC)); // long over
    assert_false(is_blamed("process.kill", "n3", "service=postgres process=postmaster", 10 * SEC));
}

static void a_lease_that_still_runs_is_explained_by_who_stopped_its_renewal(void **state) {
    (void)state;
    assert_true(is_blamed("process.kill", "n1", "service=patroni", 10 * SEC));  // 5 s + ttl 30 s is later than 30 s
    assert_false(is_blamed("process.kill", "n3", "service=patroni", 10 * SEC)); // not the leader's
}

static void an_unexplained_outage_leaves_its_expectations_unjudged(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = "net.drop", r.w.nodes = "n3";
    r.w.fault = 5 * SEC, r.w.writes_stop = 30 * SEC;
    world_build(&r.w);
    struct event ev = *world_find(&r.w, EVENT_FAULT, 0);
    ev.t = 8 * SEC;
    ev.u.FAULT.phase = FAULT_PHASE_HEALED;
    (void)world_add(&r.w, ev);
    world_expect(&r.w, "recovery", -1, 60e6);
    run_fold(&r, true);
    assert_false(run_expected(&r, "recovery")->known);
    assert_non_null(strstr(run_expected(&r, "recovery")->text, "no fault and no act of the run explains the outage"));
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_is_from_the_order_to_ten_seconds_after_the_end),
        cmocka_unit_test(what_was_ordered_and_seen_a_moment_later_had_bitten),
        cmocka_unit_test(an_outage_is_the_latest_ones_doing_else_the_first_ones_within_a_hiccup),
        cmocka_unit_test(a_fault_that_was_healed_long_before_is_blamed_for_nothing),
        cmocka_unit_test(a_lease_that_still_runs_is_explained_by_who_stopped_its_renewal),
        cmocka_unit_test(an_unexplained_outage_leaves_its_expectations_unjudged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
