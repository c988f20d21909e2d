// SPDX-License-Identifier: PostgreSQL
// Who follows another history, by contents and by the order of WAL positions. The run is that of test_measure_world.c: n1
// dies at 10 s, n2 leads from 38.8 s on, n3 follows it; both are read at the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

static void begin(struct run *r) {
    run_crash(r);
    world_build(&r->w);
}

static void nodes_with_the_same_rows_have_one_history(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_expect_flag(&r, "same_history", true);
    run_fold(&r, true);
    assert_int_equal(r.o->contents.nodes.n, 2);
    assert_true(run_expected(&r, "same_history")->ok && r.o->contents.diverged == 0);
    const struct node_contents *n2 = run_contents(&r, "n2"), *n3 = run_contents(&r, "n3");
    assert_true(n2->leader && n2->read && n2->rows == 1212 && n2->only_here == 0 && n2->absent == 0 &&
                n2->history == 1);
    assert_true(!n3->leader && n3->foreign == 0 && n3->missing == 0 && !n3->diverged && n3->history == 1);
    assert_int_equal(r.o->verdict, VERDICT_PASS);
    run_end(&r);
}

static void the_same_timeline_with_other_rows_is_another_history(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_final(&r, "n2")->u.FINAL_READ.timeline = run_final(&r, "n3")->u.FINAL_READ.timeline = 2;
    run_rows(&r, "n3", "1-710,3591-4000");
    run_expect_flag(&r, "same_history", true);
    world_expect(&r.w, "diverged_nodes", -1, 0);
    run_fold(&r, true);
    const struct node_contents *n3 = run_contents(&r, "n3");
    assert_true(n3->diverged && n3->foreign == 8 && n3->missing == 100 && n3->only_here == 8 && n3->absent == 100);
    assert_true(n3->history == 2 && run_contents(&r, "n2")->history == 1 && run_contents(&r, "n2")->only_here == 100);
    assert_int_equal(r.o->contents.diverged, 1);
    assert_true(run_expected(&r, "same_history")->known && !run_expected(&r, "same_history")->ok);
    assert_false(run_expected(&r, "diverged_nodes")->ok);
    assert_string_equal(r.o->contents.diverged_text,
                        "n3 follows another history: it has 8 rows that n2, the leader, has not, and "
                        "lacks 100 of its rows; both sides say timeline 2");
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    run_end(&r);
}

static void a_diverged_history_can_be_what_is_expected(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_rows(&r, "n3", "1-710,3591-4000");
    run_expect_flag(&r, "same_history", false);
    run_fold(&r, true);
    assert_true(run_expected(&r, "same_history")->ok);
    run_end(&r);
}

// Rows that have not come yet are no divergence; rows that should have come are.
static void a_standby_that_is_behind_is_not_diverged(void **state) {
    (void)state;
    for (int caught_up = 0; caught_up < 2; caught_up++) {
        struct run r;
        begin(&r);
        run_rows(&r, "n3", "1-702,3591-4000");
        run_final(&r, "n3")->u.FINAL_READ.goal = 0x5000000;
        run_final(&r, "n3")->u.FINAL_READ.lsn = caught_up ? 0x5000000 : 0x4FFFFFF;
        run_expect_flag(&r, "same_history", true);
        run_fold(&r, true);
        const struct node_contents *n3 = run_contents(&r, "n3");
        assert_true(n3->missing == 100 && n3->foreign == 0 && n3->behind == !caught_up);
        assert_int_equal(n3->diverged, caught_up);
        assert_int_equal(run_expected(&r, "same_history")->ok, !caught_up);
        run_end(&r);
    }
}

static void without_the_leader_or_any_other_node_nothing_is_known(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct run r;
        begin(&r);
        struct event *ev = run_final(&r, way ? "n3" : "n2");
        ev->u.FINAL_READ.ok = false;
        STR_COPY(ev->u.FINAL_READ.error, "no answer before the deadline");
        run_expect_flag(&r, "same_history", true);
        run_fold(&r, true);
        assert_false(run_expected(&r, "same_history")->known);
        assert_string_equal(run_contents(&r, way ? "n3" : "n2")->why, "no answer before the deadline");
        assert_int_equal(r.o->verdict, VERDICT_INVALID);
        run_end(&r);
    }
}

// ---- order -----------------------------------------------------------------------------------------------------------

static void at_the_end_only_a_leader_asked_later_proves_the_order(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct run r;
        begin(&r);
        struct event *n2 = run_final(&r, "n2"), *n3 = run_final(&r, "n3");
        n3->u.FINAL_READ.lsn = 0x5000100, n3->u.FINAL_READ.lsn_asked = MS(46500), n3->u.FINAL_READ.lsn_read = MS(46501);
        n2->u.FINAL_READ.lsn = 0x5000000, n2->u.FINAL_READ.lsn_read = MS(46600);
        n2->u.FINAL_READ.lsn_asked = later ? MS(46501) : MS(46500);
        run_fold(&r, true);
        assert_int_equal(run_contents(&r, "n3")->diverged, later);
        assert_int_equal(run_contents(&r, "n3")->ahead, later ? 0x100 : 0);
        run_end(&r);
    }
}

