// SPDX-License-Identifier: PostgreSQL
// Divergence while it is so: seen by the order of positions, never by one pair nor by positions in the wrong order, and gone only when the node has
// been seen following. The numbers are those of a real run (Patroni 3.0.2, patroni-3, net.drop on the leader).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/model/model.h"
#include "tests/engine/events.h"

#define MS(x) ((usec_t)((x)*1000))

static void feed(void *arg, const struct event *ev) {
    model_apply(arg, ev);
}

static void key(struct model *m, usec_t t, const char *value, int64_t created) {
    struct event ev = ev_key(t, "leader", value);
    ev.u.AUTHORITY.epoch = created;
    model_apply(m, &ev);
}

static void version(struct model *m, const char *node, const char *v) {
    struct event ev = EVENT_NEW(VERSION);
    STR_COPY(ev.u.VERSION.component, "Patroni");
    STR_COPY(ev.u.VERSION.version, v);
    STR_COPY(ev.u.VERSION.node, node);
    model_apply(m, &ev);
}

// Asked at `asked`, answered 1 ms later.
static void primary(struct model *m, usec_t asked, const char *node, lsn_t lsn) {
    struct event ev = ev_sql_leader(asked + MS(1), node, lsn);
    ev.u.SQL.lsn_asked = ev.u.SQL.asked = asked;
    model_apply(m, &ev);
}
static void standby(struct model *m, usec_t asked, const char *node, lsn_t lsn) {
    struct event ev = ev_sql_standby(asked + MS(1), node, lsn);
    ev.u.SQL.lsn_asked = ev.u.SQL.asked = asked;
    model_apply(m, &ev);
}

// n1 leads and has written to 1000; n2 and n3 have replayed it.
static int setup(void **state) {
    struct model *m = model_new();
    feed_complete_cluster(SEC, feed, m);
    version(m, "", "3.0.2");
    key(m, 2 * SEC, "n1", 16);
    standby(m, 2 * SEC, "n2", 1000);
    standby(m, 2 * SEC, "n3", 1000);
    primary(m, 2 * SEC + MS(100), "n1", 1000);
    *state = m;
    return 0;
}
static int teardown(void **state) {
    model_free(*state);
    return 0;
}

static void assert_doubt(const struct model *m, enum doubt wanted, const char *words) {
    char why[EVENT_TEXT_MAX] = "";
    assert_int_equal(model_divergence(m, why, sizeof why), wanted);
    assert_string_equal(why, words);
}

// The leader key goes to n3 and then back to n1, which writes over it and has no more than 1000.
static void steal(struct model *m) {
    struct event gone = ev_key_gone(10 * SEC, "leader");
    model_apply(m, &gone);
    key(m, 12 * SEC, "n3", 20);
    primary(m, 13 * SEC, "n3", 5000);
    standby(m, 14 * SEC, "n2", 5000);
    standby(m, 14 * SEC, "n1", 1000);
    key(m, 15 * SEC, "n1", 20);
}

static void in_a_run_where_all_is_well_nobody_is_in_doubt(void **state) {
    struct model *m = *state;
    for (usec_t t = 3 * SEC; t < 9 * SEC; t += SEC) {
        standby(m, t, "n2", 1000 + t / 1000);
        primary(m, t + MS(300), "n1", 1000 + t / 1000);
        standby(m, t + MS(600), "n3", 1000 + (t + MS(600)) / 1000); // beyond what n1 had said before
    }
    assert_doubt(m, DOUBT_NONE, "");
    assert_true(model_healthy(m, NULL, 0));
    assert_null(model_divergence_defect(m));
}

static void a_failover_puts_nobody_in_doubt(void **state) {
    struct model *m = *state;
    struct event gone = ev_key_gone(10 * SEC, "leader");
    model_apply(m, &gone);
    key(m, 12 * SEC, "n3", 20);
    assert_doubt(m, DOUBT_NONE, "");
}

static void positions_in_the_wrong_order_prove_nothing(void **state) {
    struct model *m = *state;
    for (usec_t t = 3 * SEC; t < 9 * SEC; t += SEC) {
        primary(m, t, "n1", 1000 + (lsn_t)t);
        standby(m, t + MS(1), "n2", 1000 + (lsn_t)t + 900); // answered after the leader was asked
        standby(m, t + MS(2), "n2", 1000 + (lsn_t)t + 900);
    }
    assert_doubt(m, DOUBT_NONE, "");
}

