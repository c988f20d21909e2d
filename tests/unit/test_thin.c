// SPDX-License-Identifier: PostgreSQL
// A thinned record: what is written, and that the measures find the same in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/base/random.h"
#include "lab/model/watch.h"
#include "lab/record/run.h"
#include "lab/record/thin.h"
#include "test_measure_world.h"

typedef VEC(struct event) event_list;

static void keep(void *arg, const struct event *ev) {
    event_list *out = arg;
    VEC_PUSH(out, *ev);
}

static void thin_all(const struct event *events, size_t n, usec_t after, event_list *out) {
    struct thinner *th = thin_new(after, keep, out);
    for (size_t i = 0; i < n; i++)
        thin_event(th, &events[i]);
    thin_flush(th);
    thin_free(th);
}

static size_t count(const event_list *l, enum event_kind kind) {
    size_t n = 0;
    VEC_FOREACH (l, ev)
        n += ev->kind == kind;
    return n;
}

static struct event sql(usec_t t, const char *node, lsn_t lsn) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = t;
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = true;
    ev.u.SQL.lsn = lsn;
    return ev;
}

static struct event tick(usec_t from, int64_t ok, int64_t failed) {
    struct event ev = EVENT_NEW(CLIENT_TICK);
    ev.t = from + 100 * MSEC;
    ev.u.CLIENT_TICK.from = from;
    ev.u.CLIENT_TICK.w_tried = ok + failed;
    ev.u.CLIENT_TICK.w_ok = ok;
    ev.u.CLIENT_TICK.w_failed = failed;
    if (ok) {
        ev.u.CLIENT_TICK.w_first_ok = from + 5 * MSEC;
        ev.u.CLIENT_TICK.w_last_ok = from + 95 * MSEC;
    }
    return ev;
}

static struct event noise(usec_t t, int64_t late) {
    struct event ev = EVENT_NEW(NOISE);
    ev.t = t;
    ev.u.NOISE.late_max_us = late;
    return ev;
}

// A healthy minute: ten ticks a second, a probe of two nodes and a word of the host.
static void healthy(event_list *in, usec_t from, usec_t to) {
    for (usec_t t = from; t < to; t += 100 * MSEC) {
        VEC_PUSH(in, tick(t, 10, 0));
        if (t % SEC == 0) {
            VEC_PUSH(in, sql(t + 100 * MSEC, "n1", t));
            VEC_PUSH(in, sql(t + 100 * MSEC, "n2", t));
            VEC_PUSH(in, noise(t + 100 * MSEC, (int64_t)(t % (7 * SEC)) / 100));
        }
    }
}

static void in_calm_one_line_stands_for_many_and_news_ends_it(void **state) {
    event_list in = {0}, out = {0};
    healthy(&in, 0, 100 * SEC);
    struct event fault = EVENT_NEW(FAULT);
    fault.t = 100 * SEC;
    VEC_PUSH(&in, fault);
    healthy(&in, 100 * SEC, 105 * SEC);
    thin_all(in.items, in.n, 10 * SEC, &out);
    // 10 s whole, 60 s of one line a second (ten for observations), 30 s of one each ten seconds (60), 5 s whole
    assert_in_range(count(&out, EVENT_CLIENT_TICK), 100 + 60 + 3 + 50, 100 + 60 + 3 + 50 + 3);
    assert_in_range(count(&out, EVENT_SQL), 2 * (10 + 6 + 1 + 5), 2 * (10 + 6 + 1 + 5 + 2));
    assert_int_equal(count(&out, EVENT_RECORD_THINNED), 3);
    // What was held comes before the fault, and up to it.
    size_t at = 0;
    while (out.items[at].kind != EVENT_FAULT)
        at++;
    assert_int_equal(out.items[at - 1].kind, EVENT_RECORD_THINNED);
    assert_int_equal(out.items[at - 1].u.RECORD_THINNED.ticks, 0);
    usec_t newest = 0;
    for (size_t i = 0; i < at - 1; i++)
        newest = out.items[i].kind == EVENT_CLIENT_TICK ? event_tick_end(&out.items[i]) : newest;
    assert_int_equal(newest, 100 * SEC);
    VEC_DONE(&in), VEC_DONE(&out);
    (void)state;
}

static void nothing_is_held_back_from_who_watches(void **state) {
    event_list in = {0}, out = {0};
    healthy(&in, 0, 60 * SEC);
    struct thinner *th = thin_new(10 * SEC, keep, &out);
    VEC_FOREACH (&in, ev) {
        if (ev->t >= 30 * SEC && ev->t < 30 * SEC + 100 * MSEC)
            thin_watched(th, true);
        if (ev->t >= 40 * SEC && ev->t < 40 * SEC + 100 * MSEC)
            thin_watched(th, false);
        thin_event(th, ev);
        usec_t at = ev->t % SEC == 500 * MSEC ? ev->t / SEC : 0;
        if (at == 20 || at == 55)
            assert_true(thin_ticks(th) > 0);
        if (at == 5 || at == 30 || at == 35 || at == 45)
            assert_int_equal(thin_ticks(th), 0);
    }
    thin_free(th);
    VEC_DONE(&in), VEC_DONE(&out);
    (void)state;
}

