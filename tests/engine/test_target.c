// SPDX-License-Identifier: PostgreSQL
// Which nodes a selector means, and that the seed alone decides where there is a choice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "lab/engine/target.h"
#include "tests/engine/events.h"
#include "tests/engine/plans.h"

static void feed(void *arg, const struct event *ev) {
    model_apply(arg, ev);
}
static void put(struct model *m, struct event ev) {
    model_apply(m, &ev);
}
static int setup(void **state) {
    struct model *m = *state = model_new();
    feed_complete_cluster(1 * SEC, feed, m);
    return 0;
}
static int teardown(void **state) {
    model_free(*state);
    return 0;
}

static int resolve_seeded(const struct model *m, uint64_t seed, uint64_t stream, enum selector_kind kind,
                          const char *node, struct node_list *list, struct err *err) {
    struct plan *p = test_plan_new();
    p->seed = seed;
    struct scope scope = {.model = m, .plan = p, .old_leader = "n2", .now = SEC};
    struct selector sel = {.kind = kind};
    STR_COPY(sel.node, node);
    int r = target_resolve(&scope, &sel, stream, list, err);
    test_plan_free(p);
    return r;
}

// The nodes as "n1,n2", or the error's text.
static const char *resolved(const struct model *m, enum selector_kind kind, const char *node) {
    static char text[300];
    struct node_list list = {0};
    struct err err = {0};
    if (resolve_seeded(m, 1, 0, kind, node, &list, &err) < 0) {
        assert_int_equal(err.code, ENOENT);
        (void)snprintf(text, sizeof text, "%s", err.msg);
        return text;
    }
    text[0] = '\0';
    for (size_t i = 0; i < list.n; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "," : "", list.names[i]);
    return text;
}
#define IS(kind, words) assert_string_equal(resolved(m, SELECTOR_##kind, ""), (words))

static void every_selector_without_a_choice_means_its_nodes(void **state) {
    struct model *m = *state;
    struct event proxy = ev_node("px", false, false, false);
    STR_COPY(proxy.u.NODE_INFO.services, "haproxy");
    put(m, proxy);
    put(m, ev_key(2 * SEC, "sync", "{\"leader\":\"n1\",\"sync_standby\":\"n3\"}"));
    assert_string_equal(resolved(m, SELECTOR_NODE, "n3"), "n3");
    IS(LEADER, "n1");
    IS(REPLICA, "n2,n3");
    IS(SYNC_STANDBY, "n3");
    IS(ASYNC_STANDBY, "n2");
    IS(ARBITER_LEADER, "n1");
    IS(OLD_LEADER, "n2");
    IS(APP, "app");
    IS(PROXY, "px");
    IS(ALL, "n1,n2,n3,px");
}

static void what_nobody_is_now_is_said_in_words(void **state) {
    struct model *m = *state;
    assert_string_equal(resolved(m, SELECTOR_NODE, "n9"), "there is no node 'n9'");
    IS(SYNC_STANDBY, "there is no sync standby now");
    IS(PROXY, "there is no proxy in this lab");
}

static void a_leader_is_gone_with_its_key_only(void **state) {
    struct model *m = *state;
    put(m, ev_power(2 * SEC, "n1", false));
    IS(LEADER, "n1"); // it holds the key until the lease ends
    IS(ARBITER_LEADER, "there is no etcd leader now");
    put(m, ev_key_gone(2 * SEC, "leader"));
    IS(LEADER, "there is no leader now: nobody holds the leader key");
    put(m, ev_power(2 * SEC, "n2", false));
    put(m, ev_power(2 * SEC, "n3", false));
    IS(REPLICA, "there is no replica now");
    IS(ANY_REPLICA, "there is no replica now");
    IS(NOT_LEADER, "there is no member that does not lead now");
    IS(ASYNC_STANDBY, "there is no asynchronous standby now");
    IS(ARBITER_FOLLOWER, "there is no etcd follower now");
    IS(ARBITER_MAJORITY, "there is no majority of etcd members to take: 0 of them are powered, 2 make a majority");
    struct model *empty = model_new();
    assert_string_equal(resolved(empty, SELECTOR_LEADER, ""), "the leader is not known yet");
    assert_string_equal(resolved(empty, SELECTOR_ALL, ""), "there is no node of the cluster now");
    model_free(empty);
}

static void the_etcd_leader_of_the_highest_term_is_the_right_one(void **state) {
    struct model *m = *state;
    put(m, ev_etcd(2 * SEC, "n3", "a3", "a3", 7)); // n1, cut off, still believes in itself at term 2
    IS(ARBITER_LEADER, "n3");
}

