// SPDX-License-Identifier: PostgreSQL
// The fold of events into a cluster, and the words in which it says what is missing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/model/model.h"
#include "tests/engine/events.h"

static void feed(void *arg, const struct event *ev) {
    model_apply(arg, ev);
}
#define FEED(m, ...)                                                                                                   \
    do {                                                                                                               \
        struct event feed_ev = (__VA_ARGS__);                                                                          \
        model_apply((m), &feed_ev);                                                                                    \
    } while (0)

static int setup(void **state) {
    *state = model_new();
    feed_complete_cluster(1 * SEC, feed, *state);
    return 0;
}
static int teardown(void **state) {
    model_free(*state);
    return 0;
}

static void assert_complete(const struct model *m) {
    char why[200] = "";
    if (!model_complete(m, why, sizeof why))
        fail_msg("not complete: %s", why);
}
#define assert_missing(fact, m, words)                                                                                 \
    do {                                                                                                               \
        char missing_why[200] = "";                                                                                    \
        assert_false(fact((m), missing_why, sizeof missing_why));                                                      \
        assert_string_equal(missing_why, (words));                                                                     \
    } while (0)

static void an_empty_model_knows_nothing_and_says_so(void **state) {
    (void)state;
    struct model *m = model_new();
    assert_missing(model_complete, m, "no node is known yet");
    assert_missing(model_healthy, m, "the leader key has not been seen yet");
    assert_false(model_quorum(m));
    assert_null(model_leader(m));
    assert_null(model_node(m, "n1"));
    model_free(m);
    model_free(NULL);
}

static void a_cluster_with_everything_in_place_is_complete(void **state) {
    struct model *m = *state;
    assert_complete(m);
    assert_true(model_healthy(m, NULL, 0));
    assert_string_equal(model_leader(m)->name, "n1");
    assert_true(model_node(m, "n2")->streaming);
    assert_int_equal(m->n_nodes, 4);
}

static void each_missing_piece_is_named(void **state) {
    struct model *m = *state;
    FEED(m, ev_row_gone(2 * SEC, "n1", "n3"));
    assert_missing(model_healthy, m, "n3 is not streaming from n1 yet");
    FEED(m, ev_row(2 * SEC, "n1", "n3", "catchup", "async", 10));
    assert_missing(model_healthy, m, "n3 is not streaming from n1 yet");
    FEED(m, ev_sql_silent(2 * SEC, "n3", "connection refused"));
    assert_missing(model_healthy, m, "PostgreSQL on n3 does not answer (connection refused)");
    FEED(m, ev_power(3 * SEC, "n3", false));
    assert_true(model_healthy(m, NULL, 0)); // a powered-off node is no member to wait for
    assert_missing(model_complete, m, "n3 is powered off");
    FEED(m, ev_sql_silent(4 * SEC, "n1", ""));
    assert_missing(model_healthy, m, "PostgreSQL on the leader n1 does not answer (silent)");
    FEED(m, ev_key_gone(5 * SEC, "leader"));
    assert_missing(model_healthy, m, "there is no leader: nobody holds the leader key");
}

static void a_leader_in_recovery_or_read_only_is_not_healthy(void **state) {
    struct model *m = *state;
    FEED(m, ev_sql_standby(2 * SEC, "n1", 1));
    assert_missing(model_healthy, m, "the leader n1 is still in recovery");
    struct event read_only = ev_sql_leader(3 * SEC, "n1", 1);
    read_only.u.SQL.writable = false;
    model_apply(m, &read_only);
    assert_missing(model_healthy, m, "the leader n1 does not accept writes yet");
}

static void two_nodes_that_accept_writes_are_not_healthy(void **state) {
    struct model *m = *state;
    FEED(m, ev_sql_leader(2 * SEC, "n2", 1));
    assert_missing(model_healthy, m, "n2 accepts writes too, beside the leader n1");
}

