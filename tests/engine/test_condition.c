// SPDX-License-Identifier: PostgreSQL
// Every kind of condition: true, false, unknown, negated, and when the clock alone would turn it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "lab/engine/condition.h"
#include "tests/engine/events.h"
#include "tests/engine/plans.h"

struct bench {
    struct model *m;
    struct plan *p;
    const char *old_leader;
    usec_t now;
};

static void feed(void *arg, const struct event *ev) {
    model_apply(arg, ev);
}
static void put(struct bench *b, struct event ev) {
    model_apply(b->m, &ev);
}

static int setup(void **state) {
    struct bench *b = *state = xcalloc(1, sizeof *b);
    b->m = model_new();
    b->p = test_plan_new();
    b->old_leader = "n1";
    b->now = 10 * SEC;
    feed_complete_cluster(1 * SEC, feed, b->m);
    return 0;
}
static int teardown(void **state) {
    struct bench *b = *state;
    model_free(b->m);
    test_plan_free(b->p);
    free(b);
    return 0;
}

static struct judgement judge(const struct bench *b, struct condition_atom atom) {
    struct scope scope = {.model = b->m, .plan = b->p, .old_leader = b->old_leader, .now = b->now};
    struct condition c = {.atoms = {.items = &atom, .n = 1}};
    return condition_judge(&scope, &c);
}

// The atom holds and its negation does not, or the other way round, or (unknown) neither.
enum is { NO, YES, UNKNOWN };
static void check(const struct bench *b, struct condition_atom atom, enum is is, int line) {
    struct judgement j = judge(b, atom);
    atom.negated = true;
    struct judgement n = judge(b, atom);
    if (j.holds != (is == YES) || n.holds != (is == NO))
        fail_msg("line %d: holds %d, negated %d: '%s' '%s'", line, j.holds, n.holds, j.why, n.why);
    assert_true(j.holds == (j.why[0] == '\0')); // whatever does not hold says why
    assert_true(n.holds == (n.why[0] == '\0'));
}
#define CHECK(b, is, ...) check((b), (struct condition_atom){__VA_ARGS__}, (is), __LINE__)

static struct bench empty_bench(struct plan *p) {
    return (struct bench){.m = model_new(), .p = p, .old_leader = "", .now = SEC};
}

static void healthy_and_complete_follow_the_model(void **state) {
    struct bench *b = *state;
    CHECK(b, YES, .kind = CONDITION_HEALTHY);
    CHECK(b, YES, .kind = CONDITION_COMPLETE);
    put(b, ev_power(2 * SEC, "n3", false));
    CHECK(b, YES, .kind = CONDITION_HEALTHY);
    CHECK(b, NO, .kind = CONDITION_COMPLETE);
    put(b, ev_row_gone(2 * SEC, "n1", "n2"));
    CHECK(b, NO, .kind = CONDITION_HEALTHY);
}

static void a_leader_exists_when_the_key_s_holder_writes(void **state) {
    struct bench *b = *state;
    CHECK(b, YES, .kind = CONDITION_LEADER_EXISTS);
    put(b, ev_sql_standby(2 * SEC, "n1", 1));
    CHECK(b, NO, .kind = CONDITION_LEADER_EXISTS);
    put(b, ev_key_gone(2 * SEC, "leader"));
    CHECK(b, NO, .kind = CONDITION_LEADER_EXISTS);
}

static void leader_changed_compares_with_the_baseline_and_not_with_nobody(void **state) {
    struct bench *b = *state;
    CHECK(b, NO, .kind = CONDITION_LEADER_CHANGED);
    put(b, ev_key_gone(2 * SEC, "leader"));
    CHECK(b, NO, .kind = CONDITION_LEADER_CHANGED);
    put(b, ev_key(3 * SEC, "leader", "n3"));
    CHECK(b, YES, .kind = CONDITION_LEADER_CHANGED);
    b->old_leader = "";
    CHECK(b, UNKNOWN, .kind = CONDITION_LEADER_CHANGED);
}

static void leader_is_takes_names_and_roles(void **state) {
    struct bench *b = *state;
    CHECK(b, YES, .kind = CONDITION_LEADER_IS, .who = {SELECTOR_NODE, "n1"});
    CHECK(b, NO, .kind = CONDITION_LEADER_IS, .who = {SELECTOR_NODE, "n2"});
    CHECK(b, YES, .kind = CONDITION_LEADER_IS, .who = {.kind = SELECTOR_OLD_LEADER});
    CHECK(b, YES, .kind = CONDITION_LEADER_IS, .who = {.kind = SELECTOR_ARBITER_LEADER});
    put(b, ev_key(3 * SEC, "leader", "n2"));
    CHECK(b, NO, .kind = CONDITION_LEADER_IS, .who = {.kind = SELECTOR_OLD_LEADER});
    put(b, ev_key_gone(3 * SEC, "leader"));
    CHECK(b, NO, .kind = CONDITION_LEADER_IS, .who = {SELECTOR_NODE, "n2"});
}

