// SPDX-License-Identifier: PostgreSQL
// The story of the application, of people and of daemons from events made by hand: each kind of moment, what is told once
// only, what gets its place in time later. test_story_cluster.c has the cluster's and that of recorded logs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "test_story_teller.h"

// ---- the application --------------------------------------------------------------------------------------------------------

static size_t count(const struct story *s, enum moment_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < story_count(s); i++)
        n += story_at(s, i)->kind == kind;
    return n;
}

static void every_outage_is_told_with_its_length_and_resolution(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_good_ticks(x, 2, 4);
    teller_bad_ticks(x, 4, 5);
    teller_good_ticks(x, 5, 8);
    teller_bad_ticks(x, 8, 11);
    teller_good_ticks(x, 11, 13);
    story_finish(x->s);
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 2);
    assert_int_equal(count(x->s, MOMENT_WRITES_BACK), 2);
    const struct moment *a = teller_find(x->s, "writes are back after 1.01 s"),
                        *b = teller_find(x->s, "writes are back after 3.01 s");
    assert_int_equal(a->error, 12 * MSEC); // one period and the way of a write
    assert_int_equal(b->error, 12 * MSEC);
    assert_true(a->t == 5005 * MSEC && b->t == 11005 * MSEC);
}

static void writes_that_come_back_for_a_moment_do_not_end_an_outage(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_good_ticks(x, 2, 4);
    teller_bad_ticks(x, 4, 5);
    teller_good_ticks(x, 5, 5.5);
    teller_bad_ticks(x, 5.5, 7);
    teller_good_ticks(x, 7, 9);
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 1);
    assert_non_null(teller_find(x->s, "writes are back after 3.01 s"));
    assert_int_equal(teller_find(x->s, "but only for")->weight, TOLD_DETAIL);
}

static void a_hiccup_is_no_outage_unless_a_write_of_it_failed(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_good_ticks(x, 2, 4);
    teller_tick(x, 4, 0, 0, 0, 0);
    teller_tick(x, 4.1, 10, 0, 4.12, 4.19);
    teller_good_ticks(x, 4.2, 8);
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 0);
    teller_tick(x, 8, 0, 0, 0, 0);
    teller_tick(x, 8.1, 10, 0, 8.12, 8.19);
    teller_good_ticks(x, 8.2, 9);
    teller_tick(x, 9, 9, 1, 9.01, 9.09); // given up at its deadline
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 1);
    assert_int_equal(teller_find(x->s, "after it WRITES STOP")->t, 7995 * MSEC);
}

static void an_outage_to_the_end_is_told_at_the_end(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_good_ticks(x, 2, 4);
    teller_bad_ticks(x, 4, 7);
    story_finish(x->s);
    assert_string_equal(story_at(x->s, story_count(x->s) - 1)->text,
                        "writes still failed when the application stopped, after 2.90 s");
}

static void reads_that_stop_are_told(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_good_ticks(x, 2, 3);
    for (int i = 0; i < 10; i++) {
        struct event ev = teller_at(EVENT_CLIENT_TICK, 3.1 + i * 0.1);
        ev.u.CLIENT_TICK.from = ev.t - 100 * MSEC;
        ev.u.CLIENT_TICK.r_tried = 5;
        teller_put(x, &ev);
    }
    teller_good_ticks(x, 4, 4.3);
    assert_int_equal(teller_find(x->s, "READS STOP")->t, 3 * SEC);
    assert_non_null(teller_find(x->s, "reads are back after 1.00 s"));
}

// ---- people and daemons ----------------------------------------------------------------------------------------------------

static void a_daemon_that_no_fault_killed_is_blamed_on_nobody_of_ours(void **state) {
    struct teller *x = *state;
    teller_service(x, 1, "n2", "patroni", "started");
    teller_service(x, 1, "n1", "patroni", "started");
    teller_ready(x);
    teller_command(x, 10, "exec", "n2 pkill -9 patroni");
    teller_service(x, 10.1, "n2", "patroni", "signalled");
    TOLD(x, "somebody enters n2 (bascule exec): pkill -9 patroni\n"
            "patroni on n2 has ended: killed by signal 9: no fault and no act of this run explains it; somebody was "
            "inside the machine\n");
    assert_int_equal(teller_find(x->s, "has ended")->mood, MOOD_BAD);
    strbuf_clear(&x->news);
    teller_fault(x, 20, "kill", "asked", "n1");
    teller_fault(x, 20.01, "kill", "effective", "n1");
    teller_service(x, 20.011, "n1", "patroni", "signalled");
    teller_service(x, 30, "n1", "patroni", "started");
    TOLD(x, "  injecting process.kill on leader, which is n1\n"
            "fault: process.kill on leader, which is n1\n"
            "  patroni on n1 has ended: killed by signal 9\n"
            "patroni on n1 runs again\n");
}

