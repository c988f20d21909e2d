// SPDX-License-Identifier: PostgreSQL
// What nobody watched is not known: each kind of claim with a hole in its time, and beside it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "test_measure_world.h"

#define MS(n) ((usec_t)(n)*MSEC)

static void add_noise(struct world *w, usec_t t, usec_t late) {
    struct event ev = EVENT_NEW(NOISE);
    ev.t = t;
    ev.u.NOISE.late_max_us = (int64_t)late;
    (void)world_add(w, ev);
}

// The loop of the observer runs every second of the run, but stands still in [from, to]: its probes tell nothing then, and what the
// DCS and the leader have kept for it comes when it goes on.
static void stand_still(struct world *w, usec_t from, usec_t to) {
    size_t kept = 0;
    for (size_t i = 0; i < w->events.n; i++) {
        struct event *ev = &w->events.items[i];
        bool inside = ev->t > from && ev->t < to;
        if (inside && ev->kind == EVENT_SQL)
            continue;
        if (inside && (ev->kind == EVENT_AUTHORITY || ev->kind == EVENT_ENTRY || ev->kind == EVENT_REPLICATION))
            ev->t = to;
        if (ev->kind == EVENT_SQL && ev->u.SQL.previous > from && ev->u.SQL.previous < to)
            ev->u.SQL.previous = from;
        w->events.items[kept++] = *ev;
    }
    w->events.n = kept;
    for (usec_t t = SEC; t < w->end + 4 * SEC; t += SEC)
        if (t <= from || t > to)
            add_noise(w, t, 900);
    if (to > from)
        add_noise(w, to, to - from);
}

// The application stands still in [from, to] and works off its schedule afterwards: what has waited for too long was never sent.
static void app_stands_still(struct world *w, usec_t from, usec_t to) {
    VEC_FOREACH (&w->events, ev) {
        if (ev->kind != EVENT_CLIENT_TICK || ev->u.CLIENT_TICK.from < from || ev->u.CLIENT_TICK.from >= to)
            continue;
        ev->u.CLIENT_TICK.late_us = (int64_t)(to - ev->u.CLIENT_TICK.from);
    }
}

static void assert_unknown(const struct run *r, const char *kind, const char *words) {
    const struct expect_result *e = run_expected(r, kind);
    if (e->known || !strstr(e->text, words))
        fail_msg("%s", e->text);
    assert_false(e->ok);
    assert_true(e->watched && e->watched_hole >= SEC);
}

static void assert_held(const struct run *r, const char *kind) {
    const struct expect_result *e = run_expected(r, kind);
    if (!e->known || !e->ok)
        fail_msg("%s", e->text);
}

static void assert_broken(const struct run *r, const char *kind) {
    const struct expect_result *e = run_expected(r, kind);
    if (!e->known || e->ok)
        fail_msg("%s", e->text);
}

static void a_watched_run_passes_and_says_what_was_watched(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    stand_still(&r.w, 0, 0);
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_PASS);
    assert_int_equal(r.o->holes.n, 0);
    const struct expect_result *e = run_expected(&r, "split_brain");
    assert_true(e->watched && e->watched_hole == 0);
    assert_true(e->watched_from == MS(3003) && e->watched_to >= MS(43900));
    assert_false(run_expected(&r, "foreign_rows")->watched);
    run_end(&r);
}

static void no_split_brain_is_claimed_for_time_in_which_nobody_looked(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    stand_still(&r.w, MS(12000), MS(32000));
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    assert_unknown(&r, "split_brain",
                   "is not known: nobody watched from 12.0 s to 32.0 s: the lab's supervisor stood still");
    assert_non_null(strstr(r.o->reason, "nobody watched from 12.0 s to 32.0 s"));
    assert_int_equal(r.o->holes.n, 1);
    run_end(&r);
}

static void a_hole_before_the_application_or_after_it_takes_nothing_back(void **state) {
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        stand_still(&r.w, late ? MS(44500) : MS(500), late ? MS(46900) : MS(2900));
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, VERDICT_PASS);
        run_end(&r);
    }
}

// All nodes had taken writes before it and after it: that none did meanwhile is nobody's knowledge.
static void a_hole_is_no_outage_of_the_cluster(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.fault = r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
    r.w.writes_back = r.w.writes_stop;
    world_build(&r.w);
    stand_still(&r.w, MS(12000), MS(32000));
    run_fold(&r, true);
    assert_int_equal(r.o->holes.n, 1);
    assert_int_equal(r.o->cluster.outage, 0);
    run_end(&r);
}

static void one_postgresql_without_its_probe_is_named(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    stand_still(&r.w, 0, 0);
    size_t kept = 0;
    for (size_t i = 0; i < r.w.events.n; i++) {
        const struct event *ev = &r.w.events.items[i];
        if (ev->kind != EVENT_SQL || !str_eq(ev->u.SQL.node, "n3") || ev->t < MS(15500) || ev->t > MS(29500))
            r.w.events.items[kept++] = *ev;
    }
    r.w.events.n = kept;
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    assert_unknown(&r, "split_brain", "nobody watched n3's PostgreSQL from 15.0 s to 30.0 s");
    run_end(&r);
}

// n1 goes on accepting the probe's writes until 43.5 s, n2 is promoted at 38.8 s.
static void two_primaries(struct run *r) {
    run_crash(r);
    r->w.mechanism = "process.kill", r->w.params = "service=patroni";
    world_build(&r->w);
    for (usec_t t = MS(10500); t <= MS(43800); t += MS(100))
        world_sql(&r->w, "n1", t, t - MS(100), true, t <= MS(43500));
}

