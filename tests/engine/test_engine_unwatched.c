// SPDX-License-Identifier: PostgreSQL
// The observer stood still: nothing is concluded from the time that nobody watched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "tests/engine/world.h"

#define BLIND (2500 * MSEC) // after a standstill, until everything has been asked anew

static struct event stood_still(usec_t t, usec_t late) {
    struct event ev = EVENT_NEW(NOISE);
    ev.t = t;
    ev.u.NOISE.late_max_us = (int64_t)late;
    return ev;
}

static void stays_begins_anew_after_a_hole(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_stays(p, "steady", CONDITION_HEALTHY, 10 * SEC);
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_at(w, begin + 8 * SEC, stood_still(0, 5 * SEC));
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(world_when(w, "steady", "done"), begin + 8 * SEC + BLIND + 10 * SEC);
    world_free(w);
}

static void a_late_timer_of_half_a_second_changes_nothing(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_stays(p, "steady", CONDITION_HEALTHY, 10 * SEC);
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_at(w, begin + 8 * SEC, stood_still(0, 500 * MSEC));
    world_run(w);
    assert_int_equal(world_when(w, "steady", "done"), begin + 10 * SEC);
    world_free(w);
}

// The engine itself stood still as well: the first thing it hears is that nobody watched.
static void what_the_clock_would_have_decided_in_a_hole_is_not_decided(void **state) {
    (void)state;
    for (int flows = 0; flows < 2; flows++) {
        struct plan *p = test_plan_new();
        test_stays(p, "steady", flows ? CONDITION_WRITES_FLOW : CONDITION_HEALTHY, 10 * SEC);
        struct world *w = world_begun(p);
        effect_list effects = {0};
        struct event ev = stood_still(w->now + 30 * SEC, 29 * SEC + 900 * MSEC);
        engine_step(w->engine, &ev, &effects);
        VEC_FOREACH (&effects, e)
            if (e->kind == EFFECT_RECORD)
                fail_msg("%s %s: %s", e->event.u.STEP.name, step_status_name(e->event.u.STEP.state),
                         e->event.u.STEP.detail);
        assert_int_equal(engine_deadline(w->engine), ev.t + BLIND);
        VEC_DONE(&effects);
        world_free(w);
    }
}

static void a_wait_with_a_hole_is_met_in_time_or_not_known(void **state) {
    (void)state;
    static const struct {
        usec_t hole, moved; // after the wait began; 0 = never
        const char *reason, *words;
    } table[] = {
        {3 * SEC, 7 * SEC, "completed", ""},
        {8 * SEC, 13 * SEC, "unwatched", "whether within 10.00 s is not known"},
        {8 * SEC, 0, "unwatched", "nobody watched, it may have been so then"},
        {0, 0, "expectation", "waited 10.00 s for 'leader changed'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct plan *p = test_plan_new();
        test_wait(p, "moved", CONDITION_LEADER_CHANGED, 10 * SEC);
        struct world *w = world_begun(p);
        usec_t begin = w->now;
        if (table[i].hole)
            world_at(w, begin + table[i].hole, stood_still(0, 2 * SEC));
        if (table[i].moved)
            world_call(w, begin + table[i].moved, world_move_leader, "n2");
        world_run(w);
        assert_reason(w, table[i].reason);
        assert_has(w->finish.detail, table[i].words);
        assert_int_equal(*w->finish.detail == '\0', *table[i].words == '\0');
        world_free(w);
    }
}

static void no_fault_is_injected_while_its_target_may_be_another(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER)->delay = 5 * SEC;
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_at(w, begin + 4 * SEC + 900 * MSEC, stood_still(0, 2 * SEC));
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(world_fault(w, "cut")->injected, begin + 4 * SEC + 900 * MSEC + BLIND);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_begins_anew_after_a_hole),
        cmocka_unit_test(a_late_timer_of_half_a_second_changes_nothing),
        cmocka_unit_test(what_the_clock_would_have_decided_in_a_hole_is_not_decided),
        cmocka_unit_test(a_wait_with_a_hole_is_met_in_time_or_not_known),
        cmocka_unit_test(no_fault_is_injected_while_its_target_may_be_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
