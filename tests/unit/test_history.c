// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dashboard/history.h"

struct world {
    struct model *m;
    struct history *h;
};

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    w->m = model_new();
    w->h = history_new();
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    model_free(w->m);
    history_free(w->h);
    free(w);
    return 0;
}

static void tell(struct world *w, const struct event *ev) {
    model_apply(w->m, ev);
    history_apply(w->h, w->m, ev);
}

static void fault(struct world *w, usec_t t, const char *phase) {
    struct event ev = EVENT_NEW(FAULT);
    ev.t = t;
    STR_COPY(ev.u.FAULT.id, "f");
    STR_COPY(ev.u.FAULT.mechanism, "net.drop");
    STR_COPY(ev.u.FAULT.nodes, "n1");
    ev.u.FAULT.phase = fault_phase_from(phase);
    tell(w, &ev);
}

static void a_fault_is_a_band_from_its_bite_to_its_healing(void **state) {
    struct world *w = *state;
    fault(w, 1 * SEC, "asked");
    assert_int_equal(w->h->faults.n, 0);
    fault(w, 2 * SEC, "effective");
    fault(w, 3 * SEC, "verified");
    assert_int_equal(w->h->faults.n, 1);
    assert_true(w->h->faults.items[0].verified);
    fault(w, 9 * SEC, "healed");
    assert_int_equal(w->h->faults.items[0].from, 2 * SEC);
    assert_int_equal(w->h->faults.items[0].to, 9 * SEC);
    fault(w, 20 * SEC, "asked");
    fault(w, 21 * SEC, "failed"); // never bit
    assert_int_equal(w->h->faults.n, 1);
}

static void sql_answers(struct world *w, usec_t t, const char *node) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = t;
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = ev.u.SQL.in_recovery = true;
    tell(w, &ev);
}

static void node_with_postgres(struct world *w, const char *node) {
    struct event ev = EVENT_NEW(NODE_INFO);
    STR_COPY(ev.u.NODE_INFO.node, node);
    STR_COPY(ev.u.NODE_INFO.services, "postgres,patroni,etcd");
    tell(w, &ev);
    ev = EVENT_NEW(NODE_POWER);
    ev.t = 1;
    STR_COPY(ev.u.NODE_POWER.node, node);
    ev.u.NODE_POWER.on = true;
    tell(w, &ev);
}

static enum lane lane_at(const segment_list *l, usec_t t) {
    VEC_FOREACH (l, s)
        if (s->from <= t && t < s->to)
            return s->lane;
    return LANE_UNKNOWN;
}

static void what_nobody_watched_is_a_hole_in_its_own_lanes(void **state) {
    struct world *w = *state;
    node_with_postgres(w, "n1");
    node_with_postgres(w, "n2");
    for (usec_t t = SEC; t <= 30 * SEC; t += SEC) {
        if (t < 10 * SEC || t > 20 * SEC) // the probe of n1 says nothing for 12 s
            sql_answers(w, t, "n1");
        sql_answers(w, t, "n2");
    }
    assert_int_equal(lane_at(&w->h->lanes[0], 15 * SEC), LANE_UNWATCHED);
    assert_int_not_equal(lane_at(&w->h->lanes[0], 5 * SEC), LANE_UNWATCHED);
    assert_int_not_equal(lane_at(&w->h->lanes[0], 25 * SEC), LANE_UNWATCHED);
    assert_int_not_equal(lane_at(&w->h->lanes[1], 15 * SEC), LANE_UNWATCHED);
    struct event late = EVENT_NEW(NOISE); // and the observer stands still for 3 s
    late.t = 40 * SEC;
    late.u.NOISE.late_max_us = 3 * (int64_t)SEC;
    tell(w, &late);
    assert_int_equal(lane_at(&w->h->lanes[1], 38 * SEC), LANE_UNWATCHED);
    assert_int_equal(lane_at(&w->h->arbiter_lanes[0], 38 * SEC), (enum lane)ARBITER_LANE_UNWATCHED);
}

static void a_time_in_which_the_application_stood_still_is_kept(void **state) {
    struct world *w = *state;
    for (usec_t from = 5 * SEC; from < 8 * SEC; from += 100 * MSEC) { // worked off together at 8 s
        struct event ev = EVENT_NEW(CLIENT_TICK);
        ev.t = from + 100 * MSEC;
        ev.u.CLIENT_TICK.from = from;
        ev.u.CLIENT_TICK.w_tried = 10;
        ev.u.CLIENT_TICK.late_us = (int64_t)(8 * SEC - from);
        tell(w, &ev);
    }
    assert_int_equal(w->h->still.n, 1);
    assert_int_equal(w->h->still.items[0].from, 5 * SEC);
    assert_int_equal(w->h->still.items[0].to, 8 * SEC);
}

