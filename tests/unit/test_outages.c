// SPDX-License-Identifier: PostgreSQL
// What an outage is: by hand, and then on every recorded log, where the dashboard, the story and the measures must tell of the same ones.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dashboard/history.h"
#include "lab/measure/measure.h"
#include "lab/record/run.h"

#define MS(n) ((n)*MSEC)

// ---- by hand ---------------------------------------------------------------------------------------------------------

static int setup(void **state) {
    *state = xcalloc(1, sizeof(struct outages));
    return 0;
}

static int teardown(void **state) {
    outages_done(*state);
    free(*state);
    return 0;
}

static void tick(struct outages *o, usec_t from, int ok, int failed, usec_t first, usec_t last) {
    struct event ev = EVENT_NEW(CLIENT_TICK);
    ev.t = from + MS(100);
    ev.u.CLIENT_TICK.from = from;
    ev.u.CLIENT_TICK.w_tried = 10;
    ev.u.CLIENT_TICK.w_ok = ok;
    ev.u.CLIENT_TICK.w_failed = failed;
    ev.u.CLIENT_TICK.w_first_ok = first;
    ev.u.CLIENT_TICK.w_last_ok = last;
    outages_event(o, &ev);
}

static void good(struct outages *o, usec_t from, usec_t to) {
    for (usec_t t = from; t < to; t += MS(100))
        tick(o, t, 10, 0, t + MS(1), t + MS(99));
}

static void bad(struct outages *o, usec_t from, usec_t to) {
    for (usec_t t = from; t < to; t += MS(100))
        tick(o, t, 0, 10, 0, 0);
}

static void slow(struct outages *o, usec_t from, usec_t to) { // nothing is answered, and nothing fails
    for (usec_t t = from; t < to; t += MS(100))
        tick(o, t, 0, 0, 0, 0);
}

static void check(const outage_list *l, size_t i, usec_t from, usec_t to) {
    assert_true(i < l->n);
    assert_int_equal(l->items[i].from, from);
    assert_int_equal(l->items[i].to, to);
}

static void an_outage_begins_at_the_last_good_write_and_ends_at_the_next(void **state) {
    struct outages *o = *state;
    good(o, MS(1000), MS(1100));
    tick(o, MS(1100), 2, 0, MS(1101), MS(1110));
    slow(o, MS(1200), MS(1400));
    assert_null(outages_open(o)); // tried for 190 ms: slow, not down
    bad(o, MS(1400), MS(1500));
    assert_non_null(outages_open(o));
    check(&o->writes, 0, MS(1110), USEC_NEVER);
    assert_int_equal(outages_until(o, outages_open(o), MS(2000)), MS(2000));
    tick(o, MS(5000), 1, 9, MS(5042), MS(5042));
    assert_int_equal(o->writes.n, 1);
    check(&o->writes, 0, MS(1110), MS(5042));
    assert_null(outages_open(o));
}

static void a_pause_of_which_no_tick_tells_is_one_too(void **state) {
    struct outages *o = *state;
    good(o, MS(1000), MS(1100));
    good(o, MS(9000), MS(9100)); // the clock asked for writes in between: nobody acknowledged any
    assert_int_equal(o->writes.n, 1);
    check(&o->writes, 0, MS(1099), MS(9001));
}

static void a_short_pause_is_an_outage_when_one_of_its_writes_failed(void **state) {
    struct outages *o = *state;
    good(o, MS(1000), MS(2000));
    tick(o, MS(2000), 0, 1, 0, 0);
    good(o, MS(2100), MS(4000));
    check(&o->writes, 0, MS(1999), MS(2101)); // 102 ms
    tick(o, MS(4000), 0, 0, 0, 0);
    good(o, MS(4100), MS(6000));
    assert_int_equal(o->writes.n, 1);
    tick(o, MS(6000), 9, 1, MS(6001), MS(6099)); // given up at its deadline
    assert_int_equal(o->writes.n, 2);
    check(&o->writes, 1, MS(3999), MS(4101));
    tick(o, MS(7000), 0, 0, 0, 0); // 6.1 s to 7.0 s: an outage, which ends now
    good(o, MS(7100), MS(12000));
    tick(o, MS(12000), 0, 0, 0, 0);
    good(o, MS(12100), MS(15000));
    bad(o, MS(15000), MS(15100)); // too late to have been one of that pause
    good(o, MS(15100), MS(20000));
    outages_finish(o);
    assert_int_equal(o->writes.n, 4);
    check(&o->writes, 2, MS(6099), MS(7101));
    check(&o->writes, 3, MS(14999), MS(15101));
    assert_int_equal(o->hiccup, MS(102));
}

