// SPDX-License-Identifier: PostgreSQL
// A trainer steps through a scenario: hold, next, go.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "tests/engine/world.h"

static bool has_begun(const struct world *w) {
    return world_when(w, "begin", "started") != USEC_NEVER;
}

static struct world *begun(struct plan *p) {
    struct world *w = world_new(p);
    world_boot(w);
    assert_true(world_step_until(w, has_begun, MINUTE));
    return w;
}

static void say(struct world *w, const char *verb) {
    struct event ev = EVENT_NEW(COMMAND);
    ev.t = w->now;
    STR_COPY(ev.u.COMMAND.verb, verb);
    world_feed(w, &ev);
}

static bool started(const struct world *w, const char *step) {
    return world_when(w, step, "started") != USEC_NEVER;
}

static struct plan *two_pauses(void) {
    struct plan *p = test_plan_new();
    test_inject(p, "first", "process.pause", SELECTOR_REPLICA)->delay = 10 * SEC;
    test_inject(p, "second", "process.pause", SELECTOR_LEADER)->delay = 5 * SEC;
    return p;
}

static void a_held_scenario_starts_nothing_and_goes_on_where_its_delay_stood(void **state) {
    (void)state;
    struct world *w = begun(two_pauses());
    usec_t begin = w->now;
    world_pass(w, 4 * SEC);
    say(w, "hold");
    assert_true(engine_held(w->engine));
    world_pass(w, 100 * SEC);
    assert_false(started(w, "first"));
    say(w, "go");
    world_pass(w, 5 * SEC);
    assert_false(started(w, "first"));
    world_pass(w, 2 * SEC);
    assert_int_equal(world_when(w, "first", "started") - begin, 110 * SEC);
    world_run(w);
    assert_reason(w, "completed");
    world_free(w);
}

static void next_lets_one_step_start_at_once_and_no_other(void **state) {
    (void)state;
    struct world *w = begun(two_pauses());
    say(w, "hold");
    say(w, "next");
    assert_int_equal(world_when(w, "first", "started"), w->now);
    world_pass(w, 60 * SEC);
    assert_int_not_equal(world_when(w, "first", "done"), USEC_NEVER);
    assert_false(started(w, "second"));
    char line[200];
    assert_has(engine_waiting_for(w->engine, line, sizeof line), "held before step 2 of 2, 'second' (`bascule next`");
    say(w, "next");
    assert_true(started(w, "second"));
    world_run(w);
    assert_reason(w, "completed");
    world_free(w);
}

static void next_said_early_waits_for_the_step_before_and_counts_once(void **state) {
    (void)state;
    struct plan *p = two_pauses();
    test_inject(p, "third", "process.pause", SELECTOR_REPLICA);
    struct world *w = begun(p);
    w->manners.verify_after = 3 * SEC;
    say(w, "hold");
    say(w, "next");
    assert_true(started(w, "first"));
    say(w, "next");
    say(w, "next");
    assert_false(started(w, "second"));
    world_pass(w, 30 * SEC);
    assert_true(started(w, "second"));
    assert_int_equal(world_when(w, "second", "started"), world_when(w, "first", "done"));
    assert_false(started(w, "third"));
    world_free(w);
}

static void next_does_not_make_a_condition_true_and_within_counts_from_it(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_wait(p, "never", CONDITION_LEADER_CHANGED, 20 * SEC);
    struct world *w = begun(p);
    usec_t asked = w->now;
    say(w, "hold"); // the wait began with the scenario
    world_pass(w, 300 * SEC);
    assert_false(w->finished);
    asked = w->now;
    say(w, "next");
    world_run(w);
    assert_reason(w, "expectation");
    assert_int_equal(world_when(w, "never", "failed") - asked, 20 * SEC);
    world_free(w);
}

