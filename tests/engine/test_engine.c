// SPDX-License-Identifier: PostgreSQL
// The engine against the fake world, in fake time: from end to end, the start of a step, the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "tests/engine/world.h"

static const usec_t BEGIN =
    5800 * MSEC; // the cluster is complete at 3.7 s or a little later, plus settle; asserted below

// ---- from end to end -----------------------------------------------------------------------------------------------
static void a_leader_crash_runs_from_end_to_end(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "crash", "node.power_off", SELECTOR_LEADER);
    struct step *gone = test_wait(p, "key gone", CONDITION_KEY, 40 * SEC);
    STR_COPY(gone->when.atoms.items[0].key, "leader");
    gone->when.atoms.items[0].negated = true;
    test_wait(p, "new leader", CONDITION_LEADER_CHANGED, 40 * SEC);
    test_wait(p, "writes again", CONDITION_WRITES_FLOW, 10 * SEC)->hold = 1 * SEC;
    test_heal(p, "power on", 0);
    test_wait(p, "all back", CONDITION_COMPLETE, 60 * SEC);
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "completed");
    assert_string_equal(w->finish.detail, "");
    assert_string_equal(world_detail(w, "crash", "started"), "n1");
    assert_true(world_when(w, "begin", "started") < BEGIN);
    usec_t crash = world_when(w, "crash", "done"), key = world_when(w, "key gone", "done"),
           lead = world_when(w, "new leader", "done");
    assert_in_range(key - crash, w->ttl - w->loop_wait - SEC, w->ttl);
    assert_int_equal(lead - key, 200 * MSEC);
    assert_in_range(world_when(w, "writes again", "done") - lead, 1500 * MSEC, 1700 * MSEC);
    assert_has(world_detail(w, "new leader", "waiting"), "nobody holds the leader key");
    assert_int_equal(world_fault(w, "crash")->injects, 1);
    assert_all_healed(w);
    assert_string_equal(engine_model(w->engine)->leader, "n2");
    world_free(w);
}

static void a_plan_without_steps_begins_observes_and_ends(void **state) {
    (void)state;
    struct world *w = world_begun(test_plan_new());
    usec_t begin = w->now;
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(w->finished_at - begin, 3 * SEC);
    world_free(w);
}

static void the_scenario_begins_only_after_settling_without_a_break_and_with_writes(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct world *w = world_new(p);
    w->no_ticks = true;
    world_boot(w);
    world_pass(w, 20 * SEC);
    assert_false(world_has_begun(w));
    char line[200];
    assert_has(engine_waiting_for(w->engine, line, sizeof line), "the application has not reported yet");
    w->no_ticks = false;
    world_pass(w, 200 * MSEC);
    assert_true(world_has_begun(w));
    assert_int_equal(w->records.items[0].u.STEP.index, -1);
    world_free(w);

    w = world_booted(test_plan_new());
    struct event cut = ev_row_gone(0, "n1", "n2"), back = ev_row(0, "n1", "n2", "streaming", "async", 0);
    world_at(w, 5 * SEC, cut); // settling since 3.5 s
    world_at(w, 5 * SEC + 500 * MSEC, back);
    assert_true(world_step_until(w, world_has_begun, MINUTE));
    assert_int_equal(w->now, 7 * SEC + 500 * MSEC);
    world_free(w);
}

static void a_cluster_that_never_becomes_complete_is_a_broken_lab(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    p->timeout = 30 * SEC;
    test_inject(p, "crash", "node.power_off", SELECTOR_LEADER);
    struct world *w = world_booted(p);
    world_at(w, 5 * SEC, ev_row_gone(0, "n1", "n3"));
    world_run(w);
    assert_reason(w, "broken");
    assert_has(w->finish.detail, "n3 is not streaming from n1 yet");
    assert_int_equal(w->finished_at, 30 * SEC);
    assert_has(world_detail(w, "crash", "skipped"), "the run ended before");
    assert_int_equal(w->faults.n, 0);
    world_free(w);
}

