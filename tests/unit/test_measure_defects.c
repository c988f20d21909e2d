// SPDX-License-Identifier: PostgreSQL
// What a known defect explains, and in which versions. The run is that of test_measure_world.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/base/version.h"
#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

static void begin(struct run *r) {
    run_crash(r);
    world_build(&r->w);
}

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
    ev.u.KNOWN_DEFECT.signature = DEFECT_LEADER_KEY_OVERWRITTEN;
    STR_COPY(ev.u.KNOWN_DEFECT.explains, explains);
    return world_add(&r->w, ev);
}

static struct event *add_key(struct run *r, usec_t t, const char *value, int64_t created) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = EVENT_AUTHORITY;
    ev.t = t;
    STR_COPY(ev.u.AUTHORITY.holder, value);
    ev.u.AUTHORITY.gone = !*value;
    ev.u.AUTHORITY.epoch = created;
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
    run_rows(r, "n3", "1-710,3591-4100");
}

static void a_known_defect_is_neither_pass_nor_fail(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    strike(&r);
    (void)add_defect(&r, "same_history, foreign_rows");
    run_expect_flag(&r, "same_history", true);
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_KNOWN_DEFECT);
    assert_string_equal(r.o->reason,
                        "n3 follows another history. patroni-2693, a known defect of patroni 3.0.2, at 41.00 s: n1 "
                        "wrote itself into the leader key while n2 held it; "
                        "failed by it: same_history, foreign_rows (https://github.com/patroni/patroni/pull/2693)");
    assert_string_equal(run_expected(&r, "same_history")->defect, "patroni-2693");
    assert_false(run_expected(&r, "same_history")->ok);
    assert_string_equal(run_expected(&r, "split_brain")->defect, "");
    const struct defect_measure *d = &r.o->defects.items[0];
    assert_true(d->seen && d->affected && d->at == MS(41000));
    assert_string_equal(d->node, "n1");
    run_end(&r);
}

static void what_it_does_not_explain_fails_as_ever(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    strike(&r);
    (void)add_defect(&r, "same_history");
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    assert_non_null(strstr(r.o->reason, "n3 follows another history"));
    run_end(&r);
}

static void outside_its_versions_it_is_a_failure(void **state) {
    (void)state;
    for (int damage = 0; damage < 2; damage++) {
        struct run r;
        begin(&r);
        strike(&r);
        if (!damage)
            run_rows(&r, "n3", "1-702,3591-4100");
        set_version(&r, "3.0.3", "");
        (void)add_defect(&r, "same_history, foreign_rows");
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, VERDICT_FAIL);
        assert_false(run_expected(&r, "known_defect")->ok);
        assert_non_null(
            strstr(run_expected(&r, "known_defect")->text, "patroni 3.0.3, though only < 3.0.3 is known to have it"));
        assert_string_equal(run_expected(&r, "foreign_rows")->defect, "");
        run_end(&r);
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
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, table[i].v);
        run_end(&r);
    }
}

static void an_unrecorded_version_excuses_nothing(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    strike(&r);
    set_version(&r, "", "");
    (void)add_defect(&r, "same_history, foreign_rows");
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    run_end(&r);
}

static void without_its_signature_the_failure_is_news(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_rows(&r, "n3", "1-710,3591-4100");
    (void)add_defect(&r, "same_history, foreign_rows");
    run_fold(&r, true);
    assert_false(r.o->defects.items[0].seen);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    run_end(&r);
}

static void a_race_may_pass_and_what_shows_always_may_not(void **state) {
    (void)state;
    for (int always = 0; always < 2; always++) {
        struct run r;
        begin(&r);
        add_defect(&r, "same_history, foreign_rows")->u.KNOWN_DEFECT.always = always;
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, always ? VERDICT_FAIL : VERDICT_PASS);
        run_end(&r);
    }
}

static void a_defect_that_did_no_harm_is_still_no_pass(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    (void)add_key(&r, MS(41000), "n1", 0);
    (void)add_defect(&r, "same_history");
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_KNOWN_DEFECT);
    assert_non_null(strstr(r.o->reason, "nothing failed by it"));
    run_end(&r);
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
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, explained ? VERDICT_KNOWN_DEFECT : VERDICT_FAIL);
        assert_true(!explained || strstr(r.o->reason, "failed by it: a wait of the scenario"));
        run_end(&r);
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
        for (int k = 0; world_find(&r.w, EVENT_AUTHORITY, k); k++)
            if (str_eq(world_find(&r.w, EVENT_AUTHORITY, k)->u.AUTHORITY.holder, "n2"))
                world_find(&r.w, EVENT_AUTHORITY, k)->u.AUTHORITY.epoch = table[i].before;
        if (table[i].freed)
            (void)add_key(&r, MS(40900), "", 0);
        (void)add_key(&r, MS(41000), table[i].who, table[i].after);
        (void)add_defect(&r, "same_history");
        run_fold(&r, true);
        if (r.o->defects.items[0].seen != table[i].seen)
            fail_msg("row %zu", i);
        run_end(&r);
    }
}

static void a_standby_ahead_is_a_signature_too(void **state) {
    (void)state;
    struct run r;
    begin(&r);
    run_positions(&r, (const lsn_t[]){500, 510, 520, 530, 540}, (const lsn_t[]){400, 900, 900, 900, 900});
    add_defect(&r, "same_history")->u.KNOWN_DEFECT.signature = DEFECT_STANDBY_AHEAD;
    run_expect_flag(&r, "same_history", true);
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_KNOWN_DEFECT);
    assert_int_equal(r.o->defects.items[0].at, MS(40799));
    run_end(&r);
}

enum crash { NO_CRASH, CRASH_IN_LOG, CRASH_TOLD }; // told: by the server to the observer, in any lc_messages

static void stopping(struct run *r, usec_t from, usec_t to, enum crash crash) {
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
    struct event told = {.kind = EVENT_SQL, .t = from - 100 * MSEC};
    STR_COPY(told.u.SQL.node, "n1");
    STR_COPY(told.u.SQL.error, "terminating connection because of crash of another server process");
    if (crash)
        (void)world_add(&r->w, crash == CRASH_TOLD ? told : ev);
}

static void a_shutdown_that_hangs_after_a_crash_is_a_signature(void **state) {
    (void)state;
    static const struct {
        usec_t length;
        enum crash crash;
        bool seen;
    } table[] = {{65 * SEC, CRASH_IN_LOG, true},
                 {65 * SEC, CRASH_TOLD, true},
                 {65 * SEC, NO_CRASH, false},
                 {50 * SEC, CRASH_IN_LOG, false}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        begin(&r);
        stopping(&r, MS(50000), MS(50000) + table[i].length, table[i].crash);
        struct event *d = add_defect(&r, "conditions");
        d->u.KNOWN_DEFECT.signature = DEFECT_SHUTDOWN_HANGS;
        STR_COPY(d->u.KNOWN_DEFECT.software, "postgresql");
        STR_COPY(d->u.KNOWN_DEFECT.versions, ">= 15");
        run_fold(&r, true);
        if (r.o->defects.items[0].seen != table[i].seen)
            fail_msg("row %zu", i);
        assert_int_equal(r.o->verdict, table[i].seen ? VERDICT_KNOWN_DEFECT : VERDICT_PASS);
        run_end(&r);
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