static void the_timeout_of_the_scenario_does_not_count_what_was_held(void **state) {
    (void)state;
    struct plan *p = two_pauses();
    p->timeout = 60 * SEC;
    struct world *w = begun(p);
    say(w, "hold");
    world_pass(w, 10 * MINUTE);
    assert_false(w->finished);
    say(w, "go");
    world_run(w);
    assert_reason(w, "completed");
    world_free(w);
}

static void what_has_started_is_watched_while_the_scenario_is_held(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct step *s = test_wait(p, "stays", CONDITION_HEALTHY, 20 * SEC);
    (void)test_atom(&s->stays, CONDITION_HEALTHY);
    s->stays_for = 10 * SEC;
    test_inject(p, "after", "process.pause", SELECTOR_REPLICA);
    struct world *w = begun(p);
    assert_true(started(w, "stays"));
    say(w, "hold");
    world_pass(w, 30 * SEC);
    assert_int_equal(world_when(w, "stays", "done") - world_when(w, "stays", "started"), 10 * SEC);
    assert_false(started(w, "after"));
    world_free(w);
}

static void a_held_scenario_can_be_interrupted(void **state) {
    (void)state;
    struct world *w = begun(two_pauses());
    say(w, "hold");
    say(w, "next");
    world_pass(w, 5 * SEC);
    world_abort(w, "interrupted", "Ctrl-C");
    world_run(w);
    assert_reason(w, "interrupted");
    assert_int_equal(world_fault(w, "first")->heals, 1);
    world_free(w);
}

static void next_and_go_mean_nothing_to_a_scenario_that_is_not_held(void **state) {
    (void)state;
    struct world *w = begun(two_pauses());
    usec_t begin = w->now;
    say(w, "next");
    say(w, "go");
    world_run(w);
    assert_int_equal(world_when(w, "first", "started") - begin, 10 * SEC);
    assert_reason(w, "completed");
    world_free(w);
}

static void a_hold_before_the_begin_holds_the_first_step(void **state) {
    (void)state;
    struct world *w = world_new(two_pauses());
    world_boot(w);
    world_pass(w, 1 * SEC);
    say(w, "hold");
    assert_true(world_step_until(w, has_begun, MINUTE));
    world_pass(w, 60 * SEC);
    assert_false(started(w, "first"));
    usec_t go = w->now;
    say(w, "go");
    world_run(w);
    assert_int_equal(world_when(w, "first", "started") - go, 10 * SEC);
    world_free(w);
}

static const char *next_text(const struct world *w) {
    return w->next.u.STEP_NEXT.text;
}

static void held_it_says_what_it_will_do_to_whom_as_roles_are_now(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "first", "process.pause", SELECTOR_REPLICA)->delay = 10 * SEC;
    test_inject(p, "second", "net.drop", SELECTOR_LEADER);
    struct world *w = world_new(p);
    world_boot(w);
    world_pass(w, 1 * SEC);
    assert_string_equal(next_text(w), "process.pause on every replica, 10 s after the beginning");
    say(w, "hold");
    assert_true(world_step_until(w, has_begun, MINUTE));
    assert_true(w->next.u.STEP_NEXT.stands && engine_stands(w->engine));
    assert_string_equal(next_text(w), "process.pause on every replica: n2 and n3 now");
    say(w, "next");
    world_pass(w, 5 * SEC);
    char line[EVENT_TEXT_MAX];
    assert_string_equal(engine_step_title(w->engine, 0, line, sizeof line),
                        "step 1 of 2, 'first': process.pause on n2,n3");
    assert_string_equal(next_text(w), "net.drop on the leader, which is n1 now");
    world_move_leader(w, "n3");
    world_pass(w, 5 * SEC);
    assert_string_equal(next_text(w), "net.drop on the leader, which is n3 now");
    assert_int_equal(w->next.u.STEP_NEXT.index, 1);
    world_free(w);
}