static void a_member_that_is_not_registered_makes_it_incomplete(void **state) {
    struct model *m = *state;
    FEED(m, ev_key_gone(2 * SEC, "members/n2"));
    assert_true(model_healthy(m, NULL, 0));
    assert_missing(model_complete, m, "n2 has not registered in the DCS yet");
    FEED(m, ev_key(3 * SEC, "members/n2", "{}"));
    assert_complete(m);
}

static void an_etcd_member_that_is_silent_makes_it_incomplete_but_not_unhealthy(void **state) {
    struct model *m = *state;
    FEED(m, ev_etcd_silent(2 * SEC, "n3"));
    assert_true(model_healthy(m, NULL, 0));
    assert_missing(model_complete, m, "etcd on n3 does not answer");
}

static void quorum_needs_a_majority_that_agrees_on_a_leader_that_answers(void **state) {
    struct model *m = *state;
    FEED(m, ev_etcd_silent(2 * SEC, "n3"));
    assert_true(model_quorum(m)); // two of three
    FEED(m, ev_etcd(2 * SEC, "n2", "a2", "0", 3));
    assert_false(model_quorum(m)); // n1 alone
    FEED(m, ev_etcd(2 * SEC, "n2", "a2", "a2", 3));
    assert_false(model_quorum(m)); // two leaders, one vote each
    FEED(m, ev_etcd(2 * SEC, "n1", "a1", "a3", 3));
    FEED(m, ev_etcd(2 * SEC, "n2", "a2", "a3", 3));
    assert_false(model_quorum(m)); // they agree on one that is silent
    assert_missing(model_healthy, m, "etcd has no quorum: 2 of 3 members answer but they agree on no leader");
    FEED(m, ev_etcd_silent(3 * SEC, "n2"));
    assert_missing(model_healthy, m, "etcd has no quorum: 1 of 3 members answer");
    FEED(m, ev_etcd(3 * SEC, "n1", "a1", "", 3));
    FEED(m, ev_etcd(3 * SEC, "n2", "a2", "", 3));
    FEED(m, ev_etcd(3 * SEC, "n3", "a3", "", 3));
    assert_false(model_quorum(m)); // agreeing on nobody is no agreement
}

static void power_off_forgets_what_was_seen_and_late_answers_do_not_revive(void **state) {
    struct model *m = *state;
    FEED(m, ev_power(2 * SEC, "n1", false));
    const struct model_node *n = model_node(m, "n1");
    assert_false(n->pg_answered || n->writable || n->arbiter_answered || n->on);
    assert_int_equal(n->lsn, 0);
    assert_int_equal(n->power_changed, 2 * SEC);
    FEED(m, ev_sql_leader(2 * SEC + 1, "n1", 1));
    FEED(m, ev_etcd(2 * SEC + 1, "n1", "a1", "a1", 2));
    assert_false(n->pg_answered || n->arbiter_answered);
    assert_string_equal(m->leader, "n1"); // the key is still there: it expires in its own time
    assert_missing(model_healthy, m, "n1 holds the leader key but is powered off");
    assert_false(model_node(m, "n2")->streaming);
    FEED(m, ev_power(9 * SEC, "n1", true));
    FEED(m, ev_sql_standby(10 * SEC, "n1", 1));
    assert_true(n->pg_answered);
}

static void rows_of_the_new_leader_count_whether_they_come_before_or_after_its_key(void **state) {
    struct model *m = *state;
    FEED(m, ev_power(2 * SEC, "n1", false));
    FEED(m, ev_sql_leader(3 * SEC, "n2", 0x6000000));
    FEED(m, ev_row(3 * SEC, "n2", "n3", "streaming", "async", 0));
    assert_false(model_node(m, "n3")->streaming);
    FEED(m, ev_key(4 * SEC, "leader", "n2"));
    assert_true(model_node(m, "n3")->streaming);
    assert_int_equal(m->leader_changed, 4 * SEC);
    FEED(m, ev_etcd(4 * SEC, "n2", "a2", "a2", 3));
    FEED(m, ev_etcd(4 * SEC, "n3", "a3", "a2", 3));
    assert_true(model_healthy(m, NULL, 0));
    FEED(m, ev_row_gone(5 * SEC, "n2", "n3"));
    assert_false(model_node(m, "n3")->streaming);
    FEED(m, ev_row(6 * SEC, "n2", "n3", "streaming", "async", 0));
    assert_true(model_node(m, "n3")->streaming);
}

