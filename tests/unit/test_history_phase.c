// SPDX-License-Identifier: PostgreSQL
// The stopwatch's phases and bounds, told from what the dashboard keeps, against those that lab/measure finds in the same logs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dashboard/phase.h"
#include "lab/measure/measure.h"
#include "lab/record/run.h"

struct folds {
    struct model *m;
    struct history *h;
    struct measure *measure;
    void (*change)(struct event *ev); // makes another run of a recorded one; NULL = as it was
};

static bool fold(void *arg, const struct event *as_it_was) {
    struct folds *f = arg;
    struct event changed = *as_it_was;
    const struct event *ev = &changed;
    if (f->change)
        f->change(&changed);
    model_apply(f->m, ev);
    history_apply(f->h, f->m, ev);
    measure_event(f->measure, ev);
    return true;
}

static void folds_done(struct folds *f) {
    model_free(f->m);
    history_free(f->h);
    measure_free(f->measure);
}

static void within(usec_t a, usec_t b, usec_t most, const char *what) {
    usec_t apart = a > b ? a - b : b - a;
    if (apart > most)
        fail_msg("%s: %.3f s here, %.3f s in the measures", what, (double)a / 1e6, (double)b / 1e6);
}

static void close_to(usec_t a, usec_t b, const char *what) {
    within(a, b, 5 * MSEC, what);
}

// One evaluation and one set of words: what differs is a clock reading that two folds took from different events.
static void check_bounds(const struct phase *got, const struct phase *want) {
    assert_int_equal(got->bounded, want->bounded);
    within(got->bound_min, want->bound_min, 5 * MSEC, "least");
    within(got->bound_max, want->bound_max, 5 * MSEC, "most");
    assert_string_equal(got->why, want->why);
}

static const struct outage *longest(const struct history *h) {
    const struct outage *best = &h->felt.writes.items[0];
    VEC_FOREACH (&h->felt.writes, o)
        if (o->to - o->from > best->to - best->from)
            best = o;
    return best;
}

// What a log has of each kind, so that no comparison is one of nothing.
struct count {
    int over, going_on; // phases
    int bounded;        // of those that are over; -1 = any number
};

// The measures tell a phase when it is over. One that goes on is the last one, begins where the one before it ended, and leaves the outage open.
static void goes_on(const struct outage_story *got, int which, usec_t begin) {
    assert_true(got->open);
    assert_int_equal(got->recovery.current, which);
    close_to(got->recovery.phases[which].start, begin, "begin of the phase that goes on");
    for (int i = which + 1; i < PHASE_REJOIN; i++)
        if (got->recovery.phases[i].present)
            fail_msg("phase %d follows phase %d, which goes on", i, which);
}

static void other_settings(struct event *ev);
static void compare_log(const char *name, void (*change)(struct event *ev), struct count count,
                        const char *why_detect) {
    struct folds f = {.m = model_new(), .h = history_new(), .measure = measure_new(), .change = change};
    cleanup_free char *path = xasprintf("tests/screen/logs/%s.jsonl", name);
    struct run_read_stats stats;
    assert_true(run_log_read(path, fold, &f, &stats, NULL) >= 0);
    const struct measures *want = measure_finish(f.measure);
    struct outage_story got;
    assert_true(f.h->felt.writes.n > 0);
    outage_tell(f.m, f.h, longest(f.h), f.h->now, &got);
    close_to(got.from, want->outage.start, "begin of the outage");
    assert_int_equal(got.open, want->outage.open);
    if (!got.open)
        close_to(got.to, want->outage.end, "end of the outage");
    struct count seen = {0};
    usec_t end = got.cause ? got.cause->from : got.from; // of what was before the phase
    for (int i = 0; i < PHASE_REJOIN; i++) {
        const struct phase *p = &want->phases.list[i];
        bool open = got.recovery.phases[i].open;
        if (p->present != (got.recovery.phases[i].present && !open))
            fail_msg("%s: phase %d is %s here", name, i, open ? "going on" : p->present ? "absent" : "present");
        if (open)
            goes_on(&got, i, end);
        seen.going_on += open;
        if (!p->present)
            continue;
        const struct phase *g = &got.recovery.phases[i];
        close_to(g->start, p->start, p->name);
        close_to(g->duration, p->duration, p->name);
        check_bounds(g, p);
        end = g->start + g->duration;
        seen.over++;
        seen.bounded += p->bounded;
        assert_true(!p->bounded || p->inside || change == other_settings);
    }
    if (seen.over != count.over || seen.going_on != count.going_on)
        fail_msg("%s: %d phases are over and %d go on, not %d and %d", name, seen.over, seen.going_on, count.over,
                 count.going_on);
    if (count.bounded >= 0)
        assert_int_equal(seen.bounded, count.bounded);
    if (why_detect) {
        assert_non_null(strstr(got.recovery.phases[PHASE_DETECT].why, why_detect));
        assert_non_null(strstr(want->phases.list[PHASE_DETECT].why, why_detect));
    }
    folds_done(&f);
}

