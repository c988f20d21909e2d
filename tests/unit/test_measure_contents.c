// SPDX-License-Identifier: PostgreSQL
// Who follows another history, by contents and by the order of WAL positions; and what a known defect explains.
// The run is that of test_measure_world.c: n1 dies at 10 s, n2 leads from 38.8 s on, n3 follows it; both are read at the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/base/version.h"
#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

struct run {
    struct world w;
    struct measure *m;
    const struct measures *o;
};

static void begin(struct run *r) {
    *r = (struct run){0};
    world_leader_crash(&r->w);
    world_build(&r->w);
}
static void fold(struct run *r) {
    r->o = world_measure(&r->w, true, &r->m);
}
static void end(struct run *r) {
    measure_free(r->m);
    world_done(&r->w);
}

static void expect_flag(struct world *w, const char *kind, bool wanted) {
    world_expect(w, kind, -1, -1);
    world_find(w, EVENT_EXPECT, 0)->u.EXPECT.wanted = wanted;
}

static struct event * final(struct run *r, const char *node) {
    for (int i = 0;; i++) {
        struct event *ev = world_find(&r->w, EVENT_FINAL_READ, i);
        assert_non_null(ev);
        if (str_eq(ev->u.FINAL_READ.node, node))
            return ev;
    }
}

static void rows(struct run *r, const char *node, const char *ranges) {
    for (int i = 0;; i++) {
        struct event *ev = world_find(&r->w, EVENT_FINAL_ROWS, i);
        assert_non_null(ev);
        if (str_eq(ev->u.FINAL_ROWS.node, node)) {
            STR_COPY(ev->u.FINAL_ROWS.ranges, ranges);
            return;
        }
    }
}

static const struct node_contents *contents(const struct run *r, const char *node) {
    VEC_FOREACH (&r->o->contents, c)
        if (str_eq(c->node, node))
            return c;
    fail_msg("nothing is known of %s", node);
    return NULL;
}

static const struct expect_result *expected(const struct run *r, const char *kind) {
    VEC_FOREACH (&r->o->expects, e)
        if (str_eq(e->kind, kind))
            return e;
    fail_msg("nothing was expected of %s", kind);
    return NULL;
}

// ---- contents --------------------------------------------------------------------------------------------------------

static void nodes_with_the_same_rows_have_one_history(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    expect_flag(&r.w, "same_history", true);
    fold(&r);
    assert_int_equal(r.o->contents.n, 2);
    assert_true(expected(&r, "same_history")->ok && r.o->diverged_nodes == 0);
    const struct node_contents *n2 = contents(&r, "n2"), *n3 = contents(&r, "n3");
    assert_true(n2->leader && n2->read && n2->rows == 1212 && n2->only_here == 0 && n2->absent == 0 &&
                n2->history == 1);
    assert_true(!n3->leader && n3->foreign == 0 && n3->missing == 0 && !n3->diverged && n3->history == 1);
    assert_int_equal(r.o->verdict, VERDICT_PASS);
    end(&r);
}

static void the_same_timeline_with_other_rows_is_another_history(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    final(&r, "n2")->u.FINAL_READ.timeline = final(&r, "n3")->u.FINAL_READ.timeline = 2;
    rows(&r, "n3", "1-710,3591-4000");
    expect_flag(&r.w, "same_history", true);
    world_expect(&r.w, "diverged_nodes", -1, 0);
    fold(&r);
    const struct node_contents *n3 = contents(&r, "n3");
    assert_true(n3->diverged && n3->foreign == 8 && n3->missing == 100 && n3->only_here == 8 && n3->absent == 100);
    assert_true(n3->history == 2 && contents(&r, "n2")->history == 1 && contents(&r, "n2")->only_here == 100);
    assert_int_equal(r.o->diverged_nodes, 1);
    assert_true(expected(&r, "same_history")->known && !expected(&r, "same_history")->ok);
    assert_false(expected(&r, "diverged_nodes")->ok);
    assert_string_equal(r.o->diverged_text, "n3 has 8 rows that n2, the leader, has not; it has 100 that the other has "
                                            "not; both sides say timeline 2");
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    end(&r);
}