static void at_zero_nothing_is_merged(void **state) {
    event_list in = {0}, out = {0};
    healthy(&in, 0, 100 * SEC);
    thin_all(in.items, in.n, 0, &out);
    assert_int_equal(in.n, out.n);
    assert_memory_equal(in.items, out.items, in.n * sizeof *in.items);
    VEC_DONE(&in), VEC_DONE(&out);
    (void)state;
}

// What moves is no news; what says something else is.
static void what_says_something_else_is_news(void **state) {
    struct event cases[] = {sql(60 * SEC, "n2", 7), sql(60 * SEC, "n3", 7), tick(60 * SEC, 0, 3), tick(60 * SEC, 9, 1),
                            tick(60 * SEC, 9, 0),   EVENT_NEW(COMMAND),     EVENT_NEW(LOG_LINE),  EVENT_NEW(GRANT)};
    static const bool news[] = {false, true, true, true, false, true, false, false};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        event_list in = {0}, out = {0};
        healthy(&in, 0, 60 * SEC);
        cases[i].t = cases[i].t ? cases[i].t : 60 * SEC;
        VEC_PUSH(&in, cases[i]);
        thin_all(in.items, in.n, 10 * SEC, &out);
        bool ended = false;
        VEC_FOREACH (&out, ev)
            ended = ev->kind == EVENT_RECORD_THINNED ? !ev->u.RECORD_THINNED.ticks : ended;
        if (ended != news[i])
            fail_msg("case %zu", i);
        VEC_DONE(&in), VEC_DONE(&out);
    }
    (void)state;
}

// A pause that the measures look for, or a probe that came late, is written as it was seen.
static void a_pause_or_a_late_probe_is_written_whole(void **state) {
    event_list in = {0}, out = {0};
    healthy(&in, 0, 60 * SEC);
    struct event late = tick(60 * SEC, 10, 0);
    late.u.CLIENT_TICK.w_first_ok = 60 * SEC + 99 * MSEC;
    late.u.CLIENT_TICK.w_last_ok = 60 * SEC + 99 * MSEC;
    VEC_PUSH(&in, late);
    VEC_PUSH(&in, sql(75 * SEC, "n1", 1));
    thin_all(in.items, in.n, 10 * SEC, &out);
    bool tick_whole = false, sql_whole = false;
    VEC_FOREACH (&out, ev) {
        tick_whole |= ev->kind == EVENT_CLIENT_TICK && ev->u.CLIENT_TICK.from == 60 * SEC && !ev->repeats;
        sql_whole |= ev->kind == EVENT_SQL && ev->t == 75 * SEC && !ev->repeats;
    }
    assert_true(tick_whole && sql_whole);
    VEC_DONE(&in), VEC_DONE(&out);
    (void)state;
}

static void what_is_held_does_not_wait_for_an_application_that_stands_still(void **state) {
    event_list in = {0}, out = {0};
    healthy(&in, 0, 30 * SEC + 500 * MSEC);
    struct thinner *th = thin_new(10 * SEC, keep, &out);
    VEC_FOREACH (&in, ev)
        thin_event(th, ev);
    for (usec_t t = 31 * SEC; t < 55 * SEC; t += SEC) {
        struct event host = noise(t, 0);
        thin_event(th, &host);
    }
    usec_t newest = 0;
    VEC_FOREACH (&out, ev)
        newest = ev->kind == EVENT_CLIENT_TICK ? event_tick_end(ev) : newest;
    assert_int_equal(newest, 30 * SEC + 500 * MSEC);
    assert_true(thin_ticks(th) > 0); // and is no news
    thin_free(th);
    VEC_DONE(&in), VEC_DONE(&out);
    (void)state;
}