#define ROLE_OF(name, r) .kind = CONDITION_ROLE_IS, .who = {SELECTOR_NODE, name}, .role = CONDITION_ROLE_##r

static void every_role_is_true_of_the_one_and_false_of_the_other(void **state) {
    struct bench *b = *state;
    put(b, ev_key(2 * SEC, "sync", "{\"leader\":\"n1\",\"sync_standby\":\"n2\"}"));
    CHECK(b, YES, ROLE_OF("n1", LEADER));
    CHECK(b, NO, ROLE_OF("n2", LEADER));
    CHECK(b, YES, ROLE_OF("n2", REPLICA));
    CHECK(b, NO, ROLE_OF("n1", REPLICA));
    CHECK(b, YES, ROLE_OF("n2", SYNC_STANDBY));
    CHECK(b, NO, ROLE_OF("n3", SYNC_STANDBY));
    CHECK(b, YES, ROLE_OF("n2", STREAMING));
    CHECK(b, NO, ROLE_OF("n1", STREAMING));
    CHECK(b, YES, ROLE_OF("n1", WRITABLE));
    CHECK(b, NO, ROLE_OF("n2", WRITABLE));
    CHECK(b, YES, ROLE_OF("n3", UP));
    CHECK(b, NO, ROLE_OF("n3", DOWN));
    put(b, ev_sql_silent(3 * SEC, "n3", "refused")); // powered, but its PostgreSQL is not there
    CHECK(b, NO, ROLE_OF("n3", UP));
    CHECK(b, YES, ROLE_OF("n3", DOWN));
    CHECK(b, NO, ROLE_OF("n3", REPLICA));
    put(b, ev_power(3 * SEC, "n3", false));
    CHECK(b, YES, ROLE_OF("n3", DOWN));
    CHECK(b, NO, ROLE_OF("n3", WRITABLE));
    CHECK(b, YES, ROLE_OF("app", UP));
    CHECK(b, NO, ROLE_OF("n9", UP)); // no such node
}

static void a_class_of_members_must_all_comply_or_one_of_them(void **state) {
    struct bench *b = *state;
    struct condition_atom every = {
        .kind = CONDITION_ROLE_IS, .who = {.kind = SELECTOR_REPLICA}, .role = CONDITION_ROLE_STREAMING};
    struct condition_atom any = every;
    any.who.kind = SELECTOR_ANY_REPLICA;
    check(b, every, YES, __LINE__);
    put(b, ev_row_gone(2 * SEC, "n1", "n3"));
    check(b, every, NO, __LINE__);
    assert_string_equal(judge(b, every).why, "n3 is not streaming");
    check(b, any, YES, __LINE__);
    put(b, ev_power(2 * SEC, "n3", false)); // who is powered off is no replica that could stream
    check(b, every, YES, __LINE__);
    every.role = any.role = CONDITION_ROLE_UP; // but it is one that could be up
    check(b, every, NO, __LINE__);
    check(b, any, YES, __LINE__);
    put(b, ev_power(2 * SEC, "n2", false));
    check(b, any, NO, __LINE__);
    every.role = CONDITION_ROLE_STREAMING;
    check(b, every, NO, __LINE__); // nobody left: not vacuously true
}

static void a_majority_of_etcd_members_is_down_when_two_of_three_are(void **state) {
    struct bench *b = *state;
    put(b, ev_power(2 * SEC, "n1", false));
    CHECK(b, NO, .kind = CONDITION_ROLE_IS, .who = {.kind = SELECTOR_ARBITER_MAJORITY}, .role = CONDITION_ROLE_DOWN);
    put(b, ev_power(2 * SEC, "n3", false));
    CHECK(b, YES, .kind = CONDITION_ROLE_IS, .who = {.kind = SELECTOR_ARBITER_MAJORITY}, .role = CONDITION_ROLE_DOWN);
}

