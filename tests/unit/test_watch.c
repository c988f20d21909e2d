// SPDX-License-Identifier: PostgreSQL
// When nobody looked: the holes that the fold finds, and those that it must not find.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/model/lanes.h"
#include "lab/model/watch.h"

#define MS(n) ((usec_t)(n)*MSEC)

struct script {
    struct watch *w;
    watch_hole_list holes;
};

static int setup(void **state) {
    struct script *s = xcalloc(1, sizeof *s);
    s->w = watch_new();
    *state = s;
    return 0;
}
static int teardown(void **state) {
    struct script *s = *state;
    watch_free(s->w);
    VEC_DONE(&s->holes);
    free(s);
    return 0;
}

static void noise(struct script *s, usec_t t, usec_t late) {
    struct event ev = EVENT_NEW(NOISE);
    ev.t = t;
    ev.u.NOISE.late_max_us = (int64_t)late;
    watch_event(s->w, &ev);
}

static void sql(struct script *s, usec_t t, const char *node, const char *error) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = t;
    STR_COPY(ev.u.SQL.node, node);
    STR_COPY(ev.u.SQL.error, error);
    ev.u.SQL.answered = !*error;
    watch_event(s->w, &ev);
}

static void power(struct script *s, usec_t t, const char *node, bool on) {
    struct event ev = EVENT_NEW(NODE_POWER);
    ev.t = t;
    STR_COPY(ev.u.NODE_POWER.node, node);
    ev.u.NODE_POWER.on = on;
    watch_event(s->w, &ev);
}

static void tick(struct script *s, usec_t from, usec_t late) {
    struct event ev = EVENT_NEW(CLIENT_TICK);
    ev.t = from + MS(100);
    ev.u.CLIENT_TICK.from = from;
    ev.u.CLIENT_TICK.w_tried = 10;
    ev.u.CLIENT_TICK.late_us = (int64_t)late;
    watch_event(s->w, &ev);
}

// An ordinary second: the loop is late by 0.2 s, each PostgreSQL speaks.
static void quiet(struct script *s, usec_t from, usec_t to) {
    for (usec_t t = from; t <= to; t += SEC) {
        noise(s, t, MS(200));
        sql(s, t, "n1", "");
        sql(s, t, "n2", "");
    }
}

static size_t list(struct script *s, usec_t until) {
    VEC_CLEAR(&s->holes);
    watch_list(s->w, until, &s->holes);
    return s->holes.n;
}

static void assert_hole(const struct script *s, size_t i, enum watch_source source, const char *node, usec_t from,
                        usec_t to) {
    assert_true(i < s->holes.n);
    const struct watch_hole *h = &s->holes.items[i];
    assert_int_equal(h->source, source);
    assert_string_equal(h->node, node);
    assert_int_equal(h->from, from);
    assert_int_equal(h->to, to);
}

static void a_run_that_was_watched_has_no_hole(void **state) {
    struct script *s = *state;
    quiet(s, SEC, 60 * SEC);
    assert_int_equal(list(s, 61 * SEC), 0);
}

static void an_observer_that_stood_still_is_one_hole_and_not_one_per_node(void **state) {
    struct script *s = *state;
    quiet(s, SEC, 10 * SEC);
    sql(s, MS(30210), "n1", ""); // answers may be read before the timer tells how late it is
    noise(s, MS(30210), MS(20000));
    sql(s, MS(30220), "n2", "");
    quiet(s, 31 * SEC, 40 * SEC);
    assert_int_equal(list(s, 40 * SEC), 1);
    assert_hole(s, 0, WATCH_OBSERVER, "", MS(10210), MS(30210));
    assert_int_equal(list(s, 20 * SEC), 1);
    assert_hole(s, 0, WATCH_OBSERVER, "", MS(10210), 20 * SEC);
}

static void a_late_timer_below_a_second_is_noise_and_no_hole(void **state) {
    struct script *s = *state;
    quiet(s, SEC, 10 * SEC);
    noise(s, MS(11900), MS(999));
    quiet(s, 12 * SEC, 20 * SEC);
    assert_int_equal(list(s, 20 * SEC), 0);
    noise(s, 21 * SEC, SEC);
    assert_int_equal(list(s, 21 * SEC), 1);
}

static void missing_lines_of_the_noise_are_a_hole(void **state) {
    struct script *s = *state;
    quiet(s, SEC, 10 * SEC);
    noise(s, 20 * SEC, MS(10));
    assert_int_equal(list(s, 20 * SEC), 1);
    assert_hole(s, 0, WATCH_OBSERVER, "", 10 * SEC, 20 * SEC);
    assert_int_equal(list(s, 30 * SEC), 2); // and to the end of the log
    assert_hole(s, 1, WATCH_OBSERVER, "", 20 * SEC, 30 * SEC);
}

static void a_log_without_noise_is_an_old_one(void **state) {
    struct script *s = *state;
    for (usec_t t = SEC; t < 30 * SEC; t += SEC)
        sql(s, t, "n1", "");
    assert_int_equal(list(s, 30 * SEC), 0);
}

static void a_postgresql_that_nobody_asks_is_a_hole_of_its_own(void **state) {
    struct script *s = *state;
    for (usec_t t = SEC; t <= 30 * SEC; t += SEC) {
        noise(s, t, MS(1));
        sql(s, t, "n2", "");
        if (t <= 10 * SEC || t >= 20 * SEC)
            sql(s, t, "n1", "");
    }
    assert_int_equal(list(s, 31 * SEC), 1);
    assert_hole(s, 0, WATCH_POSTGRES, "n1", 10 * SEC, 20 * SEC);
    for (usec_t t = 31 * SEC; t <= 40 * SEC; t += SEC)
        noise(s, t, 0);
    assert_int_equal(list(s, 40 * SEC), 3); // both silent to the end
}