// ---- start of a step -----------------------------------------------------------------------------------------------
static void a_step_starts_its_delay_after_the_end_of_the_one_before(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER)->delay = 4 * SEC;
    test_inject(p, "again", "net.drop", SELECTOR_REPLICA)->delay = 250 * MSEC;
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_run(w);
    assert_int_equal(world_fault(w, "cut")->injected, begin + 4 * SEC);
    assert_int_equal(world_fault(w, "again")->injected, begin + 4 * SEC + 200 * MSEC + 250 * MSEC);
    assert_string_equal(world_detail(w, "cut", "waiting"), "starts in 4.00 s");
    assert_string_equal(world_detail(w, "again", "started"), "n2,n3");
    world_free(w);
}

static void steps_on_the_same_predecessor_run_side_by_side(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "first", "net.drop", SELECTOR_LEADER)->after = -1;
    test_inject(p, "second", "net.drop", SELECTOR_ANY_REPLICA)->after = -1;
    struct step *third = test_wait(p, "third", CONDITION_WRITES_FLOW, 9 * SEC);
    third->after = -1;
    third->hold = 5 * SEC;
    test_heal(p, "after second", 1)->after = 1;
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(world_fault(w, "first")->injected, begin);
    assert_int_equal(world_fault(w, "second")->injected, begin);
    assert_int_equal(world_when(w, "third", "done"), begin + 5 * SEC);
    assert_true(world_when(w, "after second", "done") < world_when(w, "third", "done"));
    assert_all_healed(w);
    world_free(w);
}

static void a_hold_that_is_broken_starts_again(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct step *s = test_wait(p, "healthy", CONDITION_HEALTHY, 30 * SEC);
    s->hold = 5 * SEC;
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    world_at(w, begin + 3 * SEC, ev_row_gone(0, "n1", "n2"));
    world_at(w, begin + 4 * SEC, ev_row(0, "n1", "n2", "streaming", "async", 0));
    world_run(w);
    assert_int_equal(world_when(w, "healthy", "done"), begin + 9 * SEC);
    world_free(w);
}

static void a_hold_counts_even_when_the_tick_is_late_and_the_condition_breaks_meanwhile(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    p->observe = 0;
    struct step *s = test_wait(p, "healthy", CONDITION_HEALTHY, 30 * SEC);
    s->hold = 5 * SEC;
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    struct event late = ev_row_gone(begin + 5 * SEC + 1, "n1", "n2"); // nobody delivered the tick at begin + 5 s
    w->now = late.t;
    world_feed(w, &late);
    assert_int_equal(world_when(w, "healthy", "done"), late.t); // decided as of 5 s, recorded when it was worked on
    world_free(w);

    struct plan *q = test_plan_new();
    test_wait(q, "healthy", CONDITION_HEALTHY, 30 * SEC)->hold = 5 * SEC;
    w = world_begun(q);
    struct event exact = ev_row_gone(w->now + 5 * SEC, "n1", "n2"); // in the same microsecond the break comes first
    w->now = exact.t;
    world_feed(w, &exact);
    assert_int_equal(world_when(w, "healthy", "done"), USEC_NEVER);
    world_free(w);
}

static void a_wait_that_is_not_met_in_time_fails_the_run_and_says_what_was_seen(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    test_wait(p, "failover", CONDITION_LEADER_CHANGED, 7 * SEC);
    test_wait(p, "never", CONDITION_HEALTHY, 7 * SEC);
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "expectation");
    assert_has(w->finish.detail,
               "step 'failover': waited 7.00 s for 'leader changed': the leader key is still held by n1");
    assert_int_equal(world_when(w, "failover", "failed") - world_when(w, "cut", "done"), 7 * SEC);
    assert_true(world_when(w, "never", "skipped") != USEC_NEVER);
    assert_all_healed(w);
    assert_int_equal(w->finished_at,
                     world_when(w, "failover", "failed") + 400 * MSEC); // no wait for members after a failure
    world_free(w);
}