static void lag_is_above_or_below_and_unknown_before_it_was_seen(void **state) {
    struct bench *b = *state;
    put(b, ev_row(2 * SEC, "n1", "n2", "streaming", "async", 5000));
    CHECK(b, YES, .kind = CONDITION_LAG, .who = {SELECTOR_NODE, "n2"}, .above = true, .number = 4999);
    CHECK(b, NO, .kind = CONDITION_LAG, .who = {SELECTOR_NODE, "n2"}, .above = true, .number = 5000);
    CHECK(b, YES, .kind = CONDITION_LAG, .who = {SELECTOR_NODE, "n2"}, .number = 5001);
    CHECK(b, NO, .kind = CONDITION_LAG, .who = {SELECTOR_NODE, "n2"}, .number = 5000);
    CHECK(b, UNKNOWN, .kind = CONDITION_LAG, .who = {SELECTOR_NODE, "n1"}, .number = 5000);
    CHECK(b, NO, .kind = CONDITION_LAG, .who = {.kind = SELECTOR_REPLICA}, .above = true, .number = 1); // n3 has none
    CHECK(b, YES, .kind = CONDITION_LAG, .who = {.kind = SELECTOR_ANY_REPLICA}, .above = true, .number = 1);
    assert_string_equal(
        judge(b, (struct condition_atom){.kind = CONDITION_LAG, .who = {SELECTOR_NODE, "n2"}, .number = 5}).why,
        "the lag of n2 is 5000 bytes");
}

static void a_slot_of_the_leader_holds_back_what_it_was_last_seen_to(void **state) {
    struct bench *b = *state;
    CHECK(b, NO, .kind = CONDITION_SLOT, .key = "n2", .above = true, .number = 1);
    put(b, ev_slot(2 * SEC, "n1", "n2", 5000));
    put(b, ev_slot(2 * SEC, "n2", "n2", 9000)); // of a node that led once
    CHECK(b, YES, .kind = CONDITION_SLOT, .key = "n2", .above = true, .number = 4999);
    CHECK(b, NO, .kind = CONDITION_SLOT, .key = "n2", .above = true, .number = 5000);
    CHECK(b, YES, .kind = CONDITION_SLOT, .key = "n2", .number = 5001);
    struct event gone = ev_slot(3 * SEC, "n1", "n2", 0);
    gone.u.SLOT.gone = true;
    put(b, gone);
    CHECK(b, NO, .kind = CONDITION_SLOT, .key = "n2", .number = 5001);
    put(b, ev_key_gone(4 * SEC, "leader"));
    CHECK(b, UNKNOWN, .kind = CONDITION_SLOT, .key = "n2", .number = 5001);
}

static void a_key_is_gone_or_present_once_the_dcs_was_read(void **state) {
    struct bench *b = *state;
    CHECK(b, YES, .kind = CONDITION_KEY, .key = "leader");
    CHECK(b, NO, .kind = CONDITION_KEY, .key = "failover");
    put(b, ev_key_gone(2 * SEC, "leader"));
    CHECK(b, NO, .kind = CONDITION_KEY, .key = "leader");
    struct bench e = empty_bench(b->p);
    CHECK(&e, UNKNOWN, .kind = CONDITION_KEY, .key = "leader");
    model_free(e.m);
}

static void the_lease_turns_at_its_exact_microsecond(void **state) {
    struct bench *b = *state;
    const int64_t three = 3 * (int64_t)SEC;
    CHECK(b, UNKNOWN, .kind = CONDITION_LEASE_AGE, .above = true, .number = three);
    CHECK(b, UNKNOWN, .kind = CONDITION_LEASE_LEFT, .above = true, .number = three);
    put(b, ev_lease(8 * SEC, 8 * SEC, 30));
    struct condition_atom age = {.kind = CONDITION_LEASE_AGE, .above = true, .number = three};
    struct condition_atom left = {.kind = CONDITION_LEASE_LEFT, .number = three};
    for (int k = 0; k < 2; k++) {
        struct condition_atom a = k ? left : age;
        usec_t turn = k ? (8 + 30 - 3) * SEC : (8 + 3) * SEC;
        b->now = turn - 1;
        check(b, a, NO, __LINE__);
        assert_int_equal(judge(b, a).changes, turn);
        b->now = turn;
        check(b, a, YES, __LINE__);
        assert_int_equal(judge(b, a).changes, USEC_NEVER);
        a.above = !a.above;
        check(b, a, NO, __LINE__);
        b->now = turn - 1;
        check(b, a, YES, __LINE__);
        assert_int_equal(judge(b, a).changes, turn);
    }
    b->now = 100 * SEC; // long expired
    check(b, left, YES, __LINE__);
}

