// SPDX-License-Identifier: PostgreSQL
// The engine against the fake world, in fake time: what it makes of the answers to its injections, heals and actions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "tests/engine/world.h"

static void a_duration_heals_by_itself_and_the_run_waits_for_it(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER)->duration = 20 * SEC;
    struct world *w = world_booted(p);
    world_run(w);
    const struct world_fault *f = world_fault(w, "cut");
    assert_reason(w, "completed");
    assert_int_equal(f->heals, 1);
    assert_int_equal(f->heal_asked, f->injected + 20 * SEC);
    assert_int_equal(w->finished_at, f->heal_asked + 400 * MSEC + 3 * SEC); // healed, verified, observed
    world_free(w);
}

static void a_duration_shorter_than_the_verification_ends_with_it(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER)->duration = 1 * SEC;
    struct world *w = world_booted(p);
    w->manners.verify_after = 3 * SEC;
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(world_fault(w, "cut")->heal_asked, world_fault(w, "cut")->injected + 3 * SEC);
    world_free(w);
}

static void a_heal_step_for_something_healed_already_is_done_at_once(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER)->duration = 1 * SEC;
    test_heal(p, "heal", 0)->delay = 10 * SEC;
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(world_when(w, "heal", "done"), world_when(w, "heal", "started"));
    assert_all_healed(w);
    world_free(w);
}

static void a_heal_step_waits_for_the_verification_of_the_heal(void **state) {
    (void)state;
    for (int verified = 0; verified < 2; verified++) {
        struct plan *p = test_plan_new();
        test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
        test_heal(p, "heal", 0);
        struct world *w = world_booted(p);
        w->manners.no_heal_verify = !verified;
        world_run(w);
        assert_reason(w, verified ? "completed" : "unverified"); // healed is assumed no more than injected is
        usec_t end = world_when(w, "heal", verified ? "done" : "failed");
        assert_int_equal(end - world_when(w, "heal", "started"), verified ? 400 * MSEC : 20300 * MSEC);
        world_free(w);
    }
}

static void an_injection_that_fails_while_its_heal_is_asked_is_no_failed_heal(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    struct world *w = world_begun(p);
    w->faults.items[0].manners.mute_heal = true;
    world_abort(w, "interrupted",
                "Ctrl-C"); // the injection is under way: its answer, "verified", comes too late to count
    world_at(w, w->now + 100 * MSEC, ev_fault(0, "cut", "failed", "nothing was done"));
    world_at(w, w->now + 150 * MSEC, ev_fault(0, "cut", "heal_asked", ""));
    world_at(w, w->now + 180 * MSEC, ev_fault(0, "cut", "healed", ""));
    world_at(w, w->now + 190 * MSEC, ev_fault(0, "cut", "heal_verified", ""));
    usec_t asked = w->now;
    world_run(w);
    assert_string_equal(w->finish.detail, "Ctrl-C");
    assert_int_equal(w->finished_at, asked + 190 * MSEC);
    world_free(w);
}

static void healing_everything_takes_all_of_before_and_spares_none(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "one", "net.drop", SELECTOR_LEADER);
    test_inject(p, "two", "net.drop", SELECTOR_REPLICA);
    test_heal(p, "all", -1);
    test_inject(p, "three", "net.drop", SELECTOR_LEADER);
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "completed");
    assert_all_healed(w);
    assert_int_equal(world_fault(w, "one")->heal_asked, world_when(w, "all", "started"));
    assert_true(world_fault(w, "three")->heal_asked > world_when(w, "three", "done") + 2 * SEC);
    world_free(w);
}

static void healing_what_was_not_injected_is_a_failure(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "late", "net.drop", SELECTOR_LEADER)->delay = 30 * SEC;
    test_heal(p, "heal", 0)->after = -1;
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "expectation");
    assert_has(w->finish.detail, "'late' has not been injected");
    assert_int_equal(w->faults.n, 0);
    world_free(w);
}

static void an_unverified_or_failed_fault_makes_the_run_worthless_and_is_healed_for_safety(void **state) {
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        struct plan *p = test_plan_new();
        test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
        test_wait(p, "next", CONDITION_HEALTHY, SEC);
        struct world *w = world_booted(p);
        w->manners.failed = failed;
        w->manners.unverified = !failed;
        world_run(w);
        assert_reason(w, "unverified");
        assert_has(w->finish.detail, failed ? "cut says failed" : "cut says unverified");
        assert_true(world_when(w, "cut", "failed") != USEC_NEVER);
        assert_true(world_when(w, "next", "skipped") != USEC_NEVER);
        assert_all_healed(w);
        world_free(w);
    }
}

