// SPDX-License-Identifier: PostgreSQL
// "inside": an outage and a recovery against the sum of the bounds of their phases.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants these first
#include <cmocka.h>

#include "test_measure_world.h"

#define MS(x) ((usec_t)(x)*MSEC)

// The crash of test_measure_bounds.c: detect 25.8 to 27 s, elect 1.9 to 3.5 s, promote and reroute up to 3 s each. Its last write came back 7 ms before
// the fault; a write every 10 ms takes 3 ms, which is the resolution of 13 ms.
enum { LEAST = 25800 + 1900, MOST = 27000 + 3500 + 3000 + 3000, LEAD = 7, RESOLUTION = 13 };

// The nth expectation that was added.
static void expect_inside(struct run *r, const char *kind, double max) {
    int nth = 0;
    while (world_find(&r->w, EVENT_EXPECT, nth))
        nth++;
    world_expect(&r->w, kind, -1, max);
    world_find(&r->w, EVENT_EXPECT, nth)->u.EXPECT.inside = true;
}

static void ask(struct run *r) {
    world_build(&r->w);
    expect_inside(r, "write_outage", -1);
    expect_inside(r, "recovery", -1);
    run_fold(r, true);
}

static void demand(const struct run *r, const char *kind, bool known, bool ok, const char *words) {
    const struct expect_result *e = run_expected(r, kind);
    if (e->known != known || e->ok != ok || !strstr(e->text, words))
        fail_msg("%s: known %d, ok %d: %s", kind, e->known, e->ok, e->text);
    assert_true(e->inside);
}

static void demand_law(const struct run *r, const char *kind, usec_t least, usec_t most) {
    const struct expect_result *e = run_expected(r, kind);
    assert_true(e->law);
    assert_int_equal(e->law_min, least);
    assert_int_equal(e->law_max, most);
    assert_int_equal(e->law_error, MS(RESOLUTION));
}

static void a_crash_stays_inside_the_sum_of_its_bounds(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    ask(&r);
    demand(&r, "write_outage", true, true,
           "could not write for 28.91 s; the settings allow 27.71 s to 36.51 s (expected: write_outage inside)");
    demand(&r, "recovery", true, true, "the settings allow 27.70 s to 36.50 s (expected: recovery inside)");
    demand_law(&r, "write_outage", MS(LEAST + LEAD), MS(MOST + LEAD));
    demand_law(&r, "recovery", MS(LEAST), MS(MOST));
    assert_int_equal(r.o->verdict, VERDICT_PASS);
    run_end(&r);
}

// Served again so late, or so early.
static void served_at(struct run *r, usec_t back) {
    run_crash(r);
    r->w.writes_back = back;
    r->w.end = back + 5 * SEC;
    if (back < r->w.writable) { // the phases shrink with it
        r->w.gone = back - 3 * SEC;
        r->w.put = back - 550 * MSEC;
        r->w.writable = back - 100 * MSEC;
        r->w.writable_previous = back - 150 * MSEC;
    }
    ask(r);
}

static void its_limits_are_met_to_the_resolution(void **state) {
    (void)state;
    // An outage from 9.993 s on, its end 3 ms after the first write that came through.
    const usec_t longest = MS(9993 + MOST + LEAD + RESOLUTION - 3), shortest = MS(9993 + LEAST + LEAD - RESOLUTION - 3);
    static const struct {
        int by;
        bool late, ok;
    } cases[] = {{0, true, true}, {10, true, false}, {6, false, true}, {-14, false, false}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct run r;
        usec_t back = (cases[i].late ? longest : shortest) + (usec_t)(int64_t)cases[i].by * MSEC;
        served_at(&r, back);
        demand(&r, "write_outage", true, cases[i].ok, "the settings allow 27.71 s to 36.51 s");
        assert_int_equal(r.o->verdict, cases[i].ok ? VERDICT_PASS : VERDICT_FAIL);
        run_end(&r);
    }
}

// One phase was too long, another one short: the outage as a whole is what was expected.
static void it_is_the_sum_that_counts(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.put += 2 * SEC, r.w.writable += 2 * SEC, r.w.writable_previous += 2 * SEC, r.w.writes_back += 2 * SEC;
    r.w.streaming += 2 * SEC, r.w.end += 2 * SEC;
    ask(&r);
    assert_false(r.o->phases.list[PHASE_ELECT].inside);
    demand(&r, "write_outage", true, true, "30.91 s");
    run_end(&r);
}