static void quorum_follows_the_model(void **state) {
    struct bench *b = *state;
    CHECK(b, YES, .kind = CONDITION_QUORUM);
    put(b, ev_etcd_silent(2 * SEC, "n2"));
    CHECK(b, YES, .kind = CONDITION_QUORUM);
    put(b, ev_etcd_silent(2 * SEC, "n3"));
    CHECK(b, NO, .kind = CONDITION_QUORUM);
}

static void writes_flow_while_the_last_tick_is_young_and_clean(void **state) {
    struct bench *b = *state;
    const struct condition_atom writes = {.kind = CONDITION_WRITES_FLOW};
    check(b, writes, NO, __LINE__);
    put(b, ev_tick(10 * SEC, 10, 0, 3, 0));
    b->now = 10 * SEC + 100 * MSEC;
    check(b, writes, YES, __LINE__);
    assert_int_equal(judge(b, writes).changes, 10 * SEC + 400 * MSEC + 1);
    b->now = 10 * SEC + 400 * MSEC;
    check(b, writes, YES, __LINE__);
    b->now++;
    check(b, writes, NO, __LINE__);
    assert_int_equal(judge(b, writes).changes, USEC_NEVER);
    put(b, ev_tick(11 * SEC, 9, 1, 3, 0));
    b->now = 11 * SEC + 100 * MSEC;
    check(b, writes, NO, __LINE__);
    assert_string_equal(judge(b, writes).why, "1 writes failed in the last 100 ms");
    put(b, ev_tick(12 * SEC, 0, 0, 3, 0));
    b->now = 12 * SEC + 100 * MSEC;
    check(b, writes, NO, __LINE__);
    struct event unknown = ev_tick(13 * SEC, 5, 0, 0, 0);
    unknown.u.CLIENT_TICK.w_unknown = 1;
    put(b, unknown);
    b->now = 13 * SEC + 100 * MSEC;
    check(b, writes, NO, __LINE__);
}

static void a_slow_workload_flows_between_its_writes(void **state) {
    struct bench *b = *state;
    const struct condition_atom writes = {.kind = CONDITION_WRITES_FLOW};
    b->p->workload.writes_per_s = 2;
    put(b, ev_tick(10 * SEC, 1, 0, 0, 0)); // acknowledged at 10.09 s
    put(b, ev_tick(11 * SEC, 0, 0, 3, 0)); // reads only
    b->now = 11 * SEC + 100 * MSEC;
    check(b, writes, YES, __LINE__);
    assert_int_equal(judge(b, writes).changes, 10 * SEC + 90 * MSEC + 1500 * MSEC + 1);
    b->now = 10 * SEC + 90 * MSEC + 1500 * MSEC;
    check(b, writes, YES, __LINE__);
    b->now++;
    check(b, writes, NO, __LINE__);
}

static void reads_flow_on_their_own(void **state) {
    struct bench *b = *state;
    const struct condition_atom reads = {.kind = CONDITION_READS_FLOW};
    check(b, reads, NO, __LINE__);
    put(b, ev_tick(10 * SEC, 0, 10, 3, 0));
    b->now = 10 * SEC + 100 * MSEC;
    check(b, reads, YES, __LINE__);
    put(b, ev_tick(10 * SEC + 100 * MSEC, 0, 10, 3, 1));
    check(b, reads, NO, __LINE__);
}

static void nothing_holds_before_anything_was_seen(void **state) {
    struct bench *b = *state;
    struct bench e = empty_bench(b->p);
    CHECK(&e, UNKNOWN, .kind = CONDITION_LEADER_EXISTS);
    CHECK(&e, UNKNOWN, .kind = CONDITION_LEADER_CHANGED);
    CHECK(&e, UNKNOWN, .kind = CONDITION_LEADER_IS, .who = {SELECTOR_NODE, "n1"});
    put(&e, ev_node("n1", true, true, false));
    CHECK(&e, UNKNOWN, ROLE_OF("n1", UP));
    CHECK(&e, UNKNOWN, ROLE_OF("n1", DOWN));
    CHECK(&e, UNKNOWN, ROLE_OF("n1", WRITABLE));
    CHECK(&e, UNKNOWN, ROLE_OF("n1", LEADER));
    model_free(e.m);
}