static void a_fault_that_ends_by_itself_makes_the_run_worthless(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "slow", "net.delay", SELECTOR_LEADER);
    test_wait(p, "next", CONDITION_LEADER_CHANGED, 20 * SEC);
    struct world *w = world_booted(p);
    world_at(w, 8 * SEC, ev_fault(0, "slow", "failed", "the relay died"));
    world_run(w);
    assert_reason(w, "unverified");
    assert_has(w->finish.detail, "'slow' ended by itself while it was in force: the relay died");
    assert_true(world_when(w, "slow", "done") != USEC_NEVER);
    assert_true(world_when(w, "next", "failed") < 10 * SEC || world_when(w, "next", "skipped") < 10 * SEC);
    assert_all_healed(w);
    world_free(w);
}

static void an_injector_that_never_answers_does_not_hold_the_run(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_free(w);
    p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    w = world_booted(p);
    w->manners.mute_inject = w->manners.mute_heal = true;
    world_run(w);
    assert_reason(w, "unverified");
    assert_has(w->finish.detail, "not verified within 60 s");
    assert_int_equal(w->finished_at, begin + 60 * SEC + 5 * SEC);
    assert_all_healed(w);
    world_free(w);
}

static void a_heal_that_is_never_answered_is_a_broken_lab(void **state) {
    (void)state;
    for (int in_step = 0; in_step < 2; in_step++) {
        struct plan *p = test_plan_new();
        test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
        if (in_step)
            test_heal(p, "heal", 0);
        struct world *w = world_booted(p);
        w->manners.mute_heal = true;
        world_run(w);
        assert_reason(w, "broken");
        assert_has(w->finish.detail, "'cut' could not be healed: no answer to the heal in time");
        assert_null(strstr(strstr(w->finish.detail, "could not") + 1, "could not")); // said once
        assert_int_equal(w->finished_at, world_fault(w, "cut")->heal_asked + 30 * SEC);
        assert_all_healed(w);
        world_free(w);
    }
}

static void a_heal_that_is_not_verified_or_fails_ends_the_run(void **state) {
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        struct plan *p = test_plan_new();
        test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
        test_heal(p, "heal", 0);
        struct world *w = world_booted(p);
        w->manners.heal_failed = failed;
        w->manners.heal_unverified = !failed;
        world_run(w);
        assert_reason(w, failed ? "broken" : "unverified");
        assert_has(world_detail(w, "heal", "failed"), "could not be healed");
        world_free(w);
    }
}

static void a_failure_keeps_its_reason_when_the_heal_fails_too(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    test_wait(p, "failover", CONDITION_LEADER_CHANGED, 7 * SEC);
    struct world *w = world_booted(p);
    w->manners.mute_heal = true;
    world_run(w);
    assert_reason(w, "expectation");
    assert_has(w->finish.detail, "step 'failover'");
    assert_has(w->finish.detail, "'cut' could not be healed");
    world_free(w);
}

static void an_action_ends_its_step_and_its_failure_ends_the_run(void **state) {
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        struct plan *p = test_plan_new();
        test_action(p, "switch", "cluster.switchover");
        test_wait(p, "moved", CONDITION_LEADER_CHANGED, 5 * SEC);
        struct world *w = world_booted(p);
        w->fail_actions = failed;
        world_run(w);
        assert_reason(w, failed ? "expectation" : "completed");
        assert_int_equal(w->actions.n, 1);
        assert_string_equal(w->actions.items[0].id, "switch");
        if (failed)
            assert_has(w->finish.detail, "cluster.switchover failed: Patroni refused");
        else
            assert_string_equal(world_detail(w, "switch", "done"), "done by Patroni");
        world_free(w);
    }
}

static void a_role_nobody_has_fails_the_run_and_says_which(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_SYNC_STANDBY);
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "expectation");
    assert_has(w->finish.detail, "net.drop has no target: there is no sync standby now");
    assert_int_equal(w->faults.n, 0);
    world_free(w);
}

#define T(f) cmocka_unit_test(f)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_duration_heals_by_itself_and_the_run_waits_for_it),
        T(a_duration_shorter_than_the_verification_ends_with_it),
        T(a_heal_step_for_something_healed_already_is_done_at_once),
        T(a_heal_step_waits_for_the_verification_of_the_heal),
        T(an_injection_that_fails_while_its_heal_is_asked_is_no_failed_heal),
        T(healing_everything_takes_all_of_before_and_spares_none),
        T(healing_what_was_not_injected_is_a_failure),
        T(an_unverified_or_failed_fault_makes_the_run_worthless_and_is_healed_for_safety),
        T(a_fault_that_ends_by_itself_makes_the_run_worthless),
        T(an_injector_that_never_answers_does_not_hold_the_run),
        T(a_heal_that_is_never_answered_is_a_broken_lab),
        T(a_heal_that_is_not_verified_or_fails_ends_the_run),
        T(a_failure_keeps_its_reason_when_the_heal_fails_too),
        T(an_action_ends_its_step_and_its_failure_ends_the_run),
        T(a_role_nobody_has_fails_the_run_and_says_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