static void a_crash_has_the_phases_of_the_measures(void **state) {
    (void)state;
    compare_log("leader-crash", NULL, (struct count){4, 0, 4}, "ttl");
}

static void a_partition_has_the_phases_of_the_measures(void **state) {
    (void)state;
    compare_log("partition-leader", NULL, (struct count){4, 0, 4}, "ttl");
}

static void a_lost_quorum_has_the_phases_of_the_measures(void **state) {
    (void)state;
    compare_log("quorum-loss", NULL, (struct count){5, 0, 5}, NULL);
}

static void races_that_nobody_won_are_told_by_both(void **state) {
    (void)state;
    compare_log("watchdog-required-missing", NULL, (struct count){4, 0, 4}, "ttl");
}

static void a_switchover_has_the_phases_of_the_measures(void **state) {
    (void)state;
    compare_log("switchover", NULL, (struct count){4, 0, 3}, NULL); // detect has no law: the shutdown checkpoint
}

static void a_frozen_patroni_and_a_cut_by_hand_have_the_phases_of_the_measures(void **state) {
    (void)state;
    // It ends while the first phase goes on.
    compare_log("patroni-frozen-watchdog", NULL, (struct count){0, 1, 0}, NULL);
    // The leader took writes all along: only the way to it is missing.
    compare_log("cut-by-hand", NULL, (struct count){1, 0, 0}, NULL);
}

// Other settings, the same events: most durations lie outside their bounds then, and both say the same of them.
static uint32_t settings_seed;
static void other_settings(struct event *ev) {
    static const char *const keys[] = {"patroni.ttl", "patroni.loop_wait", "patroni.retry_timeout",
                                       "etcd.election-timeout"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (ev->kind == EVENT_CONFIG && str_eq(ev->u.CONFIG.key, keys[i]))
            (void)snprintf(ev->u.CONFIG.value, sizeof ev->u.CONFIG.value, "%u",
                           (settings_seed * 2654435761u >> (8 * i)) % (i == 3 ? 3000u : 40u) + 1u);
    if (ev->kind == EVENT_GRANT && ev->u.GRANT.length)
        ev->u.GRANT.length = (settings_seed * 2654435761u % 40u + 1) * SEC;
}

static void whatever_the_settings_both_have_the_same_bounds(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int over, going_on; // phases
    } logs[] = {{"leader-crash", 4, 0},
                {"partition-leader", 4, 0},
                {"quorum-loss", 5, 0},
                {"switchover", 4, 0},
                {"cut-by-hand", 1, 0},
                {"watchdog-required-missing", 4, 0},
                {"patroni-frozen-watchdog", 0, 1}};
    for (settings_seed = 1; settings_seed <= 25; settings_seed++)
        for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
            compare_log(logs[i].name, other_settings, (struct count){logs[i].over, logs[i].going_on, -1}, NULL);
}

// The recorded etcd leader is not on the dead node. Here another one follows it 9 s after the crash, and what came more
// than 14 s after the crash comes 12 s later.
static void etcd_changes_its_leader(struct event *ev) {
    usec_t *inside[] = {&ev->t, NULL, NULL, NULL, NULL, NULL};
    if (ev->kind == EVENT_SQL)
        inside[1] = &ev->u.SQL.asked, inside[2] = &ev->u.SQL.lsn_asked;
    if (ev->kind == EVENT_CLIENT_TICK)
        inside[1] = &ev->u.CLIENT_TICK.from, inside[2] = &ev->u.CLIENT_TICK.w_first_ok,
        inside[3] = &ev->u.CLIENT_TICK.w_last_ok, inside[4] = &ev->u.CLIENT_TICK.w_first_ok_scheduled,
        inside[5] = &ev->u.CLIENT_TICK.w_last_ok_scheduled;
    for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
        if (inside[i] && *inside[i] > 20 * SEC)
            *inside[i] += 12 * SEC;
    if (ev->kind == EVENT_ARBITER && ev->t > 15 * SEC) {
        ev->u.ARBITER.leads = str_eq(ev->u.ARBITER.node, "e2");
        ev->u.ARBITER.term++;
    }
}

static void a_later_etcd_leader_is_told_by_both(void **state) {
    (void)state;
    compare_log("leader-crash", etcd_changes_its_leader, (struct count){4, 0, 4}, "etcd had a new leader, seen ");
}

static void tell_key(struct folds *f, usec_t t, const char *holder) {
    struct event key = EVENT_NEW(AUTHORITY);
    key.t = t;
    STR_COPY(key.u.AUTHORITY.holder, holder);
    key.u.AUTHORITY.gone = !*holder;
    (void)fold(f, &key);
}

static void tell_setting(struct folds *f, const char *key, const char *value) {
    struct event ev = EVENT_NEW(CONFIG);
    ev.t = SEC;
    STR_COPY(ev.u.CONFIG.key, key);
    STR_COPY(ev.u.CONFIG.value, value);
    (void)fold(f, &ev);
}