static void rows_of_a_leader_that_lost_power_do_not_come_back_with_it(void **state) {
    struct model *m = *state;
    FEED(m, ev_power(2 * SEC, "n1", false));
    FEED(m, ev_power(3 * SEC, "n1", true));
    FEED(m, ev_sql_leader(4 * SEC, "n1", 1));
    assert_missing(model_healthy, m, "n2 is not streaming from n1 yet");
}

static void a_leader_that_is_silent_for_a_moment_keeps_its_rows(void **state) {
    struct model *m = *state;
    FEED(m, ev_sql_silent(2 * SEC, "n1", "no answer for 2 s"));
    assert_false(model_node(m, "n2")->streaming);
    FEED(m, ev_sql_leader(3 * SEC, "n1", 0x5000000));
    assert_true(model_node(m, "n2")->streaming);
}

static void lag_comes_from_the_row_while_there_is_one_and_else_from_the_probes(void **state) {
    struct model *m = *state;
    const struct model_node *n2 = model_node(m, "n2");
    FEED(m, ev_row(2 * SEC, "n1", "n2", "streaming", "async", 4096));
    assert_int_equal(n2->lag_bytes, 4096);
    FEED(m, ev_sql_leader(3 * SEC, "n1", 0x5100000)); // a newer probe of the leader alone is noise
    assert_int_equal(n2->lag_bytes, 4096);
    FEED(m, ev_row_gone(3 * SEC, "n1", "n2")); // the link is cut: only the probes are left
    FEED(m, ev_sql_standby(4 * SEC, "n2", 0x5000000));
    FEED(m, ev_sql_leader(5 * SEC, "n1", 0x5100000));
    assert_int_equal(n2->lag_bytes, 0x100000);
    FEED(m,
         ev_sql_standby(6 * SEC, "n2", 0x5200000)); // its probe is newer than the leader's: not ahead, just not behind
    assert_int_equal(n2->lag_bytes, 0);
    FEED(m, ev_power(7 * SEC, "n2", false));
    assert_int_equal(n2->lag_bytes, -1);
    assert_int_equal(model_node(m, "n1")->lag_bytes, -1); // the leader has none
}

