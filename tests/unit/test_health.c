// SPDX-License-Identifier: PostgreSQL
// One log, every reader: the scenario's condition "healthy", the story's "healthy again", the measures' rejoin and healthy_at turn at the same instants. On
// recorded runs, and on made-up ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/engine/condition.h"
#include "lab/measure/measure.h"
#include "lab/model/health.h"
#include "lab/record/run.h"
#include "lab/story/story.h"
#include "tests/engine/events.h"

struct turn {
    usec_t t;
    bool healthy;
};
struct readers {
    struct model *m;
    struct story *story;
    struct measure *measure;
    struct health_watch watch;
    struct plan plan;
    VEC(struct turn) turns; // of the condition, each at its event's own time: the engine's, unless it was told late
    VEC(usec_t) told;       // of the fold: healthy for the first time, or again
    usec_t now, lost;
    bool holds, closed;
};

static void note_turn(struct readers *r, usec_t t) {
    struct condition_atom atom = {.kind = CONDITION_HEALTHY};
    struct condition c = {.atoms = {.items = &atom, .n = 1}};
    struct scope scope = {.model = r->m, .plan = &r->plan, .now = r->now};
    bool holds = condition_judge(&scope, &c).holds;
    usec_t last = r->turns.n ? r->turns.items[r->turns.n - 1].t : 0;
    if (holds != r->holds)
        VEC_PUSH(&r->turns, ((struct turn){t > last ? t : last, holds}));
    r->holds = holds;
}

static void note_news(struct readers *r, const struct event *ev) {
    enum health_news news = health_note(&r->watch, r->m, ev);
    if (news == HEALTH_LOST)
        r->lost = r->now;
    if (news == HEALTH_HICCUP) // short, and nobody's doing
        assert_true(r->now - r->lost <= HEALTH_HICCUP_MAX);
    if (news == HEALTH_FIRST || news == HEALTH_AGAIN)
        VEC_PUSH(&r->told, r->watch.since);
    assert_int_equal(r->watch.healthy, r->holds);
    assert_true(r->watch.error <= r->watch.since);
}

static bool read_event(void *arg, const struct event *ev) {
    struct readers *r = arg;
    r->closed |= ev->kind == EVENT_LAB_STATE && ev->u.LAB_STATE.state == LAB_STATE_STOPPING;
    story_event(r->story, ev);
    measure_event(r->measure, ev);
    if (r->closed)
        return true;
    r->now = ev->t > r->now ? ev->t : r->now;
    model_apply(r->m, ev);
    note_turn(r, ev->t);
    note_news(r, ev);
    return true;
}

static void readers_begin(struct readers *r) {
    *r = (struct readers){.m = model_new(), .story = story_new(), .measure = measure_new()};
}

static bool turned_healthy_at(const struct readers *r, usec_t t) {
    VEC_FOREACH (&r->turns, x)
        if (x->healthy && x->t == t)
            return true;
    return false;
}

// Returns whether something was there to compare with the measures' rejoin.
static bool readers_agree(struct readers *r) {
    size_t n = 0;
    bool rejoined = false;
    const struct measures *o = measure_finish(r->measure);
    story_finish(r->story);
    VEC_FOREACH (&r->told, t)
        assert_true(turned_healthy_at(r, *t));
    for (size_t i = 0; i < story_count(r->story); i++) {
        const struct moment *x = story_at(r->story, i);
        if (x->kind != MOMENT_HEALTHY)
            continue;
        assert_true(n < r->told.n);
        assert_int_equal(x->t, r->told.items[n]);
        n++;
    }
    assert_int_equal(n, r->told.n);
    assert_int_equal(o->cluster.healthy_at, n ? r->told.items[0] : 0);
    const struct phase *p = &o->phases.list[PHASE_REJOIN];
    if (p->present) {
        assert_true(r->holds && n);
        assert_int_equal(o->phases.rejoin, p->duration);
        rejoined = p->duration > 0;
        if (rejoined)
            assert_int_equal(p->start + p->duration, r->told.items[n - 1]);
        else
            assert_true(p->start >= r->told.items[n - 1]);
    }
    model_free(r->m), story_free(r->story), measure_free(r->measure);
    VEC_DONE(&r->turns), VEC_DONE(&r->told);
    return rejoined;
}