// How far a standby fell behind is a number of the report: no peak goes under between two lines.
static void a_standby_that_falls_behind_is_written_whole(void **state) {
    static const int64_t lags[] = {0, 100, 900000, 90000000, 200, 0};
    event_list in = {0}, out = {0};
    struct event row = EVENT_NEW(REPLICATION);
    STR_COPY(row.u.REPLICATION.node, "n1");
    STR_COPY(row.u.REPLICATION.standby, "n2");
    VEC_PUSH(&in, row);
    for (usec_t t = 0; t < 60 * SEC; t += 5 * SEC) {
        healthy(&in, t, t + 5 * SEC);
        row.t = t + 5 * SEC;
        VEC_PUSH(&in, row);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lags); i++) {
        row.t = 60 * SEC + (i + 1) * SEC;
        row.u.REPLICATION.lag_bytes = lags[i];
        VEC_PUSH(&in, row);
    }
    thin_all(in.items, in.n, 10 * SEC, &out);
    int64_t most = 0;
    VEC_FOREACH (&out, ev)
        if (ev->kind == EVENT_REPLICATION && ev->u.REPLICATION.lag_bytes > most)
            most = ev->u.REPLICATION.lag_bytes;
    assert_int_equal(most, 90000000);
    assert_true(count(&out, EVENT_REPLICATION) < 12);
    VEC_DONE(&in), VEC_DONE(&out);
    (void)state;
}

struct sums {
    int64_t lines, w_ok, w_failed, noise;
    usec_t pause;
};

static void add_up(const event_list *l, struct sums *s) {
    VEC_FOREACH (l, ev) {
        if (ev->kind == EVENT_RECORD_THINNED)
            continue;
        s->lines += 1 + ev->repeats;
        if (ev->kind == EVENT_CLIENT_TICK)
            s->w_ok += ev->u.CLIENT_TICK.w_ok, s->w_failed += ev->u.CLIENT_TICK.w_failed;
        if (ev->kind == EVENT_NOISE && ev->u.NOISE.late_max_us > s->noise)
            s->noise = ev->u.NOISE.late_max_us;
    }
}

static usec_t holes(const event_list *l, usec_t until) {
    watch_hole_list all = {0};
    struct watch *w = watch_new();
    usec_t sum = 0;
    VEC_FOREACH (l, ev)
        watch_event(w, ev);
    watch_list(w, until, &all);
    VEC_FOREACH (&all, h)
        sum += h->to - h->from;
    VEC_DONE(&all);
    watch_free(w);
    return sum;
}

// Whatever happens: each line is in one that was written, counts are kept, no line of an observation lies before an older one, and the same
// time is watched.
static void nothing_is_lost_counted_twice_or_out_of_order(void **state) {
    struct random r = {20261129};
    for (int round = 0; round < 200; round++) {
        event_list in = {0}, out = {0};
        usec_t t = 0;
        int chance = 1 + (int)random_below(&r, 400);
        for (int i = 0; i < 3000; i++) {
            bool odd = random_below(&r, (uint64_t)chance) == 0;
            t += 20 * MSEC + random_below(&r, 30) * MSEC + (odd ? random_below(&r, 6) * SEC : 0);
            switch (random_below(&r, 4)) {
            case 0:
                VEC_PUSH(&in, tick(t - t % (100 * MSEC), odd ? 0 : 10, odd));
                break;
            case 1:
                VEC_PUSH(&in, noise(t, (int64_t)random_below(&r, odd ? 3 * SEC : 9 * MSEC)));
                break;
            default:
                VEC_PUSH(&in, sql(t, random_below(&r, 2) ? "n1" : "n2", t));
            }
        }
        struct event end = EVENT_NEW(COMMAND);
        end.t = t;
        VEC_PUSH(&in, end);
        thin_all(in.items, in.n, random_below(&r, 5) * SEC, &out);
        struct sums a = {0}, b = {0};
        add_up(&in, &a), add_up(&out, &b);
        assert_memory_equal(&a, &b, sizeof a);
        usec_t newest = 0;
        VEC_FOREACH (&out, ev)
            if (ev->kind != EVENT_CLIENT_TICK && ev->kind != EVENT_RECORD_THINNED) {
                assert_true(ev->t >= newest);
                newest = ev->t;
            }
        assert_int_equal(holes(&in, t), holes(&out, t));
        VEC_DONE(&in), VEC_DONE(&out);
    }
    (void)state;
}

// ---- the measures ----------------------------------------------------------------------------------------------------