static void the_sync_key_is_read_in_all_its_forms(void **state) {
    struct model *m = *state;
    static const struct {
        const char *value;
        bool n2, n3;
    } forms[] = {
        {"{\"leader\":\"n1\",\"sync_standby\":\"n2\"}", true, false},
        {"{\"leader\":\"n1\",\"sync_standby\":\"n2,n3\"}", true, true},
        {"{\"leader\":\"n1\",\"sync_standby\":\" n3 , \"}", false, true},
        {"{\"leader\":\"n1\",\"sync_standby\":[\"n3\"]}", false, true},
        {"{\"leader\":\"n1\",\"sync_standby\":null}", false, false},
        {"{\"leader\":\"n1\",\"sync_standby\":\"n22\"}", false, false},
        {"{\"leader\":\"n1\"}", false, false},
        {"[]", false, false},
        {"{", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        FEED(m, ev_key(2 * SEC, "sync", forms[i].value));
        assert_int_equal(model_is_sync_standby(m, model_node(m, "n2")), forms[i].n2);
        assert_int_equal(model_is_sync_standby(m, model_node(m, "n3")), forms[i].n3);
    }
}

static void synchronous_mode_is_complete_only_once_a_standby_is_named(void **state) {
    struct model *m = *state;
    char why[200];
    assert_true(model_complete(m, why, sizeof why));
    FEED(m, ev_config(2 * SEC, "patroni.synchronous_mode", "true"));
    assert_false(model_complete(m, why, sizeof why));
    assert_non_null(strstr(why, "/sync names no standby"));
    FEED(m, ev_key(3 * SEC, "sync", "{\"leader\":\"n1\",\"sync_standby\":null}"));
    assert_false(model_complete(m, why, sizeof why));
    FEED(m, ev_key(4 * SEC, "sync", "{\"leader\":\"n1\",\"sync_standby\":\"n2\"}"));
    assert_true(model_complete(m, why, sizeof why));
}

static void a_sync_key_of_another_leader_gives_way_to_the_rows(void **state) {
    struct model *m = *state;
    FEED(m, ev_key(2 * SEC, "sync", "{\"leader\":\"n3\",\"sync_standby\":\"n2\"}"));
    FEED(m, ev_row(2 * SEC, "n1", "n3", "streaming", "sync", 0));
    assert_false(model_is_sync_standby(m, model_node(m, "n2")));
    assert_true(model_is_sync_standby(m, model_node(m, "n3")));
    FEED(m, ev_key_gone(3 * SEC, "leader")); // without a leader the key decides who may be promoted
    assert_true(model_is_sync_standby(m, model_node(m, "n2")));
}

static void keys_come_and_go(void **state) {
    struct model *m = *state;
    assert_true(m->dcs_read);
    assert_false(model_key_present(m, "failover"));
    FEED(m, ev_key(2 * SEC, "failover", "{}"));
    FEED(m, ev_key(2 * SEC, "failover", "{\"leader\":\"n1\"}"));
    assert_true(model_key_present(m, "failover") && m->key_failover);
    FEED(m, ev_key_gone(3 * SEC, "failover"));
    assert_false(model_key_present(m, "failover") || m->key_failover);
    FEED(m, ev_key_gone(3 * SEC, "never"));
    assert_false(model_key_present(m, "never"));
}

static void the_lease_belongs_to_the_key_that_is_there(void **state) {
    struct model *m = *state;
    FEED(m, ev_lease(5 * SEC, 4 * SEC, 30));
    assert_int_equal(m->lease_renewed, 4 * SEC);
    assert_int_equal(m->lease_ttl, 30 * SEC);
    FEED(m, ev_key_gone(34 * SEC, "leader"));
    assert_int_equal(m->lease_renewed, 0);
    struct event next = ev_key(35 * SEC, "leader", "n2");
    STR_COPY(next.u.AUTHORITY.grant, "beef");
    model_apply(m, &next);
    struct event old = ev_lease(36 * SEC, 4 * SEC, 30);
    STR_COPY(old.u.GRANT.id, "dead");
    model_apply(m, &old);
    assert_int_equal(m->lease_renewed, 0);
    struct event renewal = ev_lease(36 * SEC, 35 * SEC, 30);
    STR_COPY(renewal.u.GRANT.id, "beef");
    model_apply(m, &renewal);
    assert_int_equal(m->lease_renewed, 35 * SEC);
    model_apply(m, &next); // the same key again, as a first read after a lost watch: the lease is still known
    assert_int_equal(m->lease_renewed, 35 * SEC);
    assert_int_equal(m->leader_changed, 35 * SEC);
}

static void live_settings_are_read_in_seconds(void **state) {
    struct model *m = *state;
    FEED(m, ev_config(2 * SEC, "patroni.ttl", "30"));
    FEED(m, ev_config(2 * SEC, "patroni.loop_wait", "0.5"));
    FEED(m, ev_config(2 * SEC, "patroni.retry_timeout", "ten"));
    FEED(m, ev_config(2 * SEC, "patroni.maximum_lag_on_failover", "1048576"));
    FEED(m, ev_config(2 * SEC, "patroni.synchronous_mode", "true"));
    FEED(m, ev_config(2 * SEC, "postgresql.ttl", "99"));
    assert_int_equal(m->ttl, 30 * SEC);
    assert_int_equal(m->loop_wait, 500 * MSEC);
    assert_int_equal(m->retry_timeout, 0); // unknown
    assert_int_equal(m->maximum_lag, 1048576);
    assert_true(m->synchronous_mode);
}

static void patroni_s_answer_is_kept_until_it_stops_answering(void **state) {
    struct model *m = *state;
    struct event ev = EVENT_NEW(MANAGER);
    ev.t = 2 * SEC;
    STR_COPY(ev.u.MANAGER.node, "n2");
    ev.u.MANAGER.role = MANAGER_ROLE_SYNC_STANDBY;
    STR_COPY(ev.u.MANAGER.state, "running");
    ev.u.MANAGER.answered = true;
    ev.u.MANAGER.http = 200;
    model_apply(m, &ev);
    const struct model_node *n = model_node(m, "n2");
    assert_int_equal(n->role, MANAGER_ROLE_SYNC_STANDBY);
    assert_string_equal(model_role_name(n->role), "sync_standby");
    assert_int_equal(n->http, 200);
    ev.u.MANAGER.role = MANAGER_ROLE_UNINITIALIZED;
    model_apply(m, &ev);
    assert_int_equal(n->role, MANAGER_ROLE_UNINITIALIZED);
    ev.u.MANAGER.answered = false;
    ev.t = 3 * SEC;
    model_apply(m, &ev);
    assert_int_equal(n->role, MANAGER_ROLE_NONE);
    assert_false(n->manager_answered);
    assert_int_equal(n->manager_seen, 2 * SEC);
}

static void faults_are_followed_and_old_ones_make_room(void **state) {
    struct model *m = *state;
    FEED(m, ev_fault(2 * SEC, "cut", "asked", ""));
    FEED(m, ev_fault(3 * SEC, "cut", "effective", ""));
    FEED(m, ev_fault(4 * SEC, "cut", "verified", ""));
    FEED(m, ev_fault(4 * SEC, "cut", "no such phase", ""));
    assert_int_equal(m->n_faults, 1);
    assert_int_equal(m->faults[0].phase, FAULT_PHASE_VERIFIED);
    assert_int_equal(m->faults[0].effective, 3 * SEC);
    for (int i = 0; i < 100; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "hand-%d", i);
        FEED(m, ev_fault(5 * SEC, id, "asked", ""));
        FEED(m, ev_fault(6 * SEC, id, "healed", ""));
    }
    assert_int_equal(m->n_faults, MODEL_FAULTS_MAX);
    assert_string_equal(m->faults[0].id, "cut"); // still biting: it is not the one that goes
    assert_string_equal(m->faults[MODEL_FAULTS_MAX - 1].id, "hand-99");
}