static void a_diverged_history_can_be_what_is_expected(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    rows(&r, "n3", "1-710,3591-4000");
    expect_flag(&r.w, "same_history", false);
    fold(&r);
    assert_true(expected(&r, "same_history")->ok);
    end(&r);
}

// Rows that have not come yet are no divergence; rows that should have come are.
static void a_standby_that_is_behind_is_not_diverged(void **state) {
    (void)state;
    for (int caught_up = 0; caught_up < 2; caught_up++) {
        struct run r;
        begin(&r);
        rows(&r, "n3", "1-702,3591-4000");
        final(&r, "n3")->u.FINAL_READ.goal = 0x5000000;
        final(&r, "n3")->u.FINAL_READ.lsn = caught_up ? 0x5000000 : 0x4FFFFFF;
        expect_flag(&r.w, "same_history", true);
        fold(&r);
        const struct node_contents *n3 = contents(&r, "n3");
        assert_true(n3->missing == 100 && n3->foreign == 0 && n3->behind == !caught_up);
        assert_int_equal(n3->diverged, caught_up);
        assert_int_equal(expected(&r, "same_history")->ok, !caught_up);
        end(&r);
    }
}

static void without_the_leader_or_any_other_node_nothing_is_known(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct run r;
        begin(&r);
        struct event *ev = final(&r, way ? "n3" : "n2");
        ev->u.FINAL_READ.ok = false;
        STR_COPY(ev->u.FINAL_READ.error, "no answer before the deadline");
        expect_flag(&r.w, "same_history", true);
        fold(&r);
        assert_false(expected(&r, "same_history")->known);
        assert_string_equal(contents(&r, way ? "n3" : "n2")->why, "no answer before the deadline");
        assert_int_equal(r.o->verdict, VERDICT_INVALID);
        end(&r);
    }
}

// ---- order -----------------------------------------------------------------------------------------------------------

static void at_the_end_only_a_leader_asked_later_proves_the_order(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct run r;
        begin(&r);
        struct event *n2 = final(&r, "n2"), *n3 = final(&r, "n3");
        n3->u.FINAL_READ.lsn = 0x5000100, n3->u.FINAL_READ.lsn_asked = MS(46500), n3->u.FINAL_READ.lsn_read = MS(46501);
        n2->u.FINAL_READ.lsn = 0x5000000, n2->u.FINAL_READ.lsn_read = MS(46600);
        n2->u.FINAL_READ.lsn_asked = later ? MS(46501) : MS(46500);
        fold(&r);
        assert_int_equal(contents(&r, "n3")->diverged, later);
        assert_int_equal(contents(&r, "n3")->ahead, later ? 0x100 : 0);
        end(&r);
    }
}

// n3's probes from 39 s on say `standby`; n2's, at 39.8, 40.8, ... s, the positions of `leader`. The last ones go on for ever.
enum { POSITIONS = 5 };
static void positions(struct run *r, const lsn_t leader[POSITIONS], const lsn_t standby[POSITIONS]) {
    VEC_FOREACH (&r->w.events, ev) {
        if (ev->kind != EVENT_SQL || ev->t < MS(39000))
            continue;
        size_t i = (size_t)(ev->t / SEC) - 39;
        i = i < POSITIONS ? i : POSITIONS - 1;
        ev->u.SQL.lsn_asked = ev->u.SQL.asked;
        if (str_eq(ev->u.SQL.node, "n2"))
            ev->u.SQL.lsn = leader[i];
        if (str_eq(ev->u.SQL.node, "n3"))
            ev->u.SQL.lsn = ev->u.SQL.replayed = standby[i];
    }
}