static void tell_fault(struct folds *f, usec_t t, const char *mechanism, const char *params) {
    for (int i = 0; i < 2; i++) {
        struct event ev = EVENT_NEW(FAULT);
        ev.t = t;
        STR_COPY(ev.u.FAULT.id, "f");
        STR_COPY(ev.u.FAULT.mechanism, mechanism);
        STR_COPY(ev.u.FAULT.params, params);
        STR_COPY(ev.u.FAULT.nodes, "n1");
        ev.u.FAULT.phase = i ? FAULT_PHASE_EFFECTIVE : FAULT_PHASE_ASKED;
        (void)fold(f, &ev);
    }
}

static void an_administrator_who_names_the_leader_spares_the_race(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct folds f = {.m = model_new(), .h = history_new(), .measure = measure_new()};
        struct outage o = {.from = 10 * SEC, .to = 17 * SEC};
        struct outage_story s;
        struct event act = EVENT_NEW(ACTION);
        tell_setting(&f, "patroni.ttl", "30");
        tell_key(&f, SEC, "n1");
        tell_fault(&f, 10 * SEC, "node.power_off", "");
        tell_key(&f, 13 * SEC, "");
        act.t = 13 * SEC + 1;
        STR_COPY(act.u.ACTION.action, named ? "cluster.failover" : "cluster.reload");
        act.u.ACTION.phase = ACTION_PHASE_ASKED;
        (void)fold(&f, &act);
        tell_key(&f, 13 * SEC + 100 * MSEC, "n2");
        outage_tell(f.m, f.h, &o, 20 * SEC, &s);
        assert_true(s.recovery.phases[PHASE_ELECT].bounded);
        assert_int_equal(s.recovery.phases[PHASE_ELECT].bound_min, named ? 0 : 1900 * MSEC);
        folds_done(&f);
    }
}

static void a_start_timeout_of_nothing_is_a_setting_too(void **state) {
    (void)state;
    struct folds f = {.m = model_new(), .h = history_new(), .measure = measure_new()};
    struct outage o = {.from = 10 * SEC, .to = USEC_NEVER};
    struct outage_story s;
    tell_setting(&f, "patroni.loop_wait", "10");
    tell_setting(&f, "patroni.primary_start_timeout", "0");
    tell_key(&f, SEC, "n1");
    tell_fault(&f, 10 * SEC, "process.kill", "service=postgres process=postmaster");
    tell_key(&f, 13 * SEC, "");
    outage_tell(f.m, f.h, &o, 14 * SEC, &s);
    assert_true(s.recovery.phases[PHASE_DETECT].present && s.recovery.phases[PHASE_DETECT].bounded);
    assert_int_equal(s.recovery.phases[PHASE_DETECT].bound_max, 20 * SEC + SEC / 2);
    folds_done(&f);
}

static int phase_at(struct folds *f, const struct outage *o, usec_t now) {
    struct outage_story s;
    outage_tell(f->m, f->h, o, now, &s);
    assert_int_equal(s.to - s.from, (o->to == USEC_NEVER ? now : o->to) - o->from);
    return s.recovery.current;
}

static void the_phase_moves_on_as_it_happens(void **state) {
    (void)state;
    struct folds f = {.m = model_new(), .h = history_new(), .measure = measure_new()};
    struct outage o = {.from = 10 * SEC, .to = USEC_NEVER};
    tell_key(&f, SEC, "n1");
    assert_int_equal(phase_at(&f, &o, 12 * SEC), PHASE_DETECT);
    tell_key(&f, 13 * SEC, "");
    assert_int_equal(phase_at(&f, &o, 14 * SEC), PHASE_ELECT);
    tell_key(&f, 15 * SEC, "n2");
    assert_int_equal(phase_at(&f, &o, 16 * SEC), PHASE_PROMOTE);
    o.to = 17 * SEC;
    assert_int_equal(phase_at(&f, &o, 20 * SEC), -1);
    folds_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_has_the_phases_of_the_measures),
        cmocka_unit_test(a_partition_has_the_phases_of_the_measures),
        cmocka_unit_test(a_lost_quorum_has_the_phases_of_the_measures),
        cmocka_unit_test(a_switchover_has_the_phases_of_the_measures),
        cmocka_unit_test(a_frozen_patroni_and_a_cut_by_hand_have_the_phases_of_the_measures),
        cmocka_unit_test(whatever_the_settings_both_have_the_same_bounds),
        cmocka_unit_test(races_that_nobody_won_are_told_by_both),
        cmocka_unit_test(a_later_etcd_leader_is_told_by_both),
        cmocka_unit_test(an_administrator_who_names_the_leader_spares_the_race),
        cmocka_unit_test(a_start_timeout_of_nothing_is_a_setting_too),
        cmocka_unit_test(the_phase_moves_on_as_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