static void silence_and_a_machine_without_power_are_watched(void **state) {
    struct script *s = *state;
    quiet(s, SEC, 10 * SEC);
    power(s, 11 * SEC, "n1", false);
    sql(s, MS(11010), "n1", "powered off");
    sql(s, 12 * SEC, "n2", "no answer for 2 s"); // its probe waits on
    for (usec_t t = 11 * SEC; t <= 40 * SEC; t += SEC)
        noise(s, t, MS(1));
    assert_int_equal(list(s, 40 * SEC), 0);
    power(s, 40 * SEC, "n1", true);
    sql(s, 41 * SEC, "n1", "the database system is starting up");
    sql(s, 41 * SEC, "n2", "");
    for (usec_t t = 41 * SEC; t <= 50 * SEC; t += SEC)
        noise(s, t, MS(1));
    assert_int_equal(list(s, 50 * SEC), 2); // now both should speak
}

static void an_application_that_stood_still_is_a_hole(void **state) {
    struct script *s = *state;
    for (usec_t t = 0; t < 10 * SEC; t += MS(100))
        tick(s, t, t == MS(500) ? MS(999) : 0);
    for (usec_t t = 10 * SEC; t < 30 * SEC; t += MS(100)) // told when it went on, in the buckets of the schedule
        tick(s, t, 30 * SEC - t);
    tick(s, 30 * SEC, 0);
    assert_int_equal(list(s, 31 * SEC), 1);
    assert_hole(s, 0, WATCH_APPLICATION, "", 10 * SEC, 30 * SEC);
}

static void nobody_has_to_watch_a_lab_that_stops(void **state) {
    struct script *s = *state;
    quiet(s, SEC, 10 * SEC);
    struct event ev = EVENT_NEW(LAB_STATE);
    ev.t = 11 * SEC;
    ev.u.LAB_STATE.state = LAB_STATE_STOPPING;
    watch_event(s->w, &ev);
    noise(s, 30 * SEC, MS(18000));
    assert_int_equal(list(s, 40 * SEC), 0);
}

static void a_log_full_of_holes_costs_little_and_hides_nothing(void **state) {
    struct script *s = *state;
    for (usec_t t = 10 * SEC; t < 100000 * SEC; t += 10 * SEC)
        noise(s, t, 2 * SEC);
    size_t n = list(s, 200000 * SEC);
    assert_true(n > 0 && n < 1000);
    usec_t to = 0;
    VEC_FOREACH (&s->holes, h)
        to = h->to > to ? h->to : to;
    assert_int_equal(to, 200000 * SEC);
}

static void words_name_the_hole(void **state) {
    (void)state;
    char buf[200];
    struct watch_hole h = {.source = WATCH_POSTGRES, .node = "n1", .from = MS(12300), .to = MS(32100)};
    assert_string_equal(watch_words(&h, buf, sizeof buf), "nobody watched n1's PostgreSQL from 12.3 s to 32.1 s");
    h.source = WATCH_OBSERVER;
    assert_string_equal(watch_words(&h, buf, sizeof buf),
                        "nobody watched from 12.3 s to 32.1 s: the lab's supervisor stood still");
    h.source = WATCH_APPLICATION;
    assert_string_equal(watch_words(&h, buf, sizeof buf),
                        "the application stood still from 12.3 s to 32.1 s and tried nothing");
}

static void a_hole_in_a_lane_is_drawn_as_one(void **state) {
    (void)state;
    segment_list l = {0};
    segment_hole(&l, SEC, 2 * SEC, LANE_UNWATCHED); // nothing was known: nothing to be drawn over
    assert_int_equal(l.n, 0);
    segment_note(&l, SEC, LANE_STARTING);
    segment_note(&l, 10 * SEC, LANE_LEADER);
    segment_hole(&l, 12 * SEC, 32 * SEC, LANE_UNWATCHED);
    segment_note(&l, 32 * SEC, LANE_DOWN); // the first look after it finds another state
    assert_int_equal(l.n, 4);
    assert_true(l.items[1].lane == LANE_LEADER && l.items[1].to == 12 * SEC);
    assert_true(l.items[2].lane == LANE_UNWATCHED && l.items[2].from == 12 * SEC && l.items[2].to == 32 * SEC);
    assert_true(l.items[3].lane == LANE_DOWN && l.items[3].from == 32 * SEC && l.items[3].to == USEC_NEVER);
    segment_hole(&l, 30 * SEC, 40 * SEC, LANE_UNWATCHED);
    assert_int_equal(l.items[l.n - 2].lane, LANE_UNWATCHED);
    assert_int_equal(l.items[l.n - 1].lane, LANE_DOWN);
    for (size_t i = 1; i < l.n; i++)
        assert_true(l.items[i].from == l.items[i - 1].to && l.items[i].from >= l.items[i - 1].from);
    VEC_DONE(&l);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_run_that_was_watched_has_no_hole),
        T(an_observer_that_stood_still_is_one_hole_and_not_one_per_node),
        T(a_late_timer_below_a_second_is_noise_and_no_hole),
        T(missing_lines_of_the_noise_are_a_hole),
        T(a_log_without_noise_is_an_old_one),
        T(a_postgresql_that_nobody_asks_is_a_hole_of_its_own),
        T(silence_and_a_machine_without_power_are_watched),
        T(an_application_that_stood_still_is_a_hole),
        T(nobody_has_to_watch_a_lab_that_stops),
        T(a_log_full_of_holes_costs_little_and_hides_nothing),
        cmocka_unit_test(words_name_the_hole),
        cmocka_unit_test(a_hole_in_a_lane_is_drawn_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