static void an_old_leader_that_still_writes_is_no_replica(void **state) {
    struct model *m = *state;
    put(m, ev_key(2 * SEC, "leader", "n2"));
    IS(REPLICA, "n3");
}

static void one_by_seed_is_always_the_same_for_the_same_seed_and_differs_over_seeds(void **state) {
    struct model *m = *state;
    static const enum selector_kind kinds[] = {SELECTOR_ANY_REPLICA, SELECTOR_NOT_LEADER, SELECTOR_ASYNC_STANDBY,
                                               SELECTOR_ARBITER_FOLLOWER};
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        int n2 = 0;
        for (uint64_t seed = 0; seed < 1000; seed++) {
            struct node_list a = {0}, b = {0};
            struct err err = {0};
            assert_int_equal(resolve_seeded(m, seed, 5, kinds[k], "", &a, &err), 1);
            assert_int_equal(resolve_seeded(m, seed, 5, kinds[k], "", &b, &err), 1);
            assert_string_equal(a.names[0], b.names[0]);
            assert_true(str_eq(a.names[0], "n2") || str_eq(a.names[0], "n3"));
            n2 += str_eq(a.names[0], "n2");
        }
        assert_in_range(n2, 440, 560); // a fair coin: +-4 sigma
    }
}

static void different_steps_draw_differently_under_one_seed(void **state) {
    struct model *m = *state;
    int n2 = 0;
    for (uint64_t stream = 0; stream < 1000; stream++) {
        struct node_list a = {0};
        struct err err = {0};
        assert_int_equal(resolve_seeded(m, 42, stream, SELECTOR_ANY_REPLICA, "", &a, &err), 1);
        n2 += str_eq(a.names[0], "n2");
    }
    assert_in_range(n2, 440, 560);
}

// The choices are part of the scenario format: a seed printed in a report of today must mean the same tomorrow.
static void the_choices_of_a_seed_are_fixed_for_ever(void **state) {
    struct model *m = *state;
    char drawn[17] = "";
    for (uint64_t seed = 0; seed < 16; seed++) {
        struct node_list a = {0};
        struct err err = {0};
        assert_int_equal(resolve_seeded(m, seed, 0, SELECTOR_ANY_REPLICA, "", &a, &err), 1);
        drawn[seed] = a.names[0][1];
    }
    assert_string_equal(drawn, "2232333222322223"); // computed apart, from the reference splitmix64
}

static void a_second_draw_takes_another_node(void **state) {
    struct model *m = *state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct node_list list = {0};
        struct err err = {0};
        assert_int_equal(resolve_seeded(m, seed, 0, SELECTOR_ANY_REPLICA, "", &list, &err), 1);
        assert_int_equal(resolve_seeded(m, seed, 1, SELECTOR_ANY_REPLICA, "", &list, &err), 1);
        assert_int_equal(list.n, 2);
        assert_int_equal(resolve_seeded(m, seed, 2, SELECTOR_ANY_REPLICA, "", &list, &err), -ENOENT); // no third one
        assert_int_equal(resolve_seeded(m, seed, 0, SELECTOR_ALL, "", &list, &err), 1);               // n1 alone is new
        assert_int_equal(list.n, 3);
    }
}

static void a_majority_of_etcd_spares_the_leader_s_node_while_it_can(void **state) {
    struct model *m = *state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct node_list list = {0};
        struct err err = {0};
        assert_int_equal(resolve_seeded(m, seed, 0, SELECTOR_ARBITER_MAJORITY, "", &list, &err), 2);
        assert_string_not_equal(list.names[0], "n1");
        assert_string_not_equal(list.names[1], "n1");
    }
    put(m, ev_power(2 * SEC, "n2", false));
    IS(ARBITER_MAJORITY, "n3,n1"); // the leader's node last
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(every_selector_without_a_choice_means_its_nodes),
        T(what_nobody_is_now_is_said_in_words),
        T(a_leader_is_gone_with_its_key_only),
        T(the_etcd_leader_of_the_highest_term_is_the_right_one),
        T(an_old_leader_that_still_writes_is_no_replica),
        T(one_by_seed_is_always_the_same_for_the_same_seed_and_differs_over_seeds),
        T(different_steps_draw_differently_under_one_seed),
        T(the_choices_of_a_seed_are_fixed_for_ever),
        T(a_second_draw_takes_another_node),
        T(a_majority_of_etcd_spares_the_leader_s_node_while_it_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
