// SPDX-License-Identifier: PostgreSQL
// The history of leadership, and the questions that phases and laws ask of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/ha/ha.h"

struct world {
    struct model *m;
    struct leadership l;
};

static int open_world(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    w->m = model_new();
    *state = w;
    return 0;
}
static int close_world(void **state) {
    struct world *w = *state;
    model_free(w->m);
    leadership_done(&w->l);
    free(w);
    return 0;
}

static void tell(struct world *w, const struct event *ev) {
    model_apply(w->m, ev);
    ha_leadership_event(&w->l, w->m, ev);
}

static void tell_key(struct world *w, usec_t t, const char *holder, bool initial) {
    struct event ev = EVENT_NEW(AUTHORITY);
    ev.t = t;
    STR_COPY(ev.u.AUTHORITY.holder, holder);
    ev.u.AUTHORITY.gone = !*holder;
    ev.u.AUTHORITY.initial = initial;
    tell(w, &ev);
}

static void tell_probe(struct world *w, usec_t t, const char *node, bool writable) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = t;
    ev.u.SQL.previous = t - 100 * MSEC;
    ev.u.SQL.answered = true;
    ev.u.SQL.writable = writable;
    STR_COPY(ev.u.SQL.node, node);
    tell(w, &ev);
}

static void tell_standstill(struct world *w, usec_t from, usec_t to) {
    struct event ev = EVENT_NEW(NOISE);
    ev.t = to;
    ev.u.NOISE.late_max_us = (int64_t)(to - from);
    tell(w, &ev);
}

static void tell_setting(struct world *w, usec_t t, const char *value) {
    struct event ev = EVENT_NEW(CONFIG);
    ev.t = t;
    STR_COPY(ev.u.CONFIG.key, "patroni.ttl");
    STR_COPY(ev.u.CONFIG.value, value);
    tell(w, &ev);
}

static void what_the_first_read_found_was_there_before(void **state) {
    struct world *w = *state;
    assert_string_equal("", leadership_holder(&w->l, SEC));
    tell_key(w, 5 * SEC, "n1", true);
    tell_key(w, 9 * SEC, "", false);
    tell_key(w, 11 * SEC, "n2", false);
    assert_string_equal("n1", leadership_holder(&w->l, SEC));
    assert_string_equal("n1", leadership_holder(&w->l, 9 * SEC - 1));
    assert_string_equal("", leadership_holder(&w->l, 9 * SEC));
    assert_string_equal("n2", leadership_holder(&w->l, 20 * SEC));
}

static void a_server_that_never_stopped_does_not_count_as_promoted(void **state) {
    struct world *w = *state;
    usec_t at = 0, error = 0;
    for (usec_t t = SEC; t < 10 * SEC; t += 100 * MSEC)
        tell_probe(w, t, "n1", true);
    assert_false(leadership_writable(&w->l, "n1", 5 * SEC, true, &at, &error));
    assert_true(leadership_writable(&w->l, "n1", 5 * SEC, false, &at, &error));
    assert_int_equal(at, 5 * SEC); // all along
    assert_int_equal(error, 0);
    assert_int_equal(leadership_fell(&w->l, "n1", 5 * SEC, 20 * SEC, &error), 0);
    assert_false(leadership_writable(&w->l, "n1", 10 * SEC, false, &at, &error)); // nobody has asked since
    tell_probe(w, 10 * SEC, "n1", false);
    tell_probe(w, 12 * SEC, "n1", true);
    assert_int_equal(leadership_fell(&w->l, "n1", 5 * SEC, 20 * SEC, &error), 10 * SEC);
    assert_int_equal(error, 100 * MSEC);
    assert_int_equal(leadership_fell(&w->l, "n1", 5 * SEC, 9 * SEC, &error), 0);
    assert_true(leadership_writable(&w->l, "n1", 5 * SEC, true, &at, &error));
    assert_int_equal(at, 12 * SEC);
    assert_int_equal(error, 100 * MSEC);
    assert_false(leadership_writable(&w->l, "n2", 5 * SEC, true, &at, &error));
}