static void a_standby_ahead_to_the_end_is_another_history(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    positions(&r, (const lsn_t[]){500, 510, 520, 530, 540}, (const lsn_t[]){400, 900, 900, 900, 900});
    fold(&r);
    assert_int_equal(r.o->aheads.n, 1);
    const struct ahead_span *s = &r.o->aheads.items[0];
    // proven from the sending of n2's probe of 40.8 s to that of 43.8 s; before, n3 was last seen in order at 39 s
    assert_true(s->from == MS(40799) && s->to == MS(43799) && s->resolution == MS(1799) && s->end == AHEAD_OPEN);
    assert_true(s->lsn == 900 && s->leader_lsn == 510);
    assert_string_equal(s->node, "n3");
    assert_string_equal(s->leader, "n2");
    assert_true(contents(&r, "n3")->diverged); // the rows are the same, and so are the timelines
    end(&r);
}

static void a_standby_ahead_for_less_than_the_resolution_is_no_finding(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    positions(&r, (const lsn_t[]){500, 510, 520, 930, 940}, (const lsn_t[]){400, 900, 900, 900, 930});
    fold(&r);
    assert_int_equal(r.o->aheads.n, 0); // 1 s proven, 1.8 s and 1 s beyond possible
    assert_int_equal(r.o->diverged_nodes, 0);
    end(&r);
}

static void a_standby_is_not_ahead_of_a_position_that_was_asked_for_before(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    positions(&r, (const lsn_t[]){500, 600, 700, 800, 900}, (const lsn_t[]){490, 590, 690, 790, 890});
    VEC_FOREACH (&r.w.events, ev)
        if (ev->kind == EVENT_SQL && ev->t > MS(39000) && str_eq(ev->u.SQL.node, "n2"))
            ev->u.SQL.lsn -= 50, ev->u.SQL.lsn_asked -= SEC; // an old answer, told late
    fold(&r);
    assert_int_equal(r.o->aheads.n, 0);
    end(&r);
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
    positions(r, (const lsn_t[]){500, 510, 520, 530, 540}, (const lsn_t[]){400, 900, 900, 900, 900});
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
        final(&r, "n3")->u.FINAL_READ.lsn = stuck ? 900 : 950;
        fold(&r);
        assert_int_equal(r.o->aheads.n, 1);
        assert_int_equal(r.o->aheads.items[0].end, AHEAD_OVERTAKEN);
        assert_int_equal(contents(&r, "n3")->diverged, stuck);
        end(&r);
    }
}

static void a_standby_that_went_back_was_repaired(void **state) {
    (void)state;
    struct run r;
    begin_longer(&r);
    late_change(&r, 540, 535);
    fold(&r);
    assert_int_equal(r.o->aheads.n, 1);
    assert_int_equal(r.o->aheads.items[0].end, AHEAD_WENT_BACK);
    assert_int_equal(r.o->diverged_nodes, 0);
    end(&r);
}

// ---- known defects ---------------------------------------------------------------------------------------------------

static struct event *add_defect(struct run *r, const char *explains) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = EVENT_KNOWN_DEFECT;
    ev.t = 1;
    STR_COPY(ev.u.KNOWN_DEFECT.id, "patroni-2693");
    STR_COPY(ev.u.KNOWN_DEFECT.software, "patroni");
    STR_COPY(ev.u.KNOWN_DEFECT.versions, "< 3.0.3");
    STR_COPY(ev.u.KNOWN_DEFECT.reference, "https://github.com/patroni/patroni/pull/2693");
    STR_COPY(ev.u.KNOWN_DEFECT.text, "the key is put back");
    STR_COPY(ev.u.KNOWN_DEFECT.signature, "leader_key_overwritten");
    STR_COPY(ev.u.KNOWN_DEFECT.explains, explains);
    return world_add(&r->w, ev);
}

static struct event *add_key(struct run *r, usec_t t, const char *value, int64_t created) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = EVENT_DCS_KEY;
    ev.t = t;
    STR_COPY(ev.u.DCS_KEY.key, "leader");
    STR_COPY(ev.u.DCS_KEY.value, value);
    ev.u.DCS_KEY.gone = !*value;
    ev.u.DCS_KEY.created = created;
    return world_add(&r->w, ev);
}