static void recorded_runs_have_one_healthy_and_one_rejoin(void **state) {
    (void)state;
    static const char *const logs[] = {
        "cut-by-hand", "leader-crash", "partition-leader",         "patroni-frozen-watchdog",
        "quorum-loss", "switchover",   "watchdog-required-missing"};
    size_t rejoined = 0;
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        struct readers r;
        struct run_read_stats stats;
        cleanup_free char *path = xasprintf("tests/screen/logs/%s.jsonl", logs[i]);
        readers_begin(&r);
        assert_true(run_log_read(path, read_event, &r, &stats, NULL) >= 0);
        assert_true(r.told.n > 0);
        rejoined += readers_agree(&r);
    }
    assert_true(rejoined >= 3);
}

// ---- made-up runs --------------------------------------------------------------------------------------------------------

static uint32_t draw(uint64_t *s, uint32_t n) {
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*s >> 33) % n;
}

static struct event any_event(uint64_t *s, usec_t t) {
    static const char *const names[] = {"n1", "n2", "n3"};
    const char *a = names[draw(s, 3)], *b = names[draw(s, 3)];
    switch (draw(s, 12)) {
    case 0:
        return ev_sql_leader(t, a, 1000);
    case 1:
    case 2:
        return ev_sql_standby(t, a, 1000);
    case 3:
        return ev_sql_silent(t, a, "connection refused");
    case 4:
    case 5:
        return ev_row(t, a, b, draw(s, 4) ? "streaming" : "catchup", "async", 0);
    case 6:
        return ev_row_gone(t, a, b);
    case 7:
        return draw(s, 4) ? ev_key(t, "leader", a) : ev_key_gone(t, "leader");
    case 8:
        return draw(s, 3) ? ev_etcd(t, a, a, b, 3) : ev_etcd_silent(t, a);
    case 9:
        return draw(s, 8) ? ev_sql_standby(t, a, 1000) : ev_power(t, a, draw(s, 2));
    case 10:
        return ev_fault(t, "f", (const char *const[]){"asked", "effective", "verified", "healed"}[draw(s, 4)], "");
    default:
        return draw(s, 5) ? ev_tick(t, 10, 0, 10, 0) : ev_action(t, "a", draw(s, 2) ? "asked" : "done", "");
    }
}

static void feed(void *arg, const struct event *ev) {
    (void)read_event(arg, ev);
}

// What stands is put back now and then, or a random walk would be healthy once and never again.
static void mend(struct readers *r, usec_t t) {
    feed_complete_cluster(t, feed, r);
}

static void made_up_runs_have_one_healthy_and_one_rejoin(void **state) {
    (void)state;
    size_t rejoined = 0, turns = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        uint64_t s = seed;
        struct readers r;
        readers_begin(&r);
        usec_t t = SEC;
        mend(&r, t);
        for (int i = 0; i < 120; i++) {
            t += draw(&s, 4) ? draw(&s, 500) * MSEC : draw(&s, 8) * SEC;
            // told late now and then, as an effect is whose time is found out afterwards
            struct event ev = any_event(&s, draw(&s, 10) ? t : t - draw(&s, 500) * MSEC);
            if (draw(&s, 12))
                feed(&r, &ev);
            else
                mend(&r, t);
        }
        turns += r.turns.n;
        if (draw(&s, 2))
            mend(&r, t + SEC);
        rejoined += readers_agree(&r);
    }
    assert_true(turns > 1000 && rejoined > 20);
}

// ---- what counts ---------------------------------------------------------------------------------------------------------