static void a_hold_that_does_not_fit_into_the_deadline_fails(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct step *s = test_wait(p, "healthy", CONDITION_HEALTHY, 4 * SEC);
    s->hold = 3 * SEC;
    struct world *w = world_begun(p);
    world_at(w, w->now + 1 * SEC, ev_row_gone(0, "n1", "n2"));
    world_at(w, w->now + 2 * SEC, ev_row(0, "n1", "n2", "streaming", "async", 0));
    world_run(w);
    assert_reason(w, "expectation");
    assert_has(w->finish.detail, "to hold for 3.00 s: it has held for 2.00 s only");
    world_free(w);
}

static void stays_holds_to_its_end_or_breaks_the_run(void **state) {
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct plan *p = test_plan_new();
        test_stays(p, "steady", CONDITION_HEALTHY, 10 * SEC);
        struct world *w = world_begun(p);
        usec_t begin = w->now;
        if (broken) {
            world_at(w, begin + 4 * SEC, ev_row_gone(0, "n1", "n2"));
            world_at(w, begin + 4 * SEC, ev_row(0, "n1", "n2", "streaming", "async", 0));
        }
        world_run(w);
        assert_reason(w, broken ? "expectation" : "completed");
        if (broken)
            assert_has(w->finish.detail,
                       "'cluster is healthy' should have stayed for 10.00 s but ended after 4.00 s: n2 is not "
                       "streaming from n1 yet");
        else
            assert_int_equal(world_when(w, "steady", "done"), begin + 10 * SEC);
        world_free(w);
    }
}

static void stays_breaks_by_the_clock_alone_when_the_application_falls_silent(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_stays(p, "flowing", CONDITION_WRITES_FLOW, 10 * SEC);
    struct world *w = world_begun(p);
    world_pass(w, 1 * SEC);
    w->no_ticks = true;
    usec_t last = engine_model(w->engine)->tick_at;
    world_run(w);
    assert_reason(w, "expectation");
    assert_int_equal(world_when(w, "flowing", "failed"), last + 300 * MSEC + 1);
    world_free(w);
}

static void an_injection_can_be_locked_to_the_age_of_the_lease(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct step *s = test_inject(p, "crash", "net.drop", SELECTOR_LEADER);
    struct condition_atom *a = test_atom(&s->when, CONDITION_LEASE_AGE);
    a->above = true;
    a->number = 3 * (int64_t)SEC;
    s->delay = 6 * SEC;
    struct world *w = world_booted(p);
    world_run(w);
    usec_t injected = world_fault(w, "crash")->injected;
    assert_int_equal((injected - 3 * SEC) % (5 * SEC), 0); // renewals are at multiples of 5 s
    world_free(w);
}

// ---- the end -------------------------------------------------------------------------------------------------------
static void the_timeout_ends_everything_and_names_the_step_waited_for(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    p->timeout = 40 * SEC;
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    test_wait(p, "failover", CONDITION_LEADER_CHANGED, 0); // no deadline of its own
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "expectation");
    assert_has(w->finish.detail, "not over within 40.00 s, waiting for 'leader changed'");
    assert_int_equal(world_fault(w, "cut")->heal_asked, 40 * SEC);
    assert_all_healed(w);
    world_free(w);
}

static void faults_left_at_the_end_are_healed_newest_first_and_members_are_awaited(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    test_inject(p, "crash", "node.power_off", SELECTOR_ANY_REPLICA);
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "completed");
    assert_string_equal(w->finish.detail, "");
    assert_all_healed(w);
    const struct world_fault *crash = world_fault(w, "crash");
    assert_int_equal(crash->heal_asked, world_when(w, "crash", "done") + 3 * SEC); // observe
    // power at +300 ms, joins 2 s later, streams 1 s after that, seen to last 1 s
    assert_int_equal(w->finished_at, crash->heal_asked + (300 + 2000 + 1000 + 1000) * MSEC);
    world_free(w);
}

static void members_that_do_not_come_back_are_named_but_the_run_is_completed(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    struct world *w = world_begun(p);
    world_at(w, w->now + 1 * SEC, ev_row_gone(0, "n1", "n3"));
    world_run(w);
    assert_reason(w, "completed");
    assert_has(w->finish.detail, "not every member came back within 120 s: n3 is not streaming from n1 yet");
    world_free(w);
}

