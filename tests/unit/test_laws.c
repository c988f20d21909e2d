// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/base/str.h"
#include "lab/ha/ha.h"
#include "lab/ha/patroni/laws.h"
#include "lab/ha/patroni/patroni.h"

static struct ha_fault fault(const char *mechanism, const char *params) {
    return (struct ha_fault){mechanism, params, "n1", "n1"};
}

static void each_fault_of_the_leader_has_its_law(void **state) {
    (void)state;
    static const struct {
        const char *mechanism, *params;
        enum law law;
    } cases[] = {
        {"node.power_off", "", LAW_LEASE_DROPPED},
        {"node.freeze", "", LAW_LEASE_DROPPED},
        {"link.down", "", LAW_LEASE_DROPPED},
        {"net.drop", "", LAW_LEASE_DROPPED}, // a log of before parameters were told
        {"net.drop", "with=others direction=both path=all", LAW_LEASE_DROPPED},
        {"net.drop", "path=etcd_client,etcd_peer", LAW_LEASE_REFUSED}, // its REST API answers
        {"net.drop", "path=2379", LAW_LEASE_REFUSED},
        {"net.drop", "path=etcd_client,rest", LAW_LEASE_DROPPED},
        {"net.drop", "path=replication", LAW_NONE},
        {"net.drop", "path=tcp/5432", LAW_NONE},
        {"process.kill", "service=patroni", LAW_LEASE_REFUSED},
        {"process.pause", "service=patroni", LAW_LEASE_DROPPED},
        {"process.stop", "service=patroni", LAW_RELEASE},
        {"process.kill", "service=postgres process=postmaster", LAW_RESTART},
        {"process.kill", "service=postgres process=backend", LAW_NONE},
        {"cluster.switchover", "", LAW_RELEASE},
        {"net.delay", "delay=1s", LAW_NONE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ha_fault f = fault(cases[i].mechanism, cases[i].params);
        assert_int_equal(law_of(&f), cases[i].law);
    }
    struct ha_fault elsewhere = {"node.power_off", "", "n2,n3", "n1"}, unknown = {"node.power_off", "", "n1", ""};
    assert_int_equal(law_of(&elsewhere), LAW_NONE);
    assert_int_equal(law_of(&unknown), LAW_NONE);
}

static void etcds_leader_goes_with_its_machine_and_not_with_a_process_beside_it(void **state) {
    (void)state;
    struct ha_fault power = fault("node.power_off", ""), patroni = fault("process.kill", "service=patroni");
    struct ha_fault client = fault("net.drop", "path=etcd_client"), peer = fault("net.drop", "path=etcd_peer");
    assert_int_equal(law_etcd_leader_hit(&power, "n1"), 1);
    assert_int_equal(law_etcd_leader_hit(&power, "n2"), 0);
    assert_int_equal(law_etcd_leader_hit(&power, ""), -1);
    assert_int_equal(law_etcd_leader_hit(&patroni, "n1"), 0);
    assert_int_equal(law_etcd_leader_hit(&client, "n1"), 0);
    assert_int_equal(law_etcd_leader_hit(&peer, "n1"), 1);
}

static void a_primary_without_its_patroni_lives_on(void **state) {
    (void)state;
    struct ha_fault patroni = fault("process.pause", "service=patroni"), power = fault("node.power_off", "");
    assert_true(law_old_primary_lives(&patroni));
    assert_false(law_old_primary_lives(&power));
}

static void only_who_hears_nothing_renews_once_more(void **state) {
    (void)state;
    struct ha_fault in = fault("net.drop", "direction=in path=all"), out = fault("net.drop", "direction=out path=all");
    assert_true(law_renews_once_more(&in));
    assert_false(law_renews_once_more(&out));
}

static void the_wait_for_the_lease_spans_what_is_not_known(void **state) {
    (void)state;
    struct law_lease l = {.ttl = 30 * SEC, .age_min = 4 * SEC, .age_max = 5 * SEC};
    struct law_range no = law_detect_lease(&l, 0, SEC, 0), yes = law_detect_lease(&l, 1, SEC, 0);
    struct law_range either = law_detect_lease(&l, -1, SEC, 0), more = law_detect_lease(&l, 0, SEC, 10 * SEC);
    assert_int_equal(no.min, 25 * SEC);
    assert_int_equal(no.max, 27 * SEC);
    assert_int_equal(yes.min, 31900 * MSEC);
    assert_int_equal(yes.max, 34 * SEC);
    assert_int_equal(either.min, no.min);
    assert_int_equal(either.max, yes.max);
    assert_int_equal(more.max, no.max + 10 * SEC);
}

// The leader's machine dies long after etcd was lost: no renewal for minutes, and none of the lease's life was used up by it.
static void a_lease_older_than_its_ttl_leaves_no_time_and_not_endless_time(void **state) {
    (void)state;
    struct renewal last = {0};
    renewal_note(&last, (struct renewal){.at = 10 * SEC, .ttl = 30 * SEC}, 60 * SEC);
    struct law_lease l = law_lease_at(&last, 60 * SEC, 30 * SEC, 10 * SEC);
    assert_int_equal(l.age_min, 30 * SEC);
    assert_int_equal(l.age_max, 30 * SEC);
    assert_true(l.stands);
    struct law_range r = law_detect_lease(&l, 0, SEC, 0);
    assert_int_equal(r.min, 0);
    assert_int_equal(r.max, SEC);
}

static uint64_t dice_state = 20240607;

static uint64_t dice(void) { // xorshift: the same on every machine
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state;
}

// Small, usual, at the limits, anything.
static usec_t any_time(void) {
    static const usec_t edges[] = {0,           1,       SEC / 2,     SEC,       10 * SEC,       30 * SEC,
                                   LAW_MAX - 1, LAW_MAX, LAW_MAX + 1, INT64_MAX, USEC_NEVER - 1, USEC_NEVER};
    switch (dice() % 4) {
    case 0:
        return edges[dice() % ARRAY_SIZE(edges)];
    case 1:
        return dice() % (400 * SEC);
    case 2:
        return dice() % LAW_MAX;
    default:
        return dice();
    }
}

static void in_order(struct law_range r) {
    assert_true(r.min <= r.max);
    assert_true(r.max <= LAW_MAX);
}

static void no_input_breaks_the_order_of_a_range(void **state) {
    (void)state;
    for (int i = 0; i < 300000; i++) {
        struct renewal last = {0};
        usec_t fault = any_time(), loop = any_time(), election = any_time();
        for (uint64_t n = dice() % 3; n > 0; n--)
            renewal_note(&last, (struct renewal){.at = any_time(), .error = any_time(), .ttl = any_time()}, fault);
        struct law_lease l = law_lease_at(&last, fault, any_time(), loop);
        assert_true(l.age_min <= l.age_max && l.age_max <= l.ttl);
        if (dice() % 8 == 0) // made by hand, in no order
            l = (struct law_lease){any_time(), any_time(), any_time(), false};
        in_order(law_detect_lease(&l, (int)(dice() % 3) - 1, election, any_time()));
        in_order((struct law_range){0, law_detect_anew(any_time(), any_time(), election)});
        in_order(law_detect_restart(loop, any_time()));
        enum law law = (enum law)(dice() % (LAW_RELEASE + 1));
        in_order(law_elect(law, dice() % 2));
        in_order(law_demote(any_time(), any_time(), any_time()));
        in_order(law_no_quorum(any_time(), any_time()));
        in_order(law_quorum_back(any_time(), any_time()));
        in_order((struct law_range){0, law_quorum_seen_late(any_time())});
        in_order(law_elect_again(law_elect(law, dice() % 2), dice() % 2 ? dice() : dice() % 9, loop));
        in_order(law_elect_again((struct law_range){any_time(), any_time()}, dice(), any_time()));
        in_order(law_promote_in_place(any_time()));
    }
    in_order(law_promote());
    in_order(law_reroute());
}

static void what_patroni_says_of_a_race_is_known(void **state) {
    (void)state;
    const char *words = NULL;
    assert_int_equal(patroni_system.said(
                         "patroni", "INFO: following a different leader because i am not the healthiest node", &words),
                     HA_SAID_LOST);
    assert_string_equal(words, "i am not the healthiest node");
    assert_int_equal(
        patroni_system.said("patroni", "INFO: following a different leader because I am not allowed to promote", NULL),
        HA_SAID_LOST);
    assert_int_equal(
        patroni_system.said("patroni", "INFO: following new leader after trying and failing to obtain lock", NULL),
        HA_SAID_LOST);
    assert_int_equal(patroni_system.said("patroni", "ERROR: Error communicating with DCS", NULL), HA_SAID_NO_DCS);
    assert_int_equal(patroni_system.said("patroni", "INFO: promoted self to leader by acquiring session lock", NULL),
                     HA_SAID_NOTHING);
    struct law_range r = law_elect_again(law_elect(LAW_LEASE_DROPPED, false), 2, 10 * SEC);
    assert_int_equal(r.min, 1900 * MSEC);
    assert_int_equal(r.max, 24500 * MSEC);
}

static void a_lost_quorum_has_the_law_of_patronis_loop_and_retries(void **state) {
    (void)state;
    assert_int_equal(law_demote(SEC, 10 * SEC, 10 * SEC).max, 31 * SEC + LAW_SLACK);
    assert_int_equal(law_demote(0, 10 * SEC, 10 * SEC).min, 0); // etcd refuses: nothing is waited for
    assert_int_equal(law_quorum_back(10 * SEC, 5 * SEC).max, 15 * SEC + LAW_SLACK);
    struct law_range r = law_no_quorum(12 * SEC, SEC);
    assert_int_equal(r.min, 12 * SEC);
    assert_int_equal(r.max, 12 * SEC + 4 * SEC + LAW_ETCD_START + LAW_SLACK);
    assert_true(law_quorum_ends_by_healing(&(struct ha_fault){"process.kill", "service=etcd", "n1,n2", "n3"}));
    assert_true(law_quorum_ends_by_healing(&(struct ha_fault){"net.drop", "path=all", "n1,n2", "n3"}));
    assert_false(law_quorum_ends_by_healing(&(struct ha_fault){"node.power_off", "", "n1,n2", "n3"})); // it boots first
    assert_false(law_quorum_ends_by_healing(&(struct ha_fault){"process.kill", "service=patroni", "n1", "n1"}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_quorum_has_the_law_of_patronis_loop_and_retries),
        cmocka_unit_test(each_fault_of_the_leader_has_its_law),
        cmocka_unit_test(etcds_leader_goes_with_its_machine_and_not_with_a_process_beside_it),
        cmocka_unit_test(a_primary_without_its_patroni_lives_on),
        cmocka_unit_test(only_who_hears_nothing_renews_once_more),
        cmocka_unit_test(what_patroni_says_of_a_race_is_known),
        cmocka_unit_test(a_lease_older_than_its_ttl_leaves_no_time_and_not_endless_time),
        cmocka_unit_test(no_input_breaks_the_order_of_a_range),
        cmocka_unit_test(the_wait_for_the_lease_spans_what_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