static void one_pair_is_no_alarm_and_a_second_of_them_is(void **state) {
    struct model *m = *state;
    standby(m, 3 * SEC, "n2", 2000);
    primary(m, 3 * SEC + MS(100), "n1", 1500);
    assert_doubt(m, DOUBT_NONE, "");
    primary(m, 3 * SEC + MS(900), "n1", 1600);
    assert_doubt(m, DOUBT_NONE, "");
    primary(m, 4 * SEC + MS(200), "n1", 1700);
    assert_doubt(m, DOUBT_AHEAD,
                 "n2 follows another history than the leader n1: n2 had replayed to 0/7D0 when n1, asked later, had "
                 "written to 0/5DC");
    assert_int_equal(m->doubts[1].since, 3 * SEC + MS(100));
    char why[EVENT_TEXT_MAX];
    assert_false(model_healthy(m, why, sizeof why));
    assert_non_null(strstr(why, "n2 follows another history"));
    assert_false(model_complete(m, NULL, 0));
    assert_null(model_divergence_defect(m)); // no defect was seen
}

static void a_leader_that_writes_past_it_repairs_nothing(void **state) {
    struct model *m = *state;
    for (int i = 0; i < 3; i++)
        standby(m, (3 + (usec_t)i) * SEC, "n2", 2000), primary(m, (3 + (usec_t)i) * SEC + MS(500), "n1", 1500);
    standby(m, 7 * SEC, "n2", 2000);
    primary(m, 8 * SEC, "n1", 3000);
    assert_int_equal(model_divergence(m, NULL, 0), DOUBT_AHEAD);
    standby(m, 9 * SEC, "n2", 3000); // it replays the leader's WAL
    primary(m, 10 * SEC, "n1", 3500);
    assert_doubt(m, DOUBT_NONE, "");
    assert_true(model_healthy(m, NULL, 0));
}

static void a_rewound_standby_follows_again(void **state) {
    struct model *m = *state;
    for (int i = 0; i < 3; i++)
        standby(m, (3 + (usec_t)i) * SEC, "n2", 2000), primary(m, (3 + (usec_t)i) * SEC + MS(500), "n1", 1500);
    standby(m, 7 * SEC, "n2", 1400);
    primary(m, 8 * SEC, "n1", 1600);
    assert_doubt(m, DOUBT_NONE, "");
}

static void a_node_without_power_is_not_spoken_of(void **state) {
    struct model *m = *state;
    for (int i = 0; i < 3; i++)
        standby(m, (3 + (usec_t)i) * SEC, "n2", 2000), primary(m, (3 + (usec_t)i) * SEC + MS(500), "n1", 1500);
    struct event off = ev_power(9 * SEC, "n2", false);
    model_apply(m, &off);
    assert_doubt(m, DOUBT_NONE, "");
}

static void a_stolen_key_is_named_at_once_and_the_divergence_when_it_is_proven(void **state) {
    struct model *m = *state;
    steal(m);
    assert_doubt(
        m, DOUBT_KEY,
        "n2 and n3 may follow another history (patroni-2693): n1 wrote itself into the leader key while n3 held it");
    assert_string_equal(model_divergence_defect(m)->reference, "https://github.com/patroni/patroni/pull/2693");
    primary(m, 16 * SEC, "n1", 1100);
    standby(m, 16 * SEC + MS(500), "n2", 5000);
    primary(m, 17 * SEC, "n1", 1200);
    standby(m, 17 * SEC + MS(500), "n3", 5100);
    primary(m, 18 * SEC, "n1", 1300);
    primary(m, 19 * SEC, "n1", 1400);
    assert_doubt(
        m, DOUBT_AHEAD,
        "n2 and n3 follow another history than the leader n1 (patroni-2693): n2 had replayed to 0/1388 when n1, "
        "asked later, had written to 0/44C");
}