// n3's probes from 39 s on say `standby`; n2's, at 39.8, 40.8, ... s, the positions of `leader`. The last ones go on for ever.

static void a_standby_ahead_to_the_end_is_another_history(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_positions(&r, (const lsn_t[]){500, 510, 520, 530, 540}, (const lsn_t[]){400, 900, 900, 900, 900});
    run_fold(&r, true);
    assert_int_equal(r.o->aheads.n, 1);
    const struct ahead_span *s = &r.o->aheads.items[0];
    // proven from the sending of n2's probe of 40.8 s to that of 43.8 s; before, n3 was last seen in order at 39 s
    assert_true(s->from == MS(40799) && s->to == MS(43799) && s->resolution == MS(1799) && s->end == AHEAD_OPEN);
    assert_true(s->lsn == 900 && s->leader_lsn == 510);
    assert_string_equal(s->node, "n3");
    assert_string_equal(s->leader, "n2");
    assert_true(run_contents(&r, "n3")->diverged); // the rows are the same, and so are the timelines
    run_end(&r);
}

static void a_standby_ahead_for_less_than_the_resolution_is_no_finding(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_positions(&r, (const lsn_t[]){500, 510, 520, 930, 940}, (const lsn_t[]){400, 900, 900, 900, 930});
    run_fold(&r, true);
    assert_int_equal(r.o->aheads.n, 0); // 1 s proven, 1.8 s and 1 s beyond possible
    assert_int_equal(r.o->contents.diverged, 0);
    run_end(&r);
}

static void a_standby_is_not_ahead_of_a_position_that_was_asked_for_before(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_positions(&r, (const lsn_t[]){500, 600, 700, 800, 900}, (const lsn_t[]){490, 590, 690, 790, 890});
    VEC_FOREACH (&r.w.events, ev)
        if (ev->kind == EVENT_SQL && ev->t > MS(39000) && str_eq(ev->u.SQL.node, "n2"))
            ev->u.SQL.lsn -= 50, ev->u.SQL.lsn_asked -= SEC; // an old answer, told late
    run_fold(&r, true);
    assert_int_equal(r.o->aheads.n, 0);
    run_end(&r);
}

// The leader wrote past it. Still there at the end: it never was on this history. Moved since: it was rewound, or rebuilt.
static void begin_longer(struct run *r) {
    *r = (struct run){0};
    world_leader_crash(&r->w);
    r->w.end = 47 * SEC;
    world_build(&r->w);
}

// Ahead from 40 s to 45 s, then this.
static void late_change(struct run *r, lsn_t leader, lsn_t standby) {
    run_positions(r, (const lsn_t[]){500, 510, 520, 530, 540}, (const lsn_t[]){400, 900, 900, 900, 900});
    VEC_FOREACH (&r->w.events, ev) {
        if (ev->kind != EVENT_SQL || ev->t < MS(45900))
            continue;
        if (str_eq(ev->u.SQL.node, "n2"))
            ev->u.SQL.lsn = leader;
        else
            ev->u.SQL.lsn = ev->u.SQL.replayed = standby;
    }
}

static void a_standby_that_was_overtaken_is_judged_by_where_it_stands(void **state) {
    (void)state;
    for (int stuck = 0; stuck < 2; stuck++) {
        struct run r;
        begin_longer(&r);
        late_change(&r, 950, 900);
        run_final(&r, "n3")->u.FINAL_READ.lsn = stuck ? 900 : 950;
        run_fold(&r, true);
        assert_int_equal(r.o->aheads.n, 1);
        assert_int_equal(r.o->aheads.items[0].end, AHEAD_OVERTAKEN);
        assert_int_equal(run_contents(&r, "n3")->diverged, stuck);
        run_end(&r);
    }
}

static void a_standby_that_went_back_was_repaired(void **state) {
    (void)state;
    struct run r;
    begin_longer(&r);
    late_change(&r, 540, 535);
    run_fold(&r, true);
    assert_int_equal(r.o->aheads.n, 1);
    assert_int_equal(r.o->aheads.items[0].end, AHEAD_WENT_BACK);
    assert_int_equal(r.o->contents.diverged, 0);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_with_the_same_rows_have_one_history),
        cmocka_unit_test(the_same_timeline_with_other_rows_is_another_history),
        cmocka_unit_test(a_diverged_history_can_be_what_is_expected),
        cmocka_unit_test(a_standby_that_is_behind_is_not_diverged),
        cmocka_unit_test(without_the_leader_or_any_other_node_nothing_is_known),
        cmocka_unit_test(at_the_end_only_a_leader_asked_later_proves_the_order),
        cmocka_unit_test(a_standby_ahead_to_the_end_is_another_history),
        cmocka_unit_test(a_standby_ahead_for_less_than_the_resolution_is_no_finding),
        cmocka_unit_test(a_standby_is_not_ahead_of_a_position_that_was_asked_for_before),
        cmocka_unit_test(a_standby_that_was_overtaken_is_judged_by_where_it_stands),
        cmocka_unit_test(a_standby_that_went_back_was_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