static void an_outage_that_begins_late_has_what_was_left_of_the_bounds(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.writes_stop = 15 * SEC; // 4.993 s of detect are over when the last write comes back
    ask(&r);
    demand_law(&r, "write_outage", MS(LEAST - 4993), MS(MOST - 4993));
    demand_law(&r, "recovery", MS(LEAST), MS(MOST));
    demand(&r, "write_outage", true, true, "could not write for 23.91 s");
    run_end(&r);
    run_crash(&r);
    r.w.writes_stop = 37 * SEC; // detect is over, and of elect 0.693 s are
    ask(&r);
    demand_law(&r, "write_outage", MS(1900 - 693), MS(3500 + 3000 + 3000 - 693));
    demand(&r, "write_outage", true, true, "could not write for 1.91 s");
    run_end(&r);
}

static void a_phase_without_a_bound_leaves_it_unknown(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.mechanism = "cluster.switchover";
    ask(&r);
    demand(&r, "write_outage", false, false,
           "could not write for 28.91 s; whether the settings allow that is not known: the phase detect has no bound "
           "(no law: as long as");
    demand(&r, "recovery", false, false, "the phase detect has no bound");
    assert_false(run_expected(&r, "write_outage")->law);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    run_end(&r);
    run_crash(&r);
    r.w.mechanism = "net.delay";
    ask(&r);
    demand(&r, "write_outage", false, false, "no law speaks of this fault");
    run_end(&r);
}

static void numbers_beside_it_are_judged_with_it(void **state) {
    (void)state;
    static const struct {
        const char *mechanism;
        double max;
        bool known, ok;
    } cases[] = {{"node.power_off", 34e6, true, true},
                 {"node.power_off", 28e6, true, false},
                 {"cluster.switchover", 34e6, false, false}, // the law could still forbid it
                 {"cluster.switchover", 28e6, true, false}}; // whatever the law says, it is too long
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct run r;
        run_crash(&r);
        r.w.mechanism = cases[i].mechanism;
        world_build(&r.w);
        expect_inside(&r, "write_outage", cases[i].max);
        run_fold(&r, true);
        demand(&r, "write_outage", cases[i].known, cases[i].ok,
               i % 2 ? "(expected: write_outage inside, at most 28.00 s)" : "inside, at most 34.00 s)");
        run_end(&r);
    }
}

static void without_an_outage_there_is_nothing_to_compare(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.writes_back = r.w.writes_stop;
    ask(&r);
    demand(&r, "write_outage", false, false,
           "the application could write all the time; whether the settings allow that is not known");
    demand(&r, "recovery", false, false, "there was no outage");
    run_end(&r);
}

static void an_outage_without_an_end_breaks_a_law_that_there_is(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.writes_back = r.w.end + SEC;
    ask(&r);
    assert_true(r.o->outage.open);
    demand(&r, "write_outage", true, false, "still failing at the end (expected: write_outage inside)");
    assert_false(run_expected(&r, "write_outage")->law);
    run_end(&r);
    run_crash(&r);
    r.w.writes_back = r.w.end + SEC;
    r.w.mechanism = "net.delay";
    ask(&r);
    demand(&r, "write_outage", false, false, "still failing at the end; whether the settings allow that is not known");
    run_end(&r);
}

// The log of another program may say it of anything.
static void no_law_bounds_a_count(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    expect_inside(&r, "rejoin", -1);
    expect_inside(&r, "lost_writes", -1);
    expect_inside(&r, "same_history", -1);
    run_fold(&r, true);
    demand(&r, "rejoin", false, false, "no law bounds it");
    demand(&r, "lost_writes", false, false, "no law bounds it");
    assert_false(run_expected(&r, "same_history")->ok);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_stays_inside_the_sum_of_its_bounds),
        cmocka_unit_test(its_limits_are_met_to_the_resolution),
        cmocka_unit_test(it_is_the_sum_that_counts),
        cmocka_unit_test(an_outage_that_begins_late_has_what_was_left_of_the_bounds),
        cmocka_unit_test(a_phase_without_a_bound_leaves_it_unknown),
        cmocka_unit_test(numbers_beside_it_are_judged_with_it),
        cmocka_unit_test(without_an_outage_there_is_nothing_to_compare),
        cmocka_unit_test(an_outage_without_an_end_breaks_a_law_that_there_is),
        cmocka_unit_test(no_law_bounds_a_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
