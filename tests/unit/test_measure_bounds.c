// SPDX-License-Identifier: PostgreSQL
// The bounds of the phases of a failover: where they come from, and what in the log widens them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

static void the_bounds_of_a_crash_come_from_ttl_and_the_age_of_the_lease(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    run_fold(&r, true);
    const struct phase *p = r.o->phases.list;
    assert_true(p[PHASE_DETECT].bounded && p[PHASE_DETECT].inside);
    assert_int_equal(p[PHASE_DETECT].bound_min, MS(30000 - 4200)); // the renewal lies in [5.8 s, 6.0 s]
    assert_int_equal(p[PHASE_DETECT].bound_max, MS(30000 - 4000 + 1000));
    assert_non_null(strstr(p[PHASE_DETECT].why, "ttl 30 s - age of the lease 4.1 s"));
    assert_int_equal(p[PHASE_ELECT].bound_min, MS(1900));
    assert_true(p[PHASE_ELECT].inside && p[PHASE_PROMOTE].inside && p[PHASE_REROUTE].inside);
    assert_false(p[PHASE_REJOIN].bounded);
    run_end(&r);
}

static void an_etcd_leader_on_the_dead_node_restarts_the_lease(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.etcd_leader = "n1";
    world_build(&r.w);
    run_fold(&r, true);
    const struct phase *p = &r.o->phases.list[PHASE_DETECT];
    assert_int_equal(p->bound_min, MS(30000 + 1000 + 1000 - 100));
    assert_int_equal(p->bound_max, MS(30000 + 1000 + 2000 + 1000));
    assert_false(p->inside); // 26.3 s is too early for it
    assert_non_null(strstr(p->why, "etcd leader went too"));
    run_end(&r);
    world_leader_crash(&r.w);
    r.w.etcd_leader = NULL; // not known: the bound covers both
    world_build(&r.w);
    run_fold(&r, true);
    p = &r.o->phases.list[PHASE_DETECT];
    assert_int_equal(p->bound_min, MS(30000 - 4200));
    assert_int_equal(p->bound_max, MS(30000 + 1000 + 2000 + 1000));
    run_end(&r);
}

// Etcd is lost first, the leader's machine a minute later: nothing was renewed and nothing could end.
static void a_lease_that_nobody_could_end_has_no_law(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    VEC_FOREACH (&r.w.events, ev) // all but the lease a minute later
        if (ev->kind != EVENT_GRANT && ev->t > MS(6000))
            ev->t += MS(60000);
    run_fold(&r, false);
    const struct phase *p = &r.o->phases.list[PHASE_DETECT];
    assert_true(p->present);
    assert_false(p->bounded || p->inside);
    assert_non_null(strstr(p->why, "its ttl is 30 s: etcd had no quorum"));
    run_end(&r);
}

static void patroni_says(struct run *r, usec_t t, const char *node, const char *text) {
    struct event ev = {.kind = EVENT_LOG_LINE, .t = t};
    STR_COPY(ev.u.LOG_LINE.node, node);
    STR_COPY(ev.u.LOG_LINE.service, "patroni");
    STR_COPY(ev.u.LOG_LINE.text, text);
    (void)world_add(&r->w, ev);
}

// A crash whose election takes `elect`; the key is gone at 36.3 s.
static void long_election(struct run *r, usec_t elect) {
    *r = (struct run){0};
    world_leader_crash(&r->w);
    usec_t more = r->w.gone + elect - r->w.put;
    r->w.put += more, r->w.writable += more, r->w.writable_previous += more, r->w.writes_back += more;
    r->w.streaming += more, r->w.end += more;
    world_build(&r->w);
}

#define NOT_HEALTHIEST "INFO: following a different leader because i am not the healthiest node"