static void the_first_value_of_a_setting_holds_for_the_time_before(void **state) {
    struct world *w = *state;
    assert_int_equal(leadership_setting(&w->l, "patroni.ttl", SEC, SEC, 7), 7);
    tell_setting(w, 5 * SEC, "nonsense");
    assert_int_equal(leadership_setting(&w->l, "patroni.ttl", 9 * SEC, SEC, 7), 7);
    tell_setting(w, 6 * SEC, "30");
    tell_setting(w, 8 * SEC, "20");
    assert_int_equal(leadership_setting(&w->l, "patroni.ttl", SEC, SEC, 7), 30 * SEC);
    assert_int_equal(leadership_setting(&w->l, "patroni.ttl", 7 * SEC, SEC, 7), 30 * SEC);
    assert_int_equal(leadership_setting(&w->l, "patroni.ttl", 9 * SEC, SEC, 7), 20 * SEC);
}

static void an_act_does_not_name_a_leader_against_itself(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 2; i++) {
        struct event ev = EVENT_NEW(ACTION);
        ev.t = (usec_t)(i + 1) * SEC;
        STR_COPY(ev.u.ACTION.id, i ? "second" : "first");
        STR_COPY(ev.u.ACTION.action, "cluster.switchover");
        ev.u.ACTION.phase = ACTION_PHASE_ASKED;
        tell(w, &ev);
    }
    assert_int_equal(leadership_named(&w->l, 0, "none"), SEC);
    assert_int_equal(leadership_named(&w->l, 0, "first"), 2 * SEC);
    assert_true(leadership_named(&w->l, 2 * SEC, "second") == USEC_NEVER);
}

// A log of a later program, with a system that this one does not know: told without laws, and nobody's words are taken for another's.
static void a_system_that_is_not_known_has_no_laws_and_no_words(void **state) {
    struct world *w = *state;
    struct event ev = EVENT_NEW(RUN_BEGIN), line = EVENT_NEW(LOG_LINE);
    struct phase phases[PHASE_COUNT] = {[PHASE_ELECT] = {.present = true, .duration = SEC}};
    const struct bound_case c = {.fault = {"node.power_off", "", "n1", "n1"}, .id = "f"};
    STR_COPY(line.u.LOG_LINE.service, "patroni");
    STR_COPY(line.u.LOG_LINE.text, "following a different leader because i am not the healthiest node");
    STR_COPY(ev.u.RUN_BEGIN.stack, "raft-of-tomorrow");
    tell(w, &ev);
    tell(w, &line);
    assert_int_equal(w->l.said.n, 0);
    assert_string_equal(w->l.kind->title, "a system that this program does not know");
    assert_int_equal(w->l.system->effect(&c.fault), HA_NONE);
    w->l.system->bounds(&w->l, w->m, &c, phases);
    assert_false(phases[PHASE_ELECT].bounded);
    assert_string_equal(phases[PHASE_ELECT].why, "no law: this program does not know the system of this run");
    STR_COPY(ev.u.RUN_BEGIN.stack, "");
    tell(w, &ev); // an old log
    tell(w, &line);
    assert_int_equal(w->l.said.n, 1);
    assert_string_equal(w->l.kind->title, "Patroni");
}

static void an_endless_lab_keeps_so_many_entries_and_the_newest(void **state) {
    struct world *w = *state;
    w->l.most = 100;
    for (usec_t i = 1; i <= 1000; i++) {
        tell_key(w, i * SEC, i % 2 ? "n1" : "n2", false);
        tell_probe(w, i * SEC, "n1", i % 2);
        tell_setting(w, i * SEC, "30");
    }
    assert_in_range(w->l.keys.n, 70, 100);
    assert_in_range(w->l.writable.n, 70, 100);
    assert_in_range(w->l.settings.n, 70, 100);
    assert_int_equal(w->l.keys.items[w->l.keys.n - 1].t, 1000 * SEC);
}

static void tell_recovery(struct world *w, const struct recovery_case *c, struct recovery *r) {
    recovery_tell(&w->l, c, r);
    int open = 0;
    usec_t cursor = c->start;
    for (int i = 0; i < PHASE_COUNT; i++) {
        open += r->phases[i].open;
        if (r->phases[i].present) {
            assert_int_equal(r->phases[i].start, cursor);
            cursor += r->phases[i].duration;
        }
    }
    assert_int_equal(open, r->current >= 0);
}