static void all_atoms_must_hold_and_the_first_that_does_not_gives_the_reason(void **state) {
    struct bench *b = *state;
    put(b, ev_lease(8 * SEC, 8 * SEC, 30));
    put(b, ev_tick(10 * SEC, 10, 0, 3, 0));
    b->now = 10 * SEC + 100 * MSEC;
    struct condition_atom atoms[] = {{.kind = CONDITION_HEALTHY},
                                     {.kind = CONDITION_WRITES_FLOW},
                                     {.kind = CONDITION_LEASE_AGE, .number = 9 * (int64_t)SEC}};
    struct condition c = {.atoms = {.items = atoms, .n = 3}};
    struct scope scope = {.model = b->m, .plan = b->p, .old_leader = "n1", .now = b->now};
    struct judgement j = condition_judge(&scope, &c);
    assert_true(j.holds);
    assert_int_equal(j.changes, 10 * SEC + 400 * MSEC + 1); // the writes would end it first
    atoms[2].number = 1 * (int64_t)SEC;
    atoms[0].negated = true;
    j = condition_judge(&scope, &c);
    assert_false(j.holds);
    assert_string_equal(j.why, "'cluster is healthy' still holds");
    assert_int_equal(j.changes, USEC_NEVER); // no clock makes a cluster unhealthy
    struct condition none = {0};
    j = condition_judge(&scope, &none);
    assert_true(j.holds);
    assert_int_equal(j.changes, USEC_NEVER);
}

static void conditions_made_by_hand_get_words(void **state) {
    (void)state;
    struct condition_atom atoms[] = {
        {.kind = CONDITION_HEALTHY, .negated = true},
        {.kind = CONDITION_KEY, .key = "leader", .negated = true},
        {.kind = CONDITION_ROLE_IS, .who = {SELECTOR_NODE, "n2"}, .role = CONDITION_ROLE_STREAMING},
        {.kind = CONDITION_LAG, .who = {.kind = SELECTOR_ANY_REPLICA}, .above = true, .number = 4096},
        {.kind = CONDITION_LEADER_IS, .who = {.kind = SELECTOR_OLD_LEADER}},
        {.kind = CONDITION_LEASE_LEFT, .number = 2500000},
        {.kind = CONDITION_SLOT, .key = "n2", .above = true, .number = 4096},
    };
    struct condition c = {.atoms = {.items = atoms, .n = ARRAY_SIZE(atoms)}};
    char buf[300], tiny[8];
    assert_string_equal(
        condition_words(&c, buf, sizeof buf),
        "not cluster is healthy and key leader gone and n2 is streaming and lag of any_replica above 4096 bytes and "
        "leader is old_leader and lease left below 2.5 s and slot n2 holds above 4096 bytes");
    assert_string_equal(condition_words(&c, tiny, sizeof tiny), "not clu");
    c.text = (char[]){"as written"};
    assert_string_equal(condition_words(&c, buf, sizeof buf), "as written");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static void the_words_of_every_kind_have_a_value_in_each_place(void **state) {
    (void)state;
    for (int i = 0; i < CONDITION_COUNT; i++) {
        struct condition_atom a = {.kind = (enum condition_kind)i, .who = {SELECTOR_NODE, "n2"}, .key = "key"};
        struct condition c = {.atoms = {.items = &a, .n = 1}};
        char words[160];
        if (strpbrk(condition_words(&c, words, sizeof words), "ABCDEFGHIJKLMNOPQRSTUVWXYZ|"))
            fail_msg("'%s' has a place that no row of CONDITION_PARTS fills: '%s'", condition_kind_text(a.kind), words);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(healthy_and_complete_follow_the_model),
        T(a_leader_exists_when_the_key_s_holder_writes),
        T(leader_changed_compares_with_the_baseline_and_not_with_nobody),
        T(the_words_of_every_kind_have_a_value_in_each_place),
        T(leader_is_takes_names_and_roles),
        T(every_role_is_true_of_the_one_and_false_of_the_other),
        T(a_class_of_members_must_all_comply_or_one_of_them),
        T(a_majority_of_etcd_members_is_down_when_two_of_three_are),
        T(lag_is_above_or_below_and_unknown_before_it_was_seen),
        T(a_slot_of_the_leader_holds_back_what_it_was_last_seen_to),
        T(a_key_is_gone_or_present_once_the_dcs_was_read),
        T(the_lease_turns_at_its_exact_microsecond),
        T(quorum_follows_the_model),
        T(writes_flow_while_the_last_tick_is_young_and_clean),
        T(a_slow_workload_flows_between_its_writes),
        T(reads_flow_on_their_own),
        T(nothing_holds_before_anything_was_seen),
        T(all_atoms_must_hold_and_the_first_that_does_not_gives_the_reason),
        T(conditions_made_by_hand_get_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