static void what_dies_with_the_lab_is_no_story(void **state) {
    struct teller *x = *state;
    teller_service(x, 1, "n2", "patroni", "started");
    teller_ready(x);
    struct event ev = teller_at(EVENT_LAB_STATE, 9);
    ev.u.LAB_STATE.state = LAB_STATE_STOPPING;
    teller_put(x, &ev);
    teller_service(x, 9.1, "n2", "patroni", "signalled");
    TOLD(x, "");
}

static void holds_and_waits_are_told(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_command(x, 3, "hold", "");
    teller_command(x, 5, "go", "");
    teller_step(x, 6, "waiting", "for 'leader changed': the leader key is still held by n1");
    teller_step(x, 16, "started", "");
    TOLD(x,
         "somebody holds the scenario: no step begins until `bascule next` or `bascule go`\n"
         "somebody lets the scenario go on by itself\n"
         "  step elected is waiting: for 'leader changed': the leader key is still held by n1\n"
         "step elected has waited 10.00 s for 'leader changed': when it began: the leader key is still held by n1\n");
}

static void next_is(struct teller *x, double t, int64_t index, const char *text, bool stands) {
    struct event ev = teller_at(EVENT_STEP_NEXT, t);
    ev.u.STEP_NEXT.index = index;
    ev.u.STEP_NEXT.stands = stands;
    STR_COPY(ev.u.STEP_NEXT.name, index ? "mend" : "cut");
    STR_COPY(ev.u.STEP_NEXT.text, text);
    teller_put(x, &ev);
}

static void what_a_held_scenario_stands_before_is_told_once(void **state) {
    struct teller *x = *state;
    struct event ev = teller_at(EVENT_COMMAND, 1);
    STR_COPY(ev.u.COMMAND.verb, "hold");
    STR_COPY(ev.u.COMMAND.from, "run");
    teller_put(x, &ev);
    next_is(x, 1, 0, "net.drop on the leader", false);
    next_is(x, 2, 0, "net.drop on the leader, which is n1 now", true);
    next_is(x, 3, 0, "net.drop on the leader, which is n2 now", true); // the same step: status says it
    next_is(x, 4, 1, "heals 'cut' (net.drop)", false);
    next_is(x, 5, 1, "heals 'cut' (net.drop)", true);
    next_is(x, 6, -1, "", false);
    TOLD(x, "the scenario is held before its first step (--hold): `bascule next` takes a step, `bascule go` goes on by "
            "itself\n"
            "held before step 1, 'cut': net.drop on the leader, which is n1 now\n"
            "held before step 2, 'mend': heals 'cut' (net.drop)\n");
}

static void a_setting_that_changes_while_the_lab_runs_is_told(void **state) {
    struct teller *x = *state;
    struct event ev = teller_at(EVENT_CONFIG, 1);
    STR_COPY(ev.u.CONFIG.key, "patroni.ttl");
    STR_COPY(ev.u.CONFIG.value, "30");
    teller_put(x, &ev);
    teller_ready(x);
    ev.t = 5 * SEC;
    teller_put(x, &ev);
    STR_COPY(ev.u.CONFIG.value, "20");
    teller_put(x, &ev);
    TOLD(x, "setting patroni.ttl is 20 now (before: 30)\n");
}

static void proxy(struct teller *x, double t, const char *server, const char *state) {
    struct event ev = teller_at(EVENT_PROXY, t);
    STR_COPY(ev.u.PROXY.node, "app");
    STR_COPY(ev.u.PROXY.backend, "primary");
    STR_COPY(ev.u.PROXY.server, server);
    STR_COPY(ev.u.PROXY.state, state);
    teller_put(x, &ev);
}

static void where_a_proxy_sends_to_is_told(void **state) {
    struct teller *x = *state;
    proxy(x, 1, "n1", "UP");
    proxy(x, 1, "n2", "DOWN");
    teller_ready(x);
    proxy(x, 5, "n1", "UP 1/2");
    proxy(x, 6, "n1", "DOWN");
    proxy(x, 7, "n1", "DOWN");
    proxy(x, 9, "n2", "UP");
    TOLD(x, "HAProxy on app no longer sends to n1 for primary\nHAProxy on app sends to n2 for primary\n");
}

static void sync_key(struct teller *x, double t, const char *value) {
    struct event ev = teller_at(EVENT_ENTRY, t);
    STR_COPY(ev.u.ENTRY.key, "sync");
    STR_COPY(ev.u.ENTRY.value, value);
    teller_put(x, &ev);
}

