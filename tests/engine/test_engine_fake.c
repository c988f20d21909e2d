// SPDX-License-Identifier: PostgreSQL
// A scenario on a stack with neither arbiter nor lease (tests/fake/fake.h): the engine asks for nothing that it does not have.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "lab/engine/condition.h"
#include "tests/engine/world.h"

static struct world *fake_world(struct plan *p) {
    struct world *w = world_new(p);
    w->claimed = true;
    w->ttl = 6 * SEC; // until the managers give a silent leader up
    w->loop_wait = 2 * SEC;
    world_boot(w);
    return w;
}

static void a_leader_crash_runs_from_end_to_end_without_arbiter_and_lease(void **state) {
    (void)state;
    struct plan *p = test_plan_new();
    test_inject(p, "crash", "node.power_off", SELECTOR_LEADER);
    test_wait(p, "new leader", CONDITION_LEADER_CHANGED, 40 * SEC);
    test_wait(p, "writes again", CONDITION_WRITES_FLOW, 10 * SEC)->hold = 1 * SEC;
    test_heal(p, "power on", 0);
    test_wait(p, "all back", CONDITION_COMPLETE, 60 * SEC);
    struct world *w = fake_world(p);
    world_run(w);
    assert_reason(w, "completed");
    assert_string_equal(w->finish.detail, "");
    assert_string_equal(world_detail(w, "crash", "started"), "n1");
    assert_has(world_detail(w, "new leader", "waiting"), "the leader is still n1");
    usec_t crash = world_when(w, "crash", "done"), lead = world_when(w, "new leader", "done");
    assert_in_range(lead - crash, 4 * SEC, 8 * SEC);
    assert_all_healed(w);
    assert_string_equal(engine_model(w->engine)->leader, "n2");
    world_free(w);
}

static void a_cluster_is_complete_when_every_manager_has_answered(void **state) {
    (void)state;
    struct world *w = world_begins(fake_world(test_plan_new()));
    const struct model *m = engine_model(w->engine);
    char why[160];
    assert_true(model_complete(m, why, sizeof why));
    struct event silent = ev_manager(w->now, "n3", "fakeha", "");
    world_feed(w, &silent);
    assert_true(model_healthy(m, why, sizeof why));
    assert_false(model_complete(m, why, sizeof why));
    assert_string_equal(why, "fakeha on n3 does not answer");
    world_free(w);
}

// What the stack does not have never becomes true, and the line that waits says why.
static void conditions_and_targets_say_what_the_stack_does_not_have(void **state) {
    (void)state;
    static const struct {
        enum condition_kind kind;
        bool negated;
        const char *why;
    } cases[] = {
        {CONDITION_KEY, false, "fakeha has no store of keys"},
        {CONDITION_KEY, true, "fakeha has no store of keys"},
        {CONDITION_LEASE_AGE, false, "fakeha has no lease"},
        {CONDITION_LEASE_LEFT, true, "fakeha has no lease"},
        {CONDITION_QUORUM, false, "fakeha has no arbiter whose quorum could be looked at"},
        {CONDITION_QUORUM, true, "fakeha has no arbiter whose quorum could be looked at"},
    };
    struct world *w = world_begins(fake_world(test_plan_new()));
    const struct scope s = {.model = engine_model(w->engine), .plan = w->plan, .old_leader = "", .now = w->now};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct condition c = {0};
        test_atom(&c, cases[i].kind)->negated = cases[i].negated;
        struct judgement j = condition_judge(&s, &c);
        assert_false(j.holds);
        assert_true(j.changes == USEC_NEVER);
        assert_string_equal(j.why, cases[i].why);
        VEC_DONE(&c.atoms);
    }
    static const enum selector_kind arbiters[] = {SELECTOR_ARBITER_LEADER, SELECTOR_ARBITER_FOLLOWER,
                                                  SELECTOR_ARBITER_MAJORITY};
    for (size_t i = 0; i < ARRAY_SIZE(arbiters); i++) {
        struct node_list list = {0};
        struct err err = {0};
        assert_true(target_resolve(&s, &(struct selector){.kind = arbiters[i]}, 1, &list, &err) < 0);
        assert_string_equal(err.msg, "fakeha has no arbiter");
    }
    world_free(w);
}

// A leader that comes back and leads on: nobody can be meant by "leader" until one of them says otherwise.
static void of_two_that_say_they_lead_and_write_nobody_is_the_leader(void **state) {
    (void)state;
    struct world *w = world_begins(fake_world(test_plan_new()));
    const struct model *m = engine_model(w->engine);
    struct event writes = ev_sql_leader(w->now, "n2", 0x5000000), says = ev_manager(w->now, "n2", "fakeha", "leader");
    const struct scope s = {.model = m, .plan = w->plan, .old_leader = "n1", .now = w->now};
    struct node_list list = {0};
    struct err err = {0};
    char why[160];
    world_feed(w, &writes);
    assert_false(model_healthy(m, why, sizeof why));
    assert_string_equal(why, "n2 accepts writes too, beside the leader n1");
    world_feed(w, &says);
    assert_false(model_healthy(m, why, sizeof why));
    assert_string_equal(why, "there is no leader: n1 and n2 say that they lead");
    assert_true(target_resolve(&s, &(struct selector){.kind = SELECTOR_LEADER}, 1, &list, &err) < 0);
    assert_string_equal(err.msg, "there is no leader now: n1 and n2 say that they lead");
    struct event gives_in = ev_manager(w->now, "n1", "fakeha", "replica");
    world_feed(w, &gives_in);
    assert_string_equal(m->leader, "n2");
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leader_crash_runs_from_end_to_end_without_arbiter_and_lease),
        cmocka_unit_test(a_cluster_is_complete_when_every_manager_has_answered),
        cmocka_unit_test(conditions_and_targets_say_what_the_stack_does_not_have),
        cmocka_unit_test(of_two_that_say_they_lead_and_write_nobody_is_the_leader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