static void after_a_stolen_key_who_moves_on_with_the_leader_is_cleared(void **state) {
    struct model *m = *state;
    steal(m);
    for (usec_t t = 16 * SEC; t < 22 * SEC; t += SEC) {
        primary(m, t, "n1", 5000 + (lsn_t)t);
        standby(m, t + MS(500), "n2", 5000 + (lsn_t)t);
        standby(m, t + MS(600), "n3", 5000); // it stands still
    }
    assert_int_equal(m->doubts[1].why, DOUBT_NONE);
    assert_int_equal(m->doubts[2].why, DOUBT_KEY);
}

// Who leads sets the history: when one of those in doubt leads, it and the former leader have two, and the others may have followed either.
static void when_a_node_in_doubt_leads_the_others_are_in_doubt(void **state) {
    struct model *m = *state;
    for (int i = 0; i < 3; i++)
        standby(m, (3 + (usec_t)i) * SEC, "n2", 2000), primary(m, (3 + (usec_t)i) * SEC + MS(500), "n1", 1500);
    struct event gone = ev_key_gone(10 * SEC, "leader");
    model_apply(m, &gone);
    key(m, 11 * SEC, "n2", 30);
    assert_int_equal(m->doubts[1].why, DOUBT_NONE);
    assert_int_equal(m->doubts[0].why, DOUBT_AHEAD);
    assert_int_equal(m->doubts[2].why, DOUBT_KEY);
}

static void a_theft_explains_no_divergence_after_all_is_well_again(void **state) {
    struct model *m = *state;
    steal(m);
    for (usec_t t = 16 * SEC; t < 22 * SEC; t += SEC) {
        primary(m, t, "n1", 5000 + (lsn_t)t);
        standby(m, t + MS(500), "n2", 5000 + (lsn_t)t);
        standby(m, t + MS(600), "n3", 5000 + (lsn_t)t);
    }
    assert_int_equal(model_divergence(m, NULL, 0), DOUBT_NONE);
    for (usec_t t = 30 * SEC; t < 35 * SEC; t += SEC) {
        standby(m, t, "n3", 60 * SEC);
        primary(m, t + MS(500), "n1", 40 * SEC);
    }
    assert_int_equal(model_divergence(m, NULL, 0), DOUBT_AHEAD);
    assert_null(model_divergence_defect(m));
}

static void other_versions_and_keys_put_by_hand_are_no_known_defect(void **state) {
    struct model *m = *state;
    version(m, "n1", "3.0.3");
    steal(m);
    assert_int_equal(model_divergence(m, NULL, 0), DOUBT_KEY);
    assert_null(model_divergence_defect(m));

    struct model *by_hand = model_new();
    feed_complete_cluster(SEC, feed, by_hand);
    version(by_hand, "", "3.0.2");
    key(by_hand, 2 * SEC, "n1", 16);
    struct event put = ev_fault(14 * SEC, "hand-1", "asked", "");
    STR_COPY(put.u.FAULT.mechanism, "dcs.put_key");
    model_apply(by_hand, &put);
    steal(by_hand);
    assert_int_equal(model_divergence(by_hand, NULL, 0), DOUBT_KEY);
    assert_null(model_divergence_defect(by_hand));
    model_free(by_hand);
}

static void a_key_that_was_made_anew_is_not_stolen(void **state) {
    struct model *m = *state;
    key(m, 12 * SEC, "n3", 20); // another revision: its deletion was missed
    key(m, 15 * SEC, "n1", 25);
    assert_doubt(m, DOUBT_NONE, "");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(in_a_run_where_all_is_well_nobody_is_in_doubt),
        T(a_failover_puts_nobody_in_doubt),
        T(positions_in_the_wrong_order_prove_nothing),
        T(one_pair_is_no_alarm_and_a_second_of_them_is),
        T(a_leader_that_writes_past_it_repairs_nothing),
        T(a_rewound_standby_follows_again),
        T(a_node_without_power_is_not_spoken_of),
        T(a_stolen_key_is_named_at_once_and_the_divergence_when_it_is_proven),
        T(after_a_stolen_key_who_moves_on_with_the_leader_is_cleared),
        T(when_a_node_in_doubt_leads_the_others_are_in_doubt),
        T(a_theft_explains_no_divergence_after_all_is_well_again),
        T(other_versions_and_keys_put_by_hand_are_no_known_defect),
        T(a_key_that_was_made_anew_is_not_stolen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