static void same_measures(const struct measures *a, const struct measures *b, const char *what) {
    struct {
        const char *name;
        uint64_t whole, thinned;
    } all[] = {
        {"outage", a->outage.length, b->outage.length},
        {"outage_start", a->outage.start, b->outage.start},
        {"outages", (uint64_t)a->outage.count, (uint64_t)b->outage.count},
        {"outages_total", a->outage.total, b->outage.total},
        {"first_write", a->outage.first_write, b->outage.first_write},
        {"last_write", a->outage.last_write, b->outage.last_write},
        {"hiccup", a->outage.hiccup, b->outage.hiccup},
        {"read_outage", a->read_outage.length, b->read_outage.length},
        {"reads_ok", (uint64_t)a->availability.reads_ok, (uint64_t)b->availability.reads_ok},
        {"acknowledged", (uint64_t)a->writes.acknowledged, (uint64_t)b->writes.acknowledged},
        {"lost", (uint64_t)a->writes.lost, (uint64_t)b->writes.lost},
        {"recovered", (uint64_t)a->writes.recovered, (uint64_t)b->writes.recovered},
        {"unexpected", (uint64_t)a->writes.unexpected, (uint64_t)b->writes.unexpected},
        {"checked", a->writes.checked, b->writes.checked},
        {"split_brain_min", a->split_brain.min, b->split_brain.min},
        {"split_brain_max", a->split_brain.max, b->split_brain.max},
        {"holes", a->holes.n, b->holes.n},
        {"rejoin_known", a->phases.rejoin_known, b->phases.rejoin_known},
        {"write_availability", (uint64_t)(a->availability.writes * 1e6), (uint64_t)(b->availability.writes * 1e6)},
        {"read_availability", (uint64_t)(a->availability.reads * 1e6), (uint64_t)(b->availability.reads * 1e6)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i].whole != all[i].thinned)
            fail_msg("%s: %s is %" PRIu64 ", thinned %" PRIu64, what, all[i].name, all[i].whole, all[i].thinned);
    for (int i = 0; i < PHASE_COUNT; i++)
        if (a->phases.list[i].present != b->phases.list[i].present ||
            a->phases.list[i].start != b->phases.list[i].start ||
            a->phases.list[i].duration != b->phases.list[i].duration)
            fail_msg("%s: phase %d begins at %" PRIu64 " for %" PRIu64 ", thinned at %" PRIu64 " for %" PRIu64, what, i,
                     a->phases.list[i].start, a->phases.list[i].duration, b->phases.list[i].start,
                     b->phases.list[i].duration);
}

// Everything of a crash but the ledger's single times: thinned as early as after half a second.
static void a_crash_measures_the_same_thinned(void **state) {
    static const usec_t afters[] = {100 * MSEC, 500 * MSEC, 2 * SEC, 5 * SEC};
    for (size_t i = 0; i < ARRAY_SIZE(afters); i++) {
        struct run whole, thinned;
        run_crash(&whole);
        world_build(&whole.w);
        run_fold(&whole, true);
        run_crash(&thinned);
        world_build(&thinned.w);
        event_list out = {0};
        thin_all(thinned.w.events.items, thinned.w.events.n, afters[i], &out);
        assert_true(out.n < thinned.w.events.n);
        VEC_CLEAR(&thinned.w.events);
        VEC_FOREACH (&out, ev)
            VEC_PUSH(&thinned.w.events, *ev);
        thinned.w.ledger.n = ledger_merge(thinned.w.ledger.items, thinned.w.ledger.n, 100 * MSEC);
        assert_true(thinned.w.ledger.n < 20);
        thinned.o = world_measure(&thinned.w, true, &thinned.m);
        same_measures(whole.o, thinned.o, "the crash");
        run_end(&whole), run_end(&thinned);
        VEC_DONE(&out);
    }
    (void)state;
}

static bool take(void *arg, const struct event *ev) {
    keep(arg, ev);
    return true;
}

static const struct measures *fold(const event_list *l, struct measure **ret) {
    *ret = measure_new();
    VEC_FOREACH (l, ev)
        measure_event(*ret, ev);
    return measure_finish(*ret);
}

static void recorded_runs_measure_the_same_thinned(void **state) {
    static const char *const logs[] = {
        "cut-by-hand", "leader-crash", "partition-leader",         "patroni-frozen-watchdog",
        "quorum-loss", "switchover",   "watchdog-required-missing"};
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        cleanup_free char *path = xasprintf("tests/screen/logs/%s.jsonl", logs[i]);
        event_list in = {0}, out = {0};
        struct run_read_stats stats;
        struct measure *a, *b;
        assert_int_equal(run_log_read(path, take, &in, &stats, NULL), 0);
        thin_all(in.items, in.n, SEC, &out);
        assert_true(out.n < in.n);
        const struct measures *whole = fold(&in, &a);
        same_measures(whole, fold(&out, &b), logs[i]);
        measure_free(a), measure_free(b);
        VEC_DONE(&in), VEC_DONE(&out);
    }
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_calm_one_line_stands_for_many_and_news_ends_it),
        cmocka_unit_test(nothing_is_held_back_from_who_watches),
        cmocka_unit_test(at_zero_nothing_is_merged),
        cmocka_unit_test(what_says_something_else_is_news),
        cmocka_unit_test(what_is_held_does_not_wait_for_an_application_that_stands_still),
        cmocka_unit_test(a_standby_that_falls_behind_is_written_whole),
        cmocka_unit_test(a_pause_or_a_late_probe_is_written_whole),
        cmocka_unit_test(nothing_is_lost_counted_twice_or_out_of_order),
        cmocka_unit_test(a_crash_measures_the_same_thinned),
        cmocka_unit_test(recorded_runs_measure_the_same_thinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