static void refinements_of_one_renewal_are_one_renewal(void **state) {
    struct world *w = *state;
    static const struct {
        usec_t renewed;
        int64_t error;
    } seen[] = {{1950850, 1001286}, {2989052, 1101550}, {2249687, 362185}, {2086713, 10737}, {12086713, 10000}};
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        struct event ev = EVENT_NEW(GRANT);
        ev.t = seen[i].renewed + 1;
        STR_COPY(ev.u.GRANT.holder, "n1");
        ev.u.GRANT.renewed = seen[i].renewed;
        ev.u.GRANT.error_us = seen[i].error;
        ev.u.GRANT.length = 30 * SEC;
        tell(w, &ev);
    }
    struct renewal first = leadership_renewal(&w->h->leadership, 10 * SEC),
                   last = leadership_renewal(&w->h->leadership, 13 * SEC);
    assert_int_equal(first.at, 2086713);
    assert_int_equal(first.error, 10737);
    assert_int_equal(last.at, 12086713);
}

static void an_endless_lab_needs_bounded_memory(void **state) {
    struct world *w = *state;
    struct event ev = EVENT_NEW(LOG_LINE);
    STR_COPY(ev.u.LOG_LINE.text, "a line");
    for (int i = 0; i < 100000; i++) {
        ev.t = (usec_t)i;
        tell(w, &ev);
        fault(w, (usec_t)i, i % 2 ? "effective" : "healed");
    }
    assert_in_range(w->h->logs.n, 15000, 20000);
    assert_int_equal(w->h->logs.items[w->h->logs.n - 1].t, 99999); // the newest stays
    assert_true(story_count(w->h->story) <= 20000);
    assert_true(w->h->faults.n <= 512);
}

static void introduce(struct world *w) {
    for (int i = 0; i < 3; i++) {
        struct event ev = EVENT_NEW(NODE_INFO);
        (void)snprintf(ev.u.NODE_INFO.node, sizeof ev.u.NODE_INFO.node, "n%d", i);
        STR_COPY(ev.u.NODE_INFO.services, "postgres,patroni,etcd");
        tell(w, &ev);
    }
}

static void the_time_to_fold_a_million_events_is_printed(void **state) {
    struct world *w = *state;
    introduce(w);
    struct event kinds[] = {EVENT_NEW(CLIENT_TICK), EVENT_NEW(SQL), EVENT_NEW(MANAGER), EVENT_NEW(LOG_LINE)};
    STR_COPY(kinds[1].u.SQL.node, "n1");
    STR_COPY(kinds[2].u.MANAGER.node, "n2");
    STR_COPY(kinds[3].u.LOG_LINE.text, "LOG:  checkpoint starting: time");
    kinds[1].u.SQL.answered = kinds[1].u.SQL.writable = kinds[2].u.MANAGER.answered = true;
    kinds[1].u.SQL.timeline = 1;
    kinds[0].u.CLIENT_TICK.w_tried = 10;
    usec_t began = usec_now();
    for (size_t i = 0; i < 1000000; i++) {
        struct event *ev = &kinds[i % ARRAY_SIZE(kinds)];
        ev->t = i * 25 * MSEC;
        if (ev->kind == EVENT_CLIENT_TICK) {
            ev->u.CLIENT_TICK.from = ev->t;
            ev->u.CLIENT_TICK.w_ok = i % 1000 < 900;
        } else if (ev->kind == EVENT_SQL)
            ev->u.SQL.lsn = i * 100;
        tell(w, ev);
    }
    usec_t took = usec_now() - began;
    print_message("a million events: %.0f ms\n", (double)took / 1e3); // tests/bench/long_log.py judges it, as a ratio
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fault_is_a_band_from_its_bite_to_its_healing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_watched_is_a_hole_in_its_own_lanes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_time_in_which_the_application_stood_still_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(refinements_of_one_renewal_are_one_renewal, setup, teardown),
        cmocka_unit_test_setup_teardown(an_endless_lab_needs_bounded_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(the_time_to_fold_a_million_events_is_printed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