static void set_version(struct run *r, const char *version, const char *node) {
    for (int i = 0;; i++) {
        struct event *ev = world_find(&r->w, EVENT_VERSION, i);
        assert_non_null(ev);
        if (str_eq(ev->u.VERSION.component, "patroni")) {
            STR_COPY(ev->u.VERSION.version, version);
            STR_COPY(ev->u.VERSION.node, node);
            return;
        }
    }
}

static void add_version(struct run *r, const char *version, const char *node) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = EVENT_VERSION;
    STR_COPY(ev.u.VERSION.component, "Patroni");
    STR_COPY(ev.u.VERSION.version, version);
    STR_COPY(ev.u.VERSION.node, node);
    (void)world_add(&r->w, ev);
}

// n1 returns and takes the key from n2 at 41 s; n3 has rows that n2 has not.
static void strike(struct run *r) {
    (void)add_key(r, MS(41000), "n1", 0);
    rows(r, "n3", "1-710,3591-4100");
}

static void a_known_defect_is_neither_pass_nor_fail(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    strike(&r);
    (void)add_defect(&r, "same_history, foreign_rows");
    expect_flag(&r.w, "same_history", true);
    fold(&r);
    assert_int_equal(r.o->verdict, VERDICT_KNOWN_DEFECT);
    assert_string_equal(
        r.o->reason, "patroni-2693 of patroni 3.0.2, at 41.00 s: n1 wrote itself into the leader key while n2 held it; "
                     "failed by it: same_history, foreign_rows (https://github.com/patroni/patroni/pull/2693)");
    assert_string_equal(expected(&r, "same_history")->defect, "patroni-2693");
    assert_false(expected(&r, "same_history")->ok);
    assert_string_equal(expected(&r, "split_brain")->defect, "");
    const struct defect_measure *d = &r.o->defects.items[0];
    assert_true(d->seen && d->affected && d->at == MS(41000));
    assert_string_equal(d->node, "n1");
    end(&r);
}

static void what_it_does_not_explain_fails_as_ever(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    strike(&r);
    (void)add_defect(&r, "same_history");
    fold(&r);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    assert_non_null(strstr(r.o->reason, "foreign_rows"));
    end(&r);
}

static void outside_its_versions_it_is_a_failure(void **state) {
    (void)state;
    for (int damage = 0; damage < 2; damage++) {
        struct run r;
        begin(&r);
        strike(&r);
        if (!damage)
            rows(&r, "n3", "1-702,3591-4100");
        set_version(&r, "3.0.3", "");
        (void)add_defect(&r, "same_history, foreign_rows");
        fold(&r);
        assert_int_equal(r.o->verdict, VERDICT_FAIL);
        assert_false(expected(&r, "known_defect")->ok);
        assert_non_null(strstr(expected(&r, "known_defect")->text, "patroni 3.0.3, which is not < 3.0.3"));
        assert_string_equal(expected(&r, "foreign_rows")->defect, "");
        end(&r);
    }
}

// The version that counts is that of the node that did it.
static void nodes_may_differ_in_their_versions(void **state) {
    (void)state;
    static const struct {
        const char *n1, *others;
        enum verdict v;
    } table[] = {{"4.0.7", "3.0.2", VERDICT_FAIL}, {"3.0.2", "4.0.7", VERDICT_KNOWN_DEFECT}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        begin(&r);
        strike(&r);
        set_version(&r, table[i].others, "n2");
        add_version(&r, table[i].n1, "n1");
        add_version(&r, table[i].others, "n3");
        (void)add_defect(&r, "same_history, foreign_rows");
        fold(&r);
        assert_int_equal(r.o->verdict, table[i].v);
        end(&r);
    }
}

static void an_unrecorded_version_excuses_nothing(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    strike(&r);
    set_version(&r, "", "");
    (void)add_defect(&r, "same_history, foreign_rows");
    fold(&r);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    end(&r);
}

static void without_its_signature_the_failure_is_news(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    rows(&r, "n3", "1-710,3591-4100");
    (void)add_defect(&r, "same_history, foreign_rows");
    fold(&r);
    assert_false(r.o->defects.items[0].seen);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    end(&r);
}