static void the_plan_is_told_step_by_step_done_now_next_to_come(void **state) {
    (void)state;
    struct plan *p = two_pauses();
    test_wait(p, "never", CONDITION_LEADER_CHANGED, 20 * SEC);
    struct world *w = begun(p);
    say(w, "hold");
    static const char *const steps[][3] = {
        {"next", "to come", "to come"}, {"done", "next", "to come"}, {"done", "done", "next"}, {"done", "done", "now"}};
    char words[EVENT_TEXT_MAX];
    for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
        for (size_t i = 0; i < 3; i++)
            assert_string_equal(engine_step_state(w->engine, i), steps[k][i]);
        say(w, "next");
        world_pass(w, 5 * SEC);
    }
    assert_string_equal(engine_step_words(w->engine, 2, words, sizeof words),
                        "waits until 'leader changed', at most 20 s");
    assert_int_equal(w->next.u.STEP_NEXT.index, -1);
    assert_false(engine_stands(w->engine));
    world_run(w);
    assert_string_equal(engine_step_state(w->engine, 2), "failed");
    world_free(w);
}

static void parameters_conditions_and_heals_are_part_of_the_words(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct step *cut = test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    struct setting *with = VEC_ADD(&cut->params);
    with->key = xstrdup("direction");
    with->value = xstrdup("in");
    cut->duration = 20 * SEC;
    (void)test_atom(&cut->when, CONDITION_HEALTHY);
    cut->within = 30 * SEC;
    test_heal(p, "mend", 0)->delay = 5 * SEC;
    char words[EVENT_TEXT_MAX];
    assert_string_equal(
        plan_step_words(p, 0, words, sizeof words),
        "net.drop on the leader (direction=in), for 20 s, as soon as 'cluster is healthy' (waits at most 30 s)");
    assert_string_equal(plan_step_words(p, 1, words, sizeof words), "heals 'cut' (net.drop), 5 s after 'cut'");
    plan_free(p);
}

static void who_can_not_be_hit_is_told_before_the_step(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_SYNC_STANDBY);
    struct world *w = world_new(p);
    world_boot(w);
    world_pass(w, 1 * SEC);
    say(w, "hold");
    assert_true(world_step_until(w, has_begun, MINUTE));
    assert_string_equal(next_text(w), "net.drop on the synchronous standby (there is no sync standby now)");
    world_free(w);
}

static void a_cluster_that_does_not_start_ends_a_held_run_in_time(void **state) {
    (void)state;
    struct plan *p = two_pauses();
    p->timeout = 60 * SEC;
    struct world *w = world_new(p);
    say(w, "hold");
    world_run(w); // nothing comes up
    assert_reason(w, "broken");
    assert_int_equal(w->finished_at, 60 * SEC);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_scenario_starts_nothing_and_goes_on_where_its_delay_stood),
        cmocka_unit_test(next_lets_one_step_start_at_once_and_no_other),
        cmocka_unit_test(next_said_early_waits_for_the_step_before_and_counts_once),
        cmocka_unit_test(next_does_not_make_a_condition_true_and_within_counts_from_it),
        cmocka_unit_test(the_timeout_of_the_scenario_does_not_count_what_was_held),
        cmocka_unit_test(what_has_started_is_watched_while_the_scenario_is_held),
        cmocka_unit_test(a_held_scenario_can_be_interrupted),
        cmocka_unit_test(next_and_go_mean_nothing_to_a_scenario_that_is_not_held),
        cmocka_unit_test(a_hold_before_the_begin_holds_the_first_step),
        cmocka_unit_test(held_it_says_what_it_will_do_to_whom_as_roles_are_now),
        cmocka_unit_test(the_plan_is_told_step_by_step_done_now_next_to_come),
        cmocka_unit_test(parameters_conditions_and_heals_are_part_of_the_words),
        cmocka_unit_test(who_can_not_be_hit_is_told_before_the_step),
        cmocka_unit_test(a_cluster_that_does_not_start_ends_a_held_run_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