static bool heals_asked(const struct world *w) {
    return w->faults.n && w->faults.items[0].heals;
}
static bool injected(const struct world *w) {
    return w->faults.n > 0;
}
static bool booting(const struct world *w) {
    return w->now >= SEC;
}
static bool verified(const struct world *w) {
    return world_when(w, "crash", "done") != USEC_NEVER;
}
static bool rejoining(const struct world *w) {
    char line[200];
    return strstr(engine_waiting_for(w->engine, line, sizeof line), "every member") != NULL;
}
static bool observing(const struct world *w) {
    char line[200];
    return str_starts(engine_waiting_for(w->engine, line, sizeof line), "observing");
}

static void an_abort_heals_and_finishes_from_every_state(void **state) {
    (void)state;
    bool (*const states[])(const struct world *) = {booting,   world_has_begun, injected, verified,
                                                    observing, heals_asked,     rejoining};
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        for (int mute = 0; mute < 2; mute++) {
            struct plan *p = test_plan_new();
            test_inject(p, "crash", "node.power_off", SELECTOR_LEADER)->delay = SEC;
            struct world *w = world_booted(p);
            w->manners.mute_heal = mute && states[i] != rejoining;
            assert_true(world_step_until(w, states[i], 5 * MINUTE));
            usec_t asked = w->now;
            world_abort(w, "interrupted", "Ctrl-C");
            world_abort(w, "interrupted", "Ctrl-C again");
            world_run(w);
            assert_reason(w, "interrupted");
            assert_has(w->finish.detail, "Ctrl-C");
            assert_null(strstr(w->finish.detail, "again"));
            assert_true(w->finished_at <= asked + 15 * SEC);
            assert_all_healed(w);
            if (!w->faults.n)
                assert_int_equal(w->finished_at, asked);
            world_abort(w, "interrupted", "too late"); // nothing after the finish: the world would fail the test
            world_free(w);
        }
}

static void an_abort_during_the_healing_after_a_failure_keeps_the_failure(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER);
    test_wait(p, "failover", CONDITION_LEADER_CHANGED, 7 * SEC);
    struct world *w = world_booted(p);
    w->manners.mute_heal = true;
    assert_true(world_step_until(w, heals_asked, MINUTE));
    usec_t asked = w->now;
    world_pass(w, 1 * SEC);
    world_abort(w, "interrupted", "Ctrl-C");
    world_run(w);
    assert_reason(w, "expectation");
    assert_int_equal(w->finished_at, asked + 16 * SEC);
    world_free(w);
}

static void what_was_injected_by_hand_is_healed_too(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    struct step *s = test_wait(p, "a while", CONDITION_HEALTHY, MINUTE);
    s->hold = 10 * SEC;
    struct world *w = world_begun(p);
    world_at(w, w->now + SEC, ev_fault(0, "hand-1", "asked", ""));
    world_at(w, w->now + SEC, ev_fault(0, "hand-1", "verified", ""));
    world_at(w, w->now + SEC, ev_fault(0, "hand-2", "asked", ""));
    world_at(w, w->now + 2 * SEC, ev_fault(0, "hand-2", "heal_asked", ""));
    world_at(w, w->now + 3 * SEC, ev_fault(0, "hand-2", "heal_verified", ""));
    world_run(w);
    assert_reason(w, "completed");
    assert_int_equal(world_fault(w, "hand-1")->heals, 1);
    assert_null(world_fault(w, "hand-2")); // was healed by hand
    world_free(w);
}

static void a_fault_by_hand_under_a_step_s_name_is_not_taken_for_it(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "cut", "net.drop", SELECTOR_LEADER)->delay = 5 * SEC;
    struct world *w = world_begun(p);
    world_at(w, w->now + SEC, ev_fault(0, "cut", "asked", ""));
    world_run(w);
    assert_reason(w, "completed");
    assert_all_healed(w); // once
    world_free(w);
}