static void a_race_may_pass_and_what_shows_always_may_not(void **state) {
    (void)state;
    for (int always = 0; always < 2; always++) {
        struct run r;
        begin(&r);
        add_defect(&r, "same_history, foreign_rows")->u.KNOWN_DEFECT.always = always;
        fold(&r);
        assert_int_equal(r.o->verdict, always ? VERDICT_FAIL : VERDICT_PASS);
        end(&r);
    }
}

static void a_defect_that_did_no_harm_is_still_no_pass(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    (void)add_key(&r, MS(41000), "n1", 0);
    (void)add_defect(&r, "same_history");
    fold(&r);
    assert_int_equal(r.o->verdict, VERDICT_KNOWN_DEFECT);
    assert_non_null(strstr(r.o->reason, "nothing failed by it"));
    end(&r);
}

static void a_condition_that_was_not_met_can_be_explained(void **state) {
    (void)state;
    for (int explained = 0; explained < 2; explained++) {
        struct run r = {0};
        world_leader_crash(&r.w);
        r.w.end_reason = "expectation";
        world_build(&r.w);
        strike(&r);
        (void)add_defect(&r, explained ? "foreign_rows, conditions" : "foreign_rows");
        fold(&r);
        assert_int_equal(r.o->verdict, explained ? VERDICT_KNOWN_DEFECT : VERDICT_FAIL);
        assert_true(!explained || strstr(r.o->reason, "failed by it: a wait of the scenario"));
        end(&r);
    }
}

static void only_a_write_over_a_held_key_by_a_former_holder_is_the_signature(void **state) {
    (void)state;
    static const struct {
        const char *who;
        int64_t before, after; // revisions of the creation
        bool freed, seen;
    } table[] = {
        {"n1", 7, 7, false, true},  {"n1", 0, 0, false, true},  // not recorded: no deletion was seen
        {"n1", 7, 9, false, false},                             // made anew: the deletion was missed
        {"n1", 7, 9, true, false},  {"n3", 7, 7, false, false}, // never held it
        {"n2", 7, 7, false, false},                             // its own
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        begin(&r);
        for (int k = 0; world_find(&r.w, EVENT_DCS_KEY, k); k++)
            if (str_eq(world_find(&r.w, EVENT_DCS_KEY, k)->u.DCS_KEY.value, "n2"))
                world_find(&r.w, EVENT_DCS_KEY, k)->u.DCS_KEY.created = table[i].before;
        if (table[i].freed)
            (void)add_key(&r, MS(40900), "", 0);
        (void)add_key(&r, MS(41000), table[i].who, table[i].after);
        (void)add_defect(&r, "same_history");
        fold(&r);
        if (r.o->defects.items[0].seen != table[i].seen)
            fail_msg("row %zu", i);
        end(&r);
    }
}

static void a_standby_ahead_is_a_signature_too(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    positions(&r, (const lsn_t[]){500, 510, 520, 530, 540}, (const lsn_t[]){400, 900, 900, 900, 900});
    STR_COPY(add_defect(&r, "same_history")->u.KNOWN_DEFECT.signature, "standby_ahead");
    expect_flag(&r.w, "same_history", true);
    fold(&r);
    assert_int_equal(r.o->verdict, VERDICT_KNOWN_DEFECT);
    assert_int_equal(r.o->defects.items[0].at, MS(40799));
    end(&r);
}

static void stopping(struct run *r, usec_t from, usec_t to, bool crash) {
    struct event *old = world_find(&r->w, EVENT_RUN_END, 0), end = *old;
    old->kind = EVENT_TICK; // the run goes on
    end.t = to + SEC;
    (void)world_add(&r->w, end);
    for (usec_t t = from; t <= to; t += SEC) {
        struct event ev = {.kind = EVENT_SQL, .t = t};
        STR_COPY(ev.u.SQL.node, "n1");
        STR_COPY(ev.u.SQL.error, "the database system is shutting down");
        (void)world_add(&r->w, ev);
    }
    struct event ev = {.kind = EVENT_LOG_LINE, .t = from - 100 * MSEC};
    STR_COPY(ev.u.LOG_LINE.node, "n1");
    STR_COPY(ev.u.LOG_LINE.service, "postgresql");
    STR_COPY(ev.u.LOG_LINE.text, "LOG:  terminating any other active server processes");
    if (crash)
        (void)world_add(&r->w, ev);
}