static void a_race_that_nobody_wins_costs_a_loop(void **state) {
    (void)state;
    struct run r;
    long_election(&r, 12100 * MSEC);
    run_fold(&r, true);
    const struct phase *p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->bounded && !p->inside); // nothing was seen that would explain it
    run_end(&r);
    long_election(&r, 12100 * MSEC);
    patroni_says(&r, MS(38500), "n2", NOT_HEALTHIEST);
    patroni_says(&r, MS(38600), "n3", NOT_HEALTHIEST);
    patroni_says(&r, MS(48300), "n3", NOT_HEALTHIEST); // the loser of the race that n2 wins at 48.4 s
    run_fold(&r, true);
    p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->bounded && p->inside);
    assert_int_equal(p->bound_max, MS(3500 + 10500));
    assert_non_null(strstr(p->why, "1 race that nobody won, each costs a loop_wait of 10 s"));
    assert_non_null(strstr(p->why, "healthiest"));
    run_end(&r);
    long_election(&r, 22100 * MSEC); // longer than what one lost race costs
    patroni_says(&r, MS(38500), "n2", NOT_HEALTHIEST);
    run_fold(&r, true);
    p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->bounded && !p->inside);
    run_end(&r);
    long_election(&r, 2050 * MSEC); // one that kept its law needs no excuse
    patroni_says(&r, MS(36400), "n3", NOT_HEALTHIEST);
    run_fold(&r, true);
    p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->inside && p->bound_max == MS(3500));
    run_end(&r);
}

static void a_candidate_may_be_busy_with_the_silent_leader(void **state) {
    (void)state;
    struct run r;
    long_election(&r, 5000 * MSEC);
    patroni_says(&r, MS(39100), "n2", "ERROR: Exception when working with leader");
    run_fold(&r, true);
    const struct phase *p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->bounded && p->inside && p->bound_max == MS(6500));
    assert_non_null(strstr(p->why, "n2 was still asking the silent leader"));
    run_end(&r);
    long_election(&r, 7000 * MSEC); // it explains 3 s, no more
    patroni_says(&r, MS(39100), "n2", "ERROR: Exception when working with leader");
    patroni_says(&r, MS(39100), "n3", "ERROR: Exception when working with leader");
    run_fold(&r, true);
    assert_false(r.o->phases.list[PHASE_ELECT].inside);
    run_end(&r);
}

static void without_etcd_there_is_no_race_and_no_law(void **state) {
    (void)state;
    struct run r;
    long_election(&r, 18 * SEC);
    patroni_says(&r, MS(40000), "n2", "ERROR: Error communicating with DCS");
    run_fold(&r, true);
    const struct phase *p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->present && !p->bounded);
    assert_non_null(strstr(p->why, "no law: no race without etcd"));
    run_end(&r);
    long_election(&r, 18 * SEC);
    patroni_says(&r, MS(40000), "n1", "ERROR: Error communicating with DCS"); // the old leader, cut off: no excuse
    run_fold(&r, true);
    assert_true(r.o->phases.list[PHASE_ELECT].bounded && !r.o->phases.list[PHASE_ELECT].inside);
    run_end(&r);
}

static void in_maintenance_mode_nobody_races(void **state) {
    (void)state;
    struct run r;
    long_election(&r, 26 * SEC);
    struct event ev = {.kind = EVENT_MANAGER, .t = MS(45000)};
    STR_COPY(ev.u.MANAGER.node, "n2");
    ev.u.MANAGER.answered = ev.u.MANAGER.paused = true;
    (void)world_add(&r.w, ev);
    run_fold(&r, true);
    const struct phase *p = &r.o->phases.list[PHASE_ELECT];
    assert_true(p->present && !p->bounded);
    assert_non_null(strstr(p->why, "maintenance mode"));
    run_end(&r);
}

static void who_hears_nothing_may_renew_once_more(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = "net.drop", r.w.params = "with=others direction=in path=all";
    world_build(&r.w);
    run_fold(&r, true);
    const struct phase *p = &r.o->phases.list[PHASE_DETECT];
    assert_int_equal(p->bound_min, MS(30000 - 4200));
    assert_int_equal(p->bound_max, MS(30000 - 4000 + 10000 + 1000));
    assert_non_null(strstr(p->why, "one more keepalive"));
    run_end(&r);
}