static void after_the_finish_the_model_still_follows(void **state) {
    (void)state;
    struct world *w = world_booted(test_plan_new());
    world_run(w);
    struct event ev = ev_power(w->now + SEC, "n3", false);
    w->now = ev.t;
    world_feed(w, &ev);
    assert_false(engine_model(w->engine)->nodes[3].on);
    assert_int_equal(engine_deadline(w->engine), USEC_NEVER);
    world_free(w);
}

static void a_baseline_is_the_leader_at_the_first_injection(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_action(p, "switch", "cluster.switchover");
    test_wait(p, "moved", CONDITION_LEADER_CHANGED, 5 * SEC); // against the scenario's begin
    test_wait(p, "well", CONDITION_COMPLETE, 20 * SEC);
    test_inject(p, "crash", "node.power_off", SELECTOR_LEADER); // n2 now
    struct step *is = test_wait(p, "old one is n2", CONDITION_ROLE_IS, 5 * SEC);
    is->when.atoms.items[0].who.kind = SELECTOR_OLD_LEADER;
    is->when.atoms.items[0].role = CONDITION_ROLE_DOWN;
    test_wait(p, "failover", CONDITION_LEADER_CHANGED, 40 * SEC); // against n2
    test_inject(p, "again", "net.drop", SELECTOR_OLD_LEADER);
    struct world *w = world_booted(p);
    world_run(w);
    assert_reason(w, "completed");
    assert_string_equal(world_detail(w, "crash", "started"), "n2");
    assert_string_equal(world_detail(w, "again", "started"), "n2");
    assert_true(world_when(w, "failover", "done") > world_when(w, "crash", "done") + 10 * SEC);
    world_free(w);
}

static void the_deadline_asks_for_no_tick_that_is_not_needed(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_wait(p, "changed", CONDITION_LEADER_CHANGED, 17 * SEC);
    struct world *w = world_begun(p);
    usec_t begin = w->now;
    assert_int_equal(engine_deadline(w->engine), begin + 17 * SEC);
    world_pass(w, 3 * SEC);
    assert_int_equal(engine_deadline(w->engine), begin + 17 * SEC);
    world_free(w);
    struct engine *e = engine_new(p = test_plan_new());
    assert_int_equal(engine_deadline(e), USEC_NEVER); // no event yet, no clock
    char line[200];
    assert_has(engine_waiting_for(e, line, sizeof line), "nothing was seen yet");
    engine_free(e);
    engine_free(NULL);
    test_plan_free(p);
}

#define T(f) cmocka_unit_test(f)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_leader_crash_runs_from_end_to_end),
        T(a_plan_without_steps_begins_observes_and_ends),
        T(the_scenario_begins_only_after_settling_without_a_break_and_with_writes),
        T(a_cluster_that_never_becomes_complete_is_a_broken_lab),
        T(a_step_starts_its_delay_after_the_end_of_the_one_before),
        T(steps_on_the_same_predecessor_run_side_by_side),
        T(a_hold_that_is_broken_starts_again),
        T(a_hold_counts_even_when_the_tick_is_late_and_the_condition_breaks_meanwhile),
        T(a_wait_that_is_not_met_in_time_fails_the_run_and_says_what_was_seen),
        T(a_hold_that_does_not_fit_into_the_deadline_fails),
        T(stays_holds_to_its_end_or_breaks_the_run),
        T(stays_breaks_by_the_clock_alone_when_the_application_falls_silent),
        T(an_injection_can_be_locked_to_the_age_of_the_lease),
        T(the_timeout_ends_everything_and_names_the_step_waited_for),
        T(faults_left_at_the_end_are_healed_newest_first_and_members_are_awaited),
        T(members_that_do_not_come_back_are_named_but_the_run_is_completed),
        T(an_abort_heals_and_finishes_from_every_state),
        T(an_abort_during_the_healing_after_a_failure_keeps_the_failure),
        T(what_was_injected_by_hand_is_healed_too),
        T(a_fault_by_hand_under_a_step_s_name_is_not_taken_for_it),
        T(after_the_finish_the_model_still_follows),
        T(a_baseline_is_the_leader_at_the_first_injection),
        T(the_deadline_asks_for_no_tick_that_is_not_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