static void a_shutdown_that_hangs_after_a_crash_is_a_signature(void **state) {
    (void)state;
    static const struct {
        usec_t length;
        bool crash, seen;
    } table[] = {{65 * SEC, true, true}, {65 * SEC, false, false}, {50 * SEC, true, false}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        begin(&r);
        stopping(&r, MS(50000), MS(50000) + table[i].length, table[i].crash);
        struct event *d = add_defect(&r, "conditions");
        STR_COPY(d->u.KNOWN_DEFECT.signature, "shutdown_hangs");
        STR_COPY(d->u.KNOWN_DEFECT.software, "postgresql");
        STR_COPY(d->u.KNOWN_DEFECT.versions, ">= 15");
        fold(&r);
        if (r.o->defects.items[0].seen != table[i].seen)
            fail_msg("row %zu", i);
        assert_int_equal(r.o->verdict, table[i].seen ? VERDICT_KNOWN_DEFECT : VERDICT_PASS);
        end(&r);
    }
}

// ---- versions --------------------------------------------------------------------------------------------------------

static void versions_are_compared_by_their_numbers(void **state) {
    (void)state;
    static const struct {
        const char *range, *version;
        bool in;
    } table[] = {
        {"< 3.0.3", "3.0.2", true},     {"< 3.0.3", "3.0.3", false},
        {"< 3.0.3", "3.0.10", false},   {"<3.0.3", "3.0.2-1+deb12", true},
        {"< 3.0.3", "2.99", true},      {"< 3.0.3", "4.0.7", false},
        {"<= 3.0.2", "3.0.2", true},    {">= 2.0, < 3.0.3", "1.9", false},
        {">= 2.0, < 3.0.3", "2", true}, {"3.0.2", "3.0.2", true},
        {"3.0", "3.0.0", true},         {"> 17", "17.1", true},
        {"< 3.0.3", "", false},         {"< 3.0.3", "unknown", false},
        {"nonsense", "3.0.2", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (version_in_range(table[i].range, table[i].version) != table[i].in)
            fail_msg("%s in %s", table[i].version, table[i].range);
    static const struct {
        const char *range;
        size_t at;
    } bad[] = {{"", 0}, {"< ", 2}, {"< 3.0.3 4", 8}, {"< 3.0.3,", 8}, {"~ 3", 0}, {"< three", 2}, {"< 3..1", 3}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        size_t at = 99;
        const char *why = NULL;
        assert_false(version_range_check(bad[i].range, &at, &why));
        assert_int_equal(at, bad[i].at);
        assert_non_null(why);
    }
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
        cmocka_unit_test(a_known_defect_is_neither_pass_nor_fail),
        cmocka_unit_test(what_it_does_not_explain_fails_as_ever),
        cmocka_unit_test(outside_its_versions_it_is_a_failure),
        cmocka_unit_test(nodes_may_differ_in_their_versions),
        cmocka_unit_test(an_unrecorded_version_excuses_nothing),
        cmocka_unit_test(without_its_signature_the_failure_is_news),
        cmocka_unit_test(a_race_may_pass_and_what_shows_always_may_not),
        cmocka_unit_test(a_defect_that_did_no_harm_is_still_no_pass),
        cmocka_unit_test(a_condition_that_was_not_met_can_be_explained),
        cmocka_unit_test(only_a_write_over_a_held_key_by_a_former_holder_is_the_signature),
        cmocka_unit_test(a_standby_ahead_is_a_signature_too),
        cmocka_unit_test(a_shutdown_that_hangs_after_a_crash_is_a_signature),
        cmocka_unit_test(versions_are_compared_by_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