static void the_application_s_ticks_add_up(void **state) {
    struct model *m = *state;
    FEED(m, ev_tick(2 * SEC, 10, 0, 3, 0));
    FEED(m, ev_tick(2 * SEC + 100 * MSEC, 4, 6, 1, 2));
    assert_int_equal(m->w_ok, 14);
    assert_int_equal(m->w_failed, 6);
    assert_int_equal(m->tick_w_ok, 4);
    assert_int_equal(m->tick_w_bad, 6);
    assert_int_equal(m->r_failed, 2);
    assert_int_equal(m->tick_at, 2200 * MSEC);
    assert_int_equal(m->w_last_ok, 2190 * MSEC);
}

static void events_about_unknown_nodes_change_nothing(void **state) {
    struct model *m = *state;
    FEED(m, ev_power(2 * SEC, "n9", false));
    FEED(m, ev_sql_leader(2 * SEC, "n9", 1));
    FEED(m, ev_etcd(2 * SEC, "n9", "a9", "a9", 99));
    FEED(m, ev_row(2 * SEC, "n1", "pg_basebackup", "backup", "", 0));
    FEED(m, ev_key(2 * SEC, "members/n9", "{}"));
    assert_int_equal(m->n_nodes, 4);
    assert_complete(m);
    FEED(m, ev_key(2 * SEC, "leader", "n9"));
    assert_missing(model_healthy, m, "n9 holds the leader key but is no node of this lab");
}