// Told at every moment of it: what is over stays as it was, and one phase goes on, the same that the finished run has there.
static void a_recovery_is_told_alike_while_it_goes_on_and_afterwards(void **state) {
    struct world *w = *state;
    struct recovery done;
    tell_key(w, SEC, "n1", true);
    tell_probe(w, 2 * SEC, "n1", true);
    tell_probe(w, 10 * SEC, "n1", false);
    tell_key(w, 13 * SEC, "", false);
    tell_key(w, 15 * SEC, "n2", false);
    tell_probe(w, 15 * SEC, "n2", false);
    tell_probe(w, 16 * SEC, "n2", true);
    tell_recovery(
        w,
        &(struct recovery_case){
            .start = 9 * SEC, .now = 30 * SEC, .served = true, .end = 17 * SEC, .pause = 8 * SEC, .effect = HA_LOSES},
        &done);
    assert_int_equal(done.phases[PHASE_DETECT].duration, 4 * SEC);
    assert_int_equal(done.phases[PHASE_ELECT].duration, 2 * SEC);
    assert_int_equal(done.phases[PHASE_PROMOTE].duration, SEC);
    assert_int_equal(done.phases[PHASE_REROUTE].duration, SEC);
    assert_string_equal(done.leader, "n2");
    static const int current[] = {PHASE_DETECT, PHASE_ELECT, PHASE_PROMOTE, PHASE_REROUTE};
    static const usec_t until[] = {13 * SEC, 15 * SEC, 16 * SEC, 17 * SEC};
    for (usec_t now = 9 * SEC; now < 17 * SEC; now += 100 * MSEC) {
        struct world part = {.m = model_new()};
        struct recovery live;
        size_t i = 0;
        tell_key(&part, SEC, "n1", true);
        tell_probe(&part, 2 * SEC, "n1", true);
        if (now >= 10 * SEC)
            tell_probe(&part, 10 * SEC, "n1", false);
        if (now >= 13 * SEC)
            tell_key(&part, 13 * SEC, "", false);
        if (now >= 15 * SEC) {
            tell_key(&part, 15 * SEC, "n2", false);
            tell_probe(&part, 15 * SEC, "n2", false);
        }
        if (now >= 16 * SEC)
            tell_probe(&part, 16 * SEC, "n2", true);
        tell_recovery(&part, &(struct recovery_case){.start = 9 * SEC, .now = now, .effect = HA_LOSES, .live = true},
                      &live);
        while (now >= until[i])
            i++;
        assert_int_equal(live.current, current[i]);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(live.phases[current[k]].duration, done.phases[current[k]].duration);
        model_free(part.m);
        leadership_done(&part.l);
    }
}

// The observer stands still from 12 s to 20 s. What the store tells it then happened while nobody looked, and before the writes of 17 s.
static void a_key_that_changed_unseen_is_no_key_that_was_kept(void **state) {
    struct world *w = *state;
    struct recovery r;
    tell_key(w, SEC, "n1", true);
    tell_probe(w, 2 * SEC, "n1", true);
    tell_probe(w, 10 * SEC, "n1", false);
    tell_standstill(w, 12 * SEC, 20 * SEC);
    tell_key(w, 20 * SEC + 10 * MSEC, "", false);
    tell_key(w, 20 * SEC + 10 * MSEC, "n2", false);
    tell_probe(w, 20 * SEC + 50 * MSEC, "n2", true);
    tell_recovery(
        w,
        &(struct recovery_case){
            .start = 9 * SEC, .now = 30 * SEC, .served = true, .end = 17 * SEC, .pause = 8 * SEC, .effect = HA_LOSES},
        &r);
    assert_false(r.in_place);
    assert_string_equal(r.leader, "n2");
    assert_int_equal(r.phases[PHASE_DETECT].duration, 8 * SEC);
    assert_int_equal(r.phases[PHASE_DETECT].error, 5 * SEC);
    assert_int_equal(r.phases[PHASE_ELECT].error, 5 * SEC);
    tell_recovery(
        w,
        &(struct recovery_case){
            .start = 9 * SEC, .now = 30 * SEC, .served = true, .end = 11 * SEC, .pause = 2 * SEC, .effect = HA_NONE},
        &r); // back before it stood still: what came later has no part in it
    assert_true(r.in_place);
    assert_string_equal(r.leader, "n1");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_the_first_read_found_was_there_before),
        CASE(a_server_that_never_stopped_does_not_count_as_promoted),
        CASE(the_first_value_of_a_setting_holds_for_the_time_before),
        CASE(an_act_does_not_name_a_leader_against_itself),
        CASE(a_system_that_is_not_known_has_no_laws_and_no_words),
        CASE(an_endless_lab_keeps_so_many_entries_and_the_newest),
        CASE(a_recovery_is_told_alike_while_it_goes_on_and_afterwards),
        CASE(a_key_that_changed_unseen_is_no_key_that_was_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