static void another_synchronous_standby_is_told(void **state) {
    struct teller *x = *state;
    sync_key(x, 1, "{\"leader\":\"n1\",\"sync_standby\":\"n2\"}");
    teller_ready(x);
    sync_key(x, 2, "{\"leader\":\"n1\",\"sync_standby\":\"n2\"}");
    sync_key(x, 5, "{\"leader\":\"n1\",\"sync_standby\":\"n3\"}");
    sync_key(x, 9, "{\"leader\":\"n1\",\"sync_standby\":null}");
    TOLD(x, "synchronous standby by the DCS: n3 (before: n2)\nthe DCS names no synchronous standby any more (before: "
            "n3)\n");
}

static void an_effect_is_never_told_before_its_fault(void **state) {
    struct teller *x = *state;
    teller_sql(x, 1.1, 0, "n1", WRITES, 1);
    teller_ready(x);
    teller_fault(x, 4.00, "kill", "asked", "n1");
    teller_sql(x, 4.01, 4.0, "n1", SILENT, 0); // seen before the injector saw the exit
    teller_fault(x, 4.03, "kill", "effective", "n1");
    teller_service(x, 4.005, "n1", "postgres", "signalled"); // told later, with its own time
    const struct moment *bite = teller_find(x->s, "fault: process.kill"),
                        *fall = teller_find(x->s, "accepts no writes");
    assert_true(bite->t <= fall->t && bite->t == 4005 * MSEC && bite->error == 5 * MSEC);
    bool bitten = false;
    for (size_t i = 0; i < story_count(x->s); i++) {
        const struct moment *m = story_at(x->s, i);
        bitten |= m == bite;
        assert_true(bitten || (m->kind != MOMENT_DEMOTED && m->kind != MOMENT_SERVICE));
        assert_true(i == 0 || story_at(x->s, i - 1)->t <= m->t);
    }
}

static void faults_by_hand_and_failed_ones_say_so(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_fault(x, 2, "hand-1", "asked", "n1");
    teller_fault(x, 2.1, "hand-1", "effective", "n1");
    teller_fault(x, 2.2, "hand-1", "unverified", "n1");
    teller_fault(x, 3, "hand-1", "heal_asked", "n1");
    teller_fault(x, 3.1, "hand-1", "healed", "n1");
    teller_fault(x, 4, "two", "asked", "n1");
    teller_fault(x, 4.1, "two", "failed", "n1");
    TOLD(x, "  injecting process.kill on leader, which is n1, by hand\n"
            "fault by hand: process.kill on leader, which is n1\n"
            "NOT VERIFIED: process.kill on n1\n"
            "  healing process.kill on n1\n"
            "healed: process.kill on n1\n"
            "  injecting process.kill on leader, which is n1\n"
            "injection FAILED: process.kill on leader, which is n1\n");
}

static void a_long_story_forgets_details_first(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_command(x, 2, "hold", "");
    for (int i = 0; i < 3 * STORY_MOST; i++) {
        struct event ev = teller_at(EVENT_PROGRESS, 3 + i * 0.001);
        (void)snprintf(ev.u.PROGRESS.text, sizeof ev.u.PROGRESS.text, "line %d", i);
        story_event(x->s, &ev);
    }
    assert_true(story_count(x->s) <= STORY_MOST);
    assert_non_null(teller_find(x->s, "somebody holds"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TELLER_TEST(every_outage_is_told_with_its_length_and_resolution),
        TELLER_TEST(writes_that_come_back_for_a_moment_do_not_end_an_outage),
        TELLER_TEST(a_hiccup_is_no_outage_unless_a_write_of_it_failed),
        TELLER_TEST(an_outage_to_the_end_is_told_at_the_end),
        TELLER_TEST(reads_that_stop_are_told),
        TELLER_TEST(a_daemon_that_no_fault_killed_is_blamed_on_nobody_of_ours),
        TELLER_TEST(what_dies_with_the_lab_is_no_story),
        TELLER_TEST(holds_and_waits_are_told),
        TELLER_TEST(what_a_held_scenario_stands_before_is_told_once),
        TELLER_TEST(a_setting_that_changes_while_the_lab_runs_is_told),
        TELLER_TEST(where_a_proxy_sends_to_is_told),
        TELLER_TEST(another_synchronous_standby_is_told),
        TELLER_TEST(an_effect_is_never_told_before_its_fault),
        TELLER_TEST(faults_by_hand_and_failed_ones_say_so),
        TELLER_TEST(a_long_story_forgets_details_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