static void more_nodes_than_there_is_room_for_are_dropped(void **state) {
    struct model *m = *state;
    for (int i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "x%d", i);
        FEED(m, ev_node(name, true, true, false));
    }
    assert_int_equal(m->n_nodes, NODES_MAX);
    FEED(m, ev_row(2 * SEC, "n1", "x0", "streaming", "", 0));
}

static void time_never_runs_backwards(void **state) {
    struct model *m = *state;
    FEED(m, ev_clock(9 * SEC));
    FEED(m, ev_clock(8 * SEC));
    assert_int_equal(m->now, 9 * SEC);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
// ---- a row of pg_stat_replication that is contradicted ----------------------------------------------------------------------

static struct event link_seen(usec_t t, const char *from, const char *to, bool intended, bool measured) {
    struct event ev = EVENT_NEW(LINK);
    ev.t = t;
    STR_COPY(ev.u.LINK.from, from);
    STR_COPY(ev.u.LINK.to, to);
    ev.u.LINK.path = LINK_PATH_REPLICATION;
    ev.u.LINK.intended = intended;
    ev.u.LINK.measured = measured;
    return ev;
}

// net.drop: the walsender keeps its row for a minute, in the state that it had.
static void a_standby_whose_way_to_the_leader_is_cut_does_not_stream_whatever_the_row_says(void **state) {
    struct model *m = *state;
    FEED(m, link_seen(2 * SEC, "n2", "n3", false, false)); // no way to the leader
    FEED(m, link_seen(2 * SEC, "n1", "n2", false, false)); // n1 connects to nobody
    assert_complete(m);
    FEED(m, link_seen(2 * SEC, "n2", "n1", false, false));
    assert_missing(model_healthy, m, "n2 is cut off from the leader n1, which still shows it as streaming");
    FEED(m, ev_row(3 * SEC, "n1", "n2", "streaming", "async", 4096)); // said once more
    assert_false(model_node(m, "n2")->streaming);
    assert_int_equal(model_node(m, "n2")->lag_bytes,
                     0); // of the two servers' own positions: the row's number is as old as the row
    FEED(m, ev_row_gone(60 * SEC, "n1", "n2"));
    assert_missing(model_healthy, m, "n2 is not streaming from n1 yet");
    FEED(m, link_seen(61 * SEC, "n2", "n1", true, true));
    assert_missing(model_healthy, m, "n2 is not streaming from n1 yet");
    FEED(m, ev_row(62 * SEC, "n1", "n2", "streaming", "async", 0));
    assert_complete(m);
}

static void only_a_cut_in_force_that_a_probe_confirms_contradicts_a_row(void **state) {
    struct model *m = *state;
    FEED(m, link_seen(2 * SEC, "n2", "n1", true, false)); // slow or lossy: a probe waits 0.2 s
    assert_complete(m);
    FEED(m, link_seen(3 * SEC, "n2", "n1", false, true)); // a fault that does not do what it says
    assert_complete(m);
    FEED(m, link_seen(4 * SEC, "n2", "n1", false, false));
    assert_false(model_healthy(m, NULL, 0));
    FEED(m, link_seen(5 * SEC, "n2", "n1", true, true));
    assert_complete(m);
}

static void a_standby_that_receives_nothing_of_what_the_leader_writes_does_not_stream(void **state) {
    struct model *m = *state;
    const lsn_t begin = 0x5000000;
    FEED(m, ev_sql_standby(9 * SEC, "n2", begin)); // nothing was written: nothing to receive
    assert_complete(m);
    FEED(m, ev_sql_leader(10 * SEC, "n1", begin + 100));
    FEED(m, ev_sql_standby(10 * SEC + 1, "n3", begin + 100));
    FEED(m, ev_sql_standby(12 * SEC, "n2", begin));
    FEED(m, ev_sql_leader(12 * SEC, "n1", begin + 200));
    FEED(m, ev_row(12 * SEC, "n1", "n2", "streaming", "async", 0));
    FEED(m, ev_sql_leader(14 * SEC, "n1", begin + 300)); // 4 s, but nobody has asked n2 since
    assert_complete(m);
    FEED(m, ev_sql_standby(10 * SEC + EVENT_STILL - 1, "n2", begin));
    assert_complete(m);
    FEED(m, ev_sql_standby(10 * SEC + EVENT_STILL, "n2", begin));
    assert_missing(model_healthy, m,
                   "n2 receives nothing from the leader n1, which writes and still shows it as streaming");
    assert_int_equal(model_node(m, "n2")->lag_bytes, 300);
    FEED(m, ev_sql_standby(14 * SEC, "n2", begin + 50)); // far behind, and on its way
    assert_true(model_node(m, "n2")->streaming);
    for (usec_t t = 15 * SEC; t < 30 * SEC; t += SEC) {
        FEED(m, ev_sql_leader(t, "n1", begin + 300 + t));
        FEED(m, ev_sql_standby(t, "n2", begin + 50 + t / SEC));
        assert_true(model_node(m, "n2")->streaming);
    }
}

static void another_connection_of_a_standby_is_judged_from_its_own_beginning(void **state) {
    struct model *m = *state;
    const lsn_t begin = 0x5000000;
    FEED(m, ev_sql_leader(10 * SEC, "n1", begin + 100));
    FEED(m, ev_sql_standby(20 * SEC, "n2", begin));
    assert_false(model_node(m, "n2")->streaming);
    FEED(m, ev_row_gone(21 * SEC, "n1", "n2"));
    FEED(m, ev_row(22 * SEC, "n1", "n2", "streaming", "async", 0));
    assert_true(model_node(m, "n2")->streaming);
    FEED(m, ev_sql_standby(22 * SEC + EVENT_STILL, "n2", begin));
    assert_false(model_node(m, "n2")->streaming);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(an_empty_model_knows_nothing_and_says_so),
        T(a_cluster_with_everything_in_place_is_complete),
        T(each_missing_piece_is_named),
        T(a_leader_in_recovery_or_read_only_is_not_healthy),
        T(two_nodes_that_accept_writes_are_not_healthy),
        T(a_member_that_is_not_registered_makes_it_incomplete),
        T(an_etcd_member_that_is_silent_makes_it_incomplete_but_not_unhealthy),
        T(quorum_needs_a_majority_that_agrees_on_a_leader_that_answers),
        T(power_off_forgets_what_was_seen_and_late_answers_do_not_revive),
        T(rows_of_the_new_leader_count_whether_they_come_before_or_after_its_key),
        T(rows_of_a_leader_that_lost_power_do_not_come_back_with_it),
        T(a_leader_that_is_silent_for_a_moment_keeps_its_rows),
        T(lag_comes_from_the_row_while_there_is_one_and_else_from_the_probes),
        T(the_sync_key_is_read_in_all_its_forms),
        T(synchronous_mode_is_complete_only_once_a_standby_is_named),
        T(a_sync_key_of_another_leader_gives_way_to_the_rows),
        T(keys_come_and_go),
        T(the_lease_belongs_to_the_key_that_is_there),
        T(live_settings_are_read_in_seconds),
        T(patroni_s_answer_is_kept_until_it_stops_answering),
        T(faults_are_followed_and_old_ones_make_room),
        T(the_application_s_ticks_add_up),
        T(events_about_unknown_nodes_change_nothing),
        T(more_nodes_than_there_is_room_for_are_dropped),
        T(time_never_runs_backwards),
        cmocka_unit_test_setup_teardown(another_connection_of_a_standby_is_judged_from_its_own_beginning, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_standby_that_receives_nothing_of_what_the_leader_writes_does_not_stream,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_cut_in_force_that_a_probe_confirms_contradicts_a_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_standby_whose_way_to_the_leader_is_cut_does_not_stream_whatever_the_row_says,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