static void a_slow_workload_has_no_outage_between_two_writes(void **state) {
    struct outages *o = *state;
    struct event ev = EVENT_NEW(RUN_BEGIN);
    ev.u.RUN_BEGIN.period_us = 1000000;
    outages_event(o, &ev);
    for (usec_t t = SEC; t < 20 * SEC; t += SEC) {
        tick(o, t, 0, 0, 0, 0); // under way
        tick(o, t + MS(100), 1, 0, t + MS(120), t + MS(120));
    }
    assert_int_equal(o->writes.n, 0);
    slow(o, 20 * SEC, 22 * SEC);
    assert_null(outages_open(o));
    slow(o, 22 * SEC, 23 * SEC);
    check(&o->writes, 0, MS(19120), USEC_NEVER);
}

static void flapping_is_one_outage_and_what_lies_in_it_is_none(void **state) {
    struct outages *o = *state;
    good(o, MS(1000), MS(2000));
    bad(o, MS(2000), MS(3000));
    good(o, MS(3000), MS(3300));
    bad(o, MS(3300), MS(3400)); // a short one by itself, until the outage goes on
    good(o, MS(3400), MS(3700));
    assert_int_equal(o->writes.n, 2);
    bad(o, MS(3700), MS(5000));
    assert_int_equal(o->writes.n, 1);
    assert_ptr_equal(outages_open(o), &o->writes.items[0]);
    good(o, MS(5000), MS(6100));
    check(&o->writes, 0, MS(1999), MS(5001));
    bad(o, MS(6100), MS(7000)); // 1.098 s later: another one
    good(o, MS(7000), MS(8000));
    assert_int_equal(o->writes.n, 2);
    check(&o->writes, 1, MS(6099), MS(7001));
}

static void an_outage_from_before_the_first_injection_is_another_one(void **state) {
    struct outages *o = *state;
    struct event ev = EVENT_NEW(FAULT);
    good(o, MS(1000), MS(2000));
    bad(o, MS(2000), MS(3000));
    good(o, MS(3000), MS(3500));
    ev.t = MS(3510);
    outages_event(o, &ev);
    bad(o, MS(3500), MS(5000));
    good(o, MS(5000), MS(6000));
    assert_int_equal(o->writes.n, 2);
    check(&o->writes, 0, MS(1999), MS(3001));
    check(&o->writes, 1, MS(3499), MS(5001));
}

static void an_outage_lasts_from_the_first_try_to_the_last(void **state) {
    struct outages *o = *state;
    bad(o, MS(1000), MS(2000));
    assert_true(outages_unserved(o, MS(1000)));
    check(&o->writes, 0, MS(1000), USEC_NEVER);
    good(o, MS(2000), MS(3000));
    check(&o->writes, 0, MS(1000), MS(2001));
    bad(o, MS(3000), MS(3300));
    assert_null(outages_open(o)); // tried until 3.2 s for all that is known
    outages_finish(o);
    check(&o->writes, 1, MS(2999), USEC_NEVER);
    assert_int_equal(outages_until(o, &o->writes.items[1], 60 * SEC), MS(3200));
}

static void a_stopped_application_has_no_outage_that_grows(void **state) {
    struct outages *o = *state;
    struct event ev = EVENT_NEW(LAB_STATE);
    good(o, MS(1000), MS(2000));
    bad(o, MS(2000), MS(3000));
    ev.t = MS(3050);
    ev.u.LAB_STATE.state = LAB_STATE_COLLECTING;
    outages_event(o, &ev);
    tick(o, MS(3000), 0, 3, 0, 0); // its last bucket comes after that
    assert_int_equal(outages_until(o, outages_open(o), 60 * SEC), MS(3000));
}

static void one_bucket_without_a_good_read_is_no_outage(void **state) {
    struct outages *o = *state;
    static const struct {
        bool tried, good;
    } buckets[] = {{true, false}, // none was good before: not begun yet
                   {true, true},  {true, false}, {true, true},  {true, false}, {false, false},
                   {true, false}, {true, true},  {true, false}, {true, false}};
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++)
        outages_read(o, MS(1000 + 100 * (usec_t)i), buckets[i].tried, buckets[i].good);
    assert_int_equal(o->reads.n, 2);
    check(&o->reads, 0, MS(1400), MS(1700));
    check(&o->reads, 1, MS(1800), USEC_NEVER);
}