static void a_leader_that_was_named_wins_without_a_race(void **state) {
    (void)state;
    struct run r;
    long_election(&r, 100 * MSEC);
    run_fold(&r, true);
    assert_false(r.o->phases.list[PHASE_ELECT].inside); // a race costs 1.9 s at least
    run_end(&r);
    long_election(&r, 100 * MSEC);
    struct event ev = {.kind = EVENT_ACTION, .t = MS(36000)};
    STR_COPY(ev.u.ACTION.id, "force");
    STR_COPY(ev.u.ACTION.action, "cluster.failover");
    ev.u.ACTION.phase = ACTION_PHASE_ASKED;
    (void)world_add(&r.w, ev);
    run_fold(&r, true);
    assert_true(r.o->phases.list[PHASE_ELECT].inside);
    run_end(&r);
}

static void a_new_etcd_leader_restarts_the_lease_whenever_it_comes(void **state) {
    (void)state;
    struct run r = {0};
    for (int seen = 0; seen < 2; seen++) {
        world_leader_crash(&r.w);
        usec_t more = 20 * SEC;
        r.w.gone += more, r.w.put += more, r.w.writable += more, r.w.writable_previous += more;
        r.w.writes_back += more, r.w.streaming += more, r.w.end += more;
        world_build(&r.w);
        struct event ev = {.kind = EVENT_ARBITER, .t = MS(26000)}; // 16 s after the fault: n2 was etcd's leader
        STR_COPY(ev.u.ARBITER.node, "n3");
        ev.u.ARBITER.answered = true;
        ev.u.ARBITER.leads = seen;
        (void)world_add(&r.w, ev);
        run_fold(&r, true);
        const struct phase *p = &r.o->phases.list[PHASE_DETECT]; // 46.3 s
        assert_true(p->bounded && p->inside == (seen == 1));
        assert_int_equal(p->bound_max, seen ? MS(16000 + 30000 + 1000 + 1000) : MS(27000));
        assert_true(!seen || strstr(p->why, "every lease restarts"));
        run_end(&r);
        r = (struct run){0};
    }
}

static void without_a_lease_the_bound_is_as_wide_as_loop_wait(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.renewed = 0;
    world_build(&r.w);
    run_fold(&r, true);
    assert_int_equal(r.o->phases.list[PHASE_DETECT].bound_min, MS(30000 - 10500));
    assert_int_equal(r.o->phases.list[PHASE_DETECT].bound_max, MS(31000));
    run_end(&r);
}

static void a_killed_patroni_refuses_and_its_race_is_fast(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = "process.kill";
    r.w.params = "service=patroni";
    r.w.etcd_leader = "n1"; // its etcd lives on
    r.w.put = r.w.gone + MS(80);
    world_build(&r.w);
    run_fold(&r, true);
    assert_int_equal(r.o->phases.list[PHASE_ELECT].bound_min, 0);
    assert_int_equal(r.o->phases.list[PHASE_ELECT].bound_max, MS(1500));
    assert_int_equal(r.o->phases.list[PHASE_DETECT].bound_max, MS(27000));
    assert_true(r.o->phases.list[PHASE_ELECT].inside && r.o->phases.list[PHASE_DETECT].inside);
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bounds_of_a_crash_come_from_ttl_and_the_age_of_the_lease),
        cmocka_unit_test(a_lease_that_nobody_could_end_has_no_law),
        cmocka_unit_test(an_etcd_leader_on_the_dead_node_restarts_the_lease),
        cmocka_unit_test(a_race_that_nobody_wins_costs_a_loop),
        cmocka_unit_test(a_candidate_may_be_busy_with_the_silent_leader),
        cmocka_unit_test(without_etcd_there_is_no_race_and_no_law),
        cmocka_unit_test(in_maintenance_mode_nobody_races),
        cmocka_unit_test(who_hears_nothing_may_renew_once_more),
        cmocka_unit_test(a_leader_that_was_named_wins_without_a_race),
        cmocka_unit_test(a_new_etcd_leader_restarts_the_lease_whenever_it_comes),
        cmocka_unit_test(without_a_lease_the_bound_is_as_wide_as_loop_wait),
        cmocka_unit_test(a_killed_patroni_refuses_and_its_race_is_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