#define FEED(r, ...)                                                                                                   \
    do {                                                                                                               \
        struct event feed_ev = (__VA_ARGS__);                                                                          \
        (void)read_event((r), &feed_ev);                                                                               \
    } while (0)

static size_t told_after_a_late_row(usec_t lapse, const char *fault) {
    struct readers r;
    readers_begin(&r);
    feed_complete_cluster(SEC, feed, &r);
    if (fault)
        FEED(&r, ev_fault(19 * SEC, "f", fault, ""));
    FEED(&r, ev_row_gone(20 * SEC, "n1", "n3"));
    FEED(&r, ev_row(20 * SEC + lapse, "n1", "n3", "streaming", "async", 0));
    size_t n = r.told.n;
    (void)readers_agree(&r);
    return n;
}

static void a_late_row_is_a_hiccup_unless_a_fault_is_at_work(void **state) {
    (void)state;
    assert_int_equal(told_after_a_late_row(HEALTH_HICCUP_MAX, NULL), 1);
    assert_int_equal(told_after_a_late_row(HEALTH_HICCUP_MAX + 1, NULL), 2);
    assert_int_equal(told_after_a_late_row(SEC, "asked"), 2);
    assert_int_equal(told_after_a_late_row(SEC, "healed"), 2); // its aftermath
}

struct cut_watch {
    struct model *m;
    usec_t closed; // the probes' word came; 0 = not yet
    size_t judged;
};

static bool watch_cut(void *arg, const struct event *ev) {
    struct cut_watch *w = arg;
    const usec_t healed = 17369249, flows = 19371018; // when the rows show that WAL arrives again
    model_apply(w->m, ev);
    if (ev->kind == EVENT_LINK && ev->t > 12 * SEC && !ev->u.LINK.measured && !w->closed &&
        ev->u.LINK.path == LINK_PATH_REST) // the pairs of replication were told just before
        w->closed = ev->t;
    bool cut = w->closed && ev->t<healed, silent = ev->t> healed && ev->t < flows - SEC;
    if (cut || silent)
        assert_false(model_healthy(w->m, NULL, 0));
    w->judged += cut || silent;
    return true;
}

// Recorded: n1 was cut off for 4.7 s, and all the time pg_stat_replication showed both standbys as streaming.
static void a_cluster_whose_leader_is_cut_off_is_not_healthy_for_a_row_that_nobody_took_back(void **state) {
    (void)state;
    struct cut_watch w = {.m = model_new()};
    struct run_read_stats stats;
    assert_true(run_log_read("tests/screen/logs/cut-by-hand.jsonl", watch_cut, &w, &stats, NULL) >= 0);
    assert_true(w.judged > 50);
    assert_true(model_healthy(w.m, NULL, 0));
    model_free(w.m);
}

static void a_standby_on_another_timeline_is_no_member_of_a_healthy_cluster(void **state) {
    (void)state;
    struct readers r;
    char why[200];
    readers_begin(&r);
    feed_complete_cluster(SEC, feed, &r);
    struct event ev = ev_sql_standby(2 * SEC, "n3", 0x5000000);
    ev.u.SQL.timeline += 1;
    FEED(&r, ev);
    assert_false(model_healthy(r.m, why, sizeof why));
    assert_string_equal(why, "n3 is on timeline 2, the leader n1 on 1");
    FEED(&r, ev_sql_standby(5 * SEC, "n3", 0x5000000));
    assert_int_equal(r.told.n, 2);
    (void)readers_agree(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_runs_have_one_healthy_and_one_rejoin),
        cmocka_unit_test(made_up_runs_have_one_healthy_and_one_rejoin),
        cmocka_unit_test(a_late_row_is_a_hiccup_unless_a_fault_is_at_work),
        cmocka_unit_test(a_cluster_whose_leader_is_cut_off_is_not_healthy_for_a_row_that_nobody_took_back),
        cmocka_unit_test(a_standby_on_another_timeline_is_no_member_of_a_healthy_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