static void a_long_lab_keeps_the_newest(void **state) {
    struct outages *o = *state;
    o->most = 10;
    for (usec_t t = 1; t < 200; t += 4) {
        good(o, t * SEC, (t + 2) * SEC);
        bad(o, (t + 2) * SEC, (t + 4) * SEC);
    }
    assert_in_range(o->writes.n, 7, 10);
    assert_int_equal(o->writes.items[o->writes.n - 1].from, MS(198999));
}

// ---- recorded logs: dashboard, story and measures -------------------------------------------------------------------------

struct readers {
    struct model *m;
    struct history *h;
    struct story *story;
    struct measure *measure;
    struct measure *ledgered; // has a ledger besides, and not every tick
    unsigned seed;            // 0 = as it was
    usec_t bad_to;            // a made-up stretch without a good operation
    bool failing;             // in which they fail, else they are only slow
};

static unsigned draw(struct readers *r, unsigned below) {
    r->seed = r->seed * 1103515245 + 12345;
    return (r->seed >> 16) % below;
}

// Stretches of one to fifteen buckets, a few of them close together.
static void disturb(struct readers *r, struct event *ev) {
    usec_t from = ev->u.CLIENT_TICK.from;
    if (from >= r->bad_to && draw(r, 12) == 0) {
        r->bad_to = from + MS(100) * (1 + draw(r, draw(r, 2) ? 3 : 15));
        r->failing = draw(r, 2);
    }
    if (from >= r->bad_to)
        return;
    ev->u.CLIENT_TICK.w_failed += r->failing ? ev->u.CLIENT_TICK.w_ok : 0;
    ev->u.CLIENT_TICK.w_ok = ev->u.CLIENT_TICK.r_ok = 0;
    ev->u.CLIENT_TICK.w_first_ok = ev->u.CLIENT_TICK.w_last_ok = 0;
}

// What the application would have put into its ledger of such a bucket.
static void put_into_ledger(struct readers *r, const struct event *ev) {
    usec_t first = ev->u.CLIENT_TICK.w_first_ok, last = ev->u.CLIENT_TICK.w_last_ok, from = ev->u.CLIENT_TICK.from;
    struct ledger_record rec = {
        .op = LEDGER_WRITE, .result = LEDGER_OK, .scheduled = from, .invoked = from, .id = from / MS(100) * 2 + 1};
    if (ev->u.CLIENT_TICK.w_ok <= 0) {
        rec.result = LEDGER_FAILED;
        rec.returned = from + MS(100);
        if (ev->u.CLIENT_TICK.w_tried > 0)
            measure_ledger(r->ledgered, &rec);
        return;
    }
    rec.scheduled = ev->u.CLIENT_TICK.w_tried > 0 ? from : first;
    for (int i = 0; i < 2; i++) {
        rec.returned = i ? last : first;
        measure_ledger(r->ledgered, &rec);
        rec.id++;
    }
}

static bool read_event(void *arg, const struct event *as_it_was) {
    struct readers *r = arg;
    struct event ev = *as_it_was;
    if (r->seed && ev.kind == EVENT_CLIENT_TICK)
        disturb(r, &ev);
    model_apply(r->m, &ev);
    history_apply(r->h, r->m, &ev);
    story_event(r->story, &ev);
    measure_event(r->measure, &ev);
    if (ev.kind == EVENT_CLIENT_TICK)
        put_into_ledger(r, &ev);
    bool lost = ev.kind == EVENT_CLIENT_TICK && ev.u.CLIENT_TICK.w_ok > 0 && ev.u.CLIENT_TICK.w_failed == 0 &&
                ev.u.CLIENT_TICK.from / MS(100) % 3 == 0;
    if (!lost)
        measure_event(r->ledgered, &ev);
    return true;
}

static void add(outage_list *l, usec_t from, usec_t to) {
    VEC_PUSH(l, ((struct outage){.from = from, .to = to}));
}

// Its beginnings and ends, by the moments that every printer shows.
static void outages_told(const struct story *s, enum moment_kind stop, enum moment_kind back, outage_list *out) {
    for (size_t i = 0; i < story_count(s); i++) {
        const struct moment *m = story_at(s, i);
        if (m->kind == stop && m->weight > TOLD_DETAIL)
            add(out, m->t, USEC_NEVER);
        if (m->kind == back && m->weight > TOLD_DETAIL && out->n)
            out->items[out->n - 1].to = m->t;
    }
}