static void what_was_proven_stays_proven(void **state) {
    (void)state;
    struct run r;
    two_primaries(&r);
    stand_still(&r.w, MS(12000), MS(32000));
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    assert_broken(&r, "split_brain");
    run_end(&r);
}

static void accepted_before_a_hole_and_after_it_is_no_proof_for_the_hole(void **state) {
    (void)state;
    struct run r;
    two_primaries(&r);
    stand_still(&r.w, MS(38850), MS(43550)); // both were writable when last seen, n1 no longer when seen again
    run_fold(&r, true);
    assert_true(r.o->split_brain.min < MS(100));
    assert_true(r.o->split_brain.max > SEC);
    run_end(&r);
}

static void times_that_a_hole_may_have_shifted_are_not_known(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "rejoin", -1, 1.5e6); // seen: 3.1 s, when the hole ended; it may have been sooner
    world_expect(&r.w, "phases", -1, -1);
    world_expect(&r.w, "write_outage", 20e6, 34e6); // the application's own clock
    stand_still(&r.w, MS(39000), MS(42000));
    run_fold(&r, true);
    assert_unknown(&r, "rejoin", "nobody watched from 39.0 s to 42.0 s");
    assert_held(&r, "phases"); // it ended before
    assert_held(&r, "write_outage");
    run_end(&r);

    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "phases", -1, -1);
    stand_still(&r.w, MS(20000), MS(25000));
    run_fold(&r, true);
    assert_unknown(&r, "phases", "nobody watched from 20.0 s to 25.0 s");
    run_end(&r);
}

// The outage is known all the same: the application watched it.
static void bounds_rest_on_phases_that_somebody_watched(void **state) {
    (void)state;
    static const struct {
        usec_t from, to;
        double max;
        bool known;
    } cases[] = {
        {MS(39000), MS(42000), -1, true}, {MS(20000), MS(25000), -1, false}, {MS(20000), MS(25000), 20e6, true}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        world_expect(&r.w, "write_outage", -1, cases[i].max);
        world_find(&r.w, EVENT_EXPECT, 0)->u.EXPECT.inside = true;
        stand_still(&r.w, cases[i].from, cases[i].to);
        run_fold(&r, true);
        if (!cases[i].known)
            assert_unknown(&r, "write_outage",
                           "could not write for 28.91 s; whether the settings allow that is not known: nobody watched "
                           "from 20.0 s");
        else if (cases[i].max < 0)
            assert_held(&r, "write_outage");
        else
            assert_broken(&r, "write_outage"); // too long by the scenario's own limit
        run_end(&r);
    }
}

static void an_application_that_stood_still_proves_no_least_outage(void **state) {
    (void)state;
    static const struct {
        double min, max;
        int known, ok;
    } table[] = {
        {-1, 34e6, 1, 1},   // it can't have been longer than it seemed
        {20e6, 34e6, 0, 0}, // but shorter
        {5e6, 34e6, 1, 1},  // for 8.9 s it tried, and was refused
        {-1, 20e6, 0, 0},   // perhaps
        {-1, 5e6, 1, 0},    // certainly not
        {40e6, -1, 1, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        world_expect(&r.w, "write_outage", table[i].min, table[i].max);
        app_stands_still(&r.w, 10 * SEC, 30 * SEC);
        run_fold(&r, true);
        const struct expect_result *e = run_expected(&r, "write_outage");
        if (e->known != table[i].known || e->ok != table[i].ok)
            fail_msg("row %zu: %s", i, e->text);
        if (!e->known)
            assert_non_null(strstr(e->text, "the application stood still from 10.0 s to 30.0 s"));
        run_end(&r);
    }
}

static void an_application_that_stood_still_proves_no_absence_of_loss(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    world_expect(&r.w, "recovery", 20e6, -1);
    world_expect(&r.w, "write_availability", -1, 60);
    app_stands_still(&r.w, 10 * SEC, 30 * SEC);
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    assert_unknown(&r, "lost_writes", "the application stood still from 10.0 s to 30.0 s");
    assert_unknown(&r, "recovery", "the application stood still");
    assert_unknown(&r, "write_availability", "the application stood still");
    assert_held(&r, "split_brain"); // the probes' own writes
    run_end(&r);

    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    run_rows(&r, "n2", "1-600,3591-4100");
    app_stands_still(&r.w, 20 * SEC, 30 * SEC);
    run_fold(&r, true);
    assert_broken(&r, "lost_writes");
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watched_run_passes_and_says_what_was_watched),
        cmocka_unit_test(no_split_brain_is_claimed_for_time_in_which_nobody_looked),
        cmocka_unit_test(a_hole_before_the_application_or_after_it_takes_nothing_back),
        cmocka_unit_test(a_hole_is_no_outage_of_the_cluster),
        cmocka_unit_test(one_postgresql_without_its_probe_is_named),
        cmocka_unit_test(what_was_proven_stays_proven),
        cmocka_unit_test(accepted_before_a_hole_and_after_it_is_no_proof_for_the_hole),
        cmocka_unit_test(times_that_a_hole_may_have_shifted_are_not_known),
        cmocka_unit_test(bounds_rest_on_phases_that_somebody_watched),
        cmocka_unit_test(an_application_that_stood_still_proves_no_least_outage),
        cmocka_unit_test(an_application_that_stood_still_proves_no_absence_of_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