static void say(const char *who, const outage_list *l) {
    VEC_FOREACH (l, x)
        print_message("  %s: %.6f s to %.6f s\n", who, (double)x->from / 1e6,
                      x->to == USEC_NEVER ? -1 : (double)x->to / 1e6);
}

static void same(const char *log, unsigned seed, const char *who, const outage_list *got, const outage_list *want) {
    bool equal = got->n == want->n;
    for (size_t i = 0; equal && i < want->n; i++)
        equal = got->items[i].from == want->items[i].from && got->items[i].to == want->items[i].to;
    if (equal)
        return;
    say(who, got);
    say("the measures", want);
    fail_msg("%s, seed %u: %s and the measures tell of different outages", log, seed, who);
}

// Live, the last try is known to its bucket: an outage that goes on and has not been tried for longer than a hiccup may last is known at the end only.
static void without_the_unfinished(outage_list *l, const struct outages *live) {
    const struct outage *last = l->n ? &l->items[l->n - 1] : NULL;
    if (last && last->to == USEC_NEVER && !outages_open(live))
        l->n--;
}

static size_t compare(const char *log, unsigned seed) {
    struct readers r = {model_new(), history_new(), story_new(), measure_new(), measure_new(), .seed = seed};
    cleanup_free char *path = xasprintf("tests/screen/logs/%s", log);
    struct run_read_stats stats;
    assert_true(run_log_read(path, read_event, &r, &stats, NULL) >= 0);
    const struct measures *o = measure_finish(r.measure);
    story_finish(r.story);
    const struct measures *better = measure_finish(r.ledgered);
    outage_list told = {0}, reads = {0}, want = {0};
    outages_told(r.story, MOMENT_WRITES_STOP, MOMENT_WRITES_BACK, &told);
    outages_told(r.story, MOMENT_READS_STOP, MOMENT_READS_BACK, &reads);
    same(log, seed, "the story", &told, &o->outage.felt->writes);
    same(log, seed, "the ledger", &better->outage.felt->writes, &o->outage.felt->writes);
    same(log, seed, "the story of reads", &reads, &o->outage.felt->reads);
    same(log, seed, "the dashboard of reads", &r.h->felt.reads, &o->outage.felt->reads);
    VEC_FOREACH (&o->outage.felt->writes, x)
        add(&want, x->from, x->to);
    without_the_unfinished(&want, &r.h->felt);
    same(log, seed, "the dashboard", &r.h->felt.writes, &want);
    size_t n = o->outage.felt->writes.n;
    VEC_DONE(&told), VEC_DONE(&reads), VEC_DONE(&want);
    model_free(r.m), history_free(r.h), story_free(r.story), measure_free(r.measure), measure_free(r.ledgered);
    return n;
}

static void dashboard_story_and_measures_tell_of_the_same_outages(void **state) {
    (void)state;
    enum { SEEDS = 40 };
    size_t logs = 0, recorded = 0, made_up = 0;
    DIR *dir = opendir("tests/screen/logs");
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!str_ends(e->d_name, ".jsonl"))
            continue;
        logs++;
        recorded += compare(e->d_name, 0);
        for (unsigned seed = 1; seed <= SEEDS; seed++)
            made_up += compare(e->d_name, seed);
    }
    (void)closedir(dir);
    assert_true(logs >= 7 && recorded >= 5 && made_up >= logs * SEEDS * 4); // it compared something
}

#define FOLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLD_TEST(an_outage_begins_at_the_last_good_write_and_ends_at_the_next),
        FOLD_TEST(a_pause_of_which_no_tick_tells_is_one_too),
        FOLD_TEST(a_short_pause_is_an_outage_when_one_of_its_writes_failed),
        FOLD_TEST(a_slow_workload_has_no_outage_between_two_writes),
        FOLD_TEST(flapping_is_one_outage_and_what_lies_in_it_is_none),
        FOLD_TEST(an_outage_from_before_the_first_injection_is_another_one),
        FOLD_TEST(an_outage_lasts_from_the_first_try_to_the_last),
        FOLD_TEST(a_stopped_application_has_no_outage_that_grows),
        FOLD_TEST(one_bucket_without_a_good_read_is_no_outage),
        FOLD_TEST(a_long_lab_keeps_the_newest),
        cmocka_unit_test(dashboard_story_and_measures_tell_of_the_same_outages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
