// SPDX-License-Identifier: PostgreSQL
// Observations that are held are written together, in order of their times: so no line of a kind lies before an older one. Ticks have
// a beat of their own; a tick is dated at its end as ever.
//
// What a line can be:
//   same   says what the line of its key before said: merged, while nothing else happens
//   whole  is written as it is, with what is held before it, and is no news: it came later than its kind does (a busy machine), a write took
//          longer than usual, a standby has fallen behind, a daemon wrote another line into its log
//   news   ends the thinning: everything that has no rule below, and everything that says something else
#include "lab/record/thin.h"

#include "lab/base/count.h"
#include "lab/base/vec.h"
#include "lab/record/thin_rules.h"

static const int LATER = 6;                 // times `after`
static const usec_t TICK_LATE = 500 * MSEC; // of the observer's own timer: a machine as busy is told as it is

struct slot { // the newest line of one key
    const struct thin_rule *rule;
    struct event last;
    struct event sum; // what is held, merged; valid if held > 0
    int64_t held;
    usec_t pause;   // since the last line written
    int64_t lag;    // REPLICATION: of the last line written
    usec_t arrived; // SQL: the first line with this position
    bool still;     // which has not moved for EVENT_STILL
};

struct thinner {
    usec_t after;
    thin_write *write;
    void *arg;
    usec_t now, news_at;
    usec_t others_at; // observations were written last
    usec_t ticks, others;
    bool watched;
    usec_t period; // of the application's writes
    VEC(struct slot) slots;
    VEC(struct event) out; // to be sorted; kept for its memory
};

struct thinner *thin_new(usec_t after, thin_write *write, void *arg) {
    struct thinner *th = xcalloc(1, sizeof *th);
    th->after = after;
    th->write = write;
    th->arg = arg;
    return th;
}

void thin_free(struct thinner *th) {
    if (!th)
        return;
    VEC_DONE(&th->slots);
    VEC_DONE(&th->out);
    free(th);
}

usec_t thin_ticks(const struct thinner *th) {
    return th->ticks;
}

// ---- merging ---------------------------------------------------------------------------------------------------------

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static void add_tick(struct event *sum, const struct event *ev) {
    __auto_type s = &sum->u.CLIENT_TICK;
    __auto_type k = &ev->u.CLIENT_TICK;
    int64_t *const counts[] = {&s->w_tried, &s->w_ok, &s->w_failed, &s->w_unknown, &s->r_tried, &s->r_ok, &s->r_failed};
    const int64_t more[] = {k->w_tried, k->w_ok, k->w_failed, k->w_unknown, k->r_tried, k->r_ok, k->r_failed};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        *counts[i] = count_add(*counts[i], more[i]);
    s->w_last_ok = k->w_last_ok;
    s->w_last_ok_scheduled = k->w_last_ok_scheduled;
    s->w_max_us = larger(s->w_max_us, k->w_max_us);
    s->r_max_us = larger(s->r_max_us, k->r_max_us);
    s->in_flight = k->in_flight;
    sum->t = ev->t;
}

static void add_noise(struct event *sum, const struct event *ev) {
    struct event worst = *ev;
    __auto_type n = &worst.u.NOISE;
    n->late_max_us = larger(n->late_max_us, sum->u.NOISE.late_max_us);
    n->late_p99_us = larger(n->late_p99_us, sum->u.NOISE.late_p99_us);
    n->steal_ms = count_add(n->steal_ms, sum->u.NOISE.steal_ms);
    n->cpu_some = n->cpu_some > sum->u.NOISE.cpu_some ? n->cpu_some : sum->u.NOISE.cpu_some;
    n->load1 = n->load1 > sum->u.NOISE.load1 ? n->load1 : sum->u.NOISE.load1;
    *sum = worst;
}

static void merge_into_slot(struct slot *s, const struct event *ev, usec_t gap) {
    if (!s->held)
        s->sum = *ev;
    else if (ev->kind == EVENT_CLIENT_TICK)
        add_tick(&s->sum, ev);
    else if (ev->kind == EVENT_NOISE)
        add_noise(&s->sum, ev);
    else
        s->sum = *ev;
    s->held++;
    s->pause = gap > s->pause ? gap : s->pause;
}

// ---- writing ---------------------------------------------------------------------------------------------------------

static int64_t lag_of(const struct event *ev) {
    return ev->kind == EVENT_REPLICATION ? ev->u.REPLICATION.lag_bytes : 0;
}

static void take_held(struct thinner *th, struct slot *s) {
    if (!s->held)
        return;
    s->sum.repeats = s->held - 1;
    s->sum.pause = s->held > 1 ? s->pause : 0;
    s->lag = lag_of(&s->sum);
    VEC_PUSH(&th->out, s->sum);
    s->held = 0;
    s->pause = 0;
}

static int by_time(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    return x->t < y->t ? -1 : x->t > y->t;
}

static void write_taken(struct thinner *th) {
    VEC_SORT(&th->out, by_time);
    VEC_FOREACH (&th->out, ev)
        th->write(th->arg, ev);
    VEC_CLEAR(&th->out);
}

// An application that stands still does not say so: its last ticks come with the next observations.
static bool no_more_come(const struct thinner *th, const struct slot *s) {
    return s->held && th->now > s->sum.t + th->ticks;
}

static void flush(struct thinner *th, bool ticks, bool others) {
    VEC_FOREACH (&th->slots, s)
        if (s->rule->kind == EVENT_CLIENT_TICK ? ticks || no_more_come(th, s) : others)
            take_held(th, s);
    if (others)
        th->others_at = th->now;
    write_taken(th);
}

void thin_flush(struct thinner *th) {
    flush(th, true, true);
}

// ---- when ------------------------------------------------------------------------------------------------------------

static void set_resolution(struct thinner *th, usec_t ticks, usec_t others) {
    if (th->ticks == ticks && th->others == others)
        return;
    thin_flush(th);
    struct event ev = EVENT_NEW(RECORD_THINNED);
    ev.t = th->now;
    ev.u.RECORD_THINNED.ticks = th->ticks = ticks;
    ev.u.RECORD_THINNED.others = th->others = others;
    th->write(th->arg, &ev);
}

static void look_at_the_calm(struct thinner *th, bool news) {
    if (news || th->watched)
        th->news_at = th->now;
    usec_t calm = th->now - th->news_at;
    if (!th->after || calm < th->after)
        set_resolution(th, 0, 0);
    else if (calm < (LATER + 1) * th->after)
        set_resolution(th, THIN_TICKS, THIN_OTHERS);
    else
        set_resolution(th, THIN_TICKS_LATER, THIN_OTHERS_LATER);
}

void thin_watched(struct thinner *th, bool watched) {
    th->watched = watched;
    look_at_the_calm(th, true);
}

// ---- what ------------------------------------------------------------------------------------------------------------

static struct slot *find_slot(struct thinner *th, const struct thin_rule *rule, const struct event *ev) {
    VEC_FOREACH (&th->slots, s)
        if (s->rule == rule && thin_same_key(rule, &s->last, ev))
            return s;
    return NULL;
}

static usec_t time_after(usec_t before, usec_t t) {
    return t > before ? t - before : 0;
}

static bool usual_tick(const struct thinner *th, const struct event *last, const struct event *ev) {
    __auto_type k = &ev->u.CLIENT_TICK;
    usec_t longest = event_longest_gap(th->period);
    if (k->late_us || last->u.CLIENT_TICK.late_us || time_after(last->u.CLIENT_TICK.from, k->from) > longest)
        return false;
    return !k->w_ok || time_after(last->u.CLIENT_TICK.w_last_ok, k->w_first_ok) <= longest;
}

static bool is_usual(const struct thinner *th, const struct slot *s, const struct event *ev, usec_t gap) {
    if (ev->kind == EVENT_CLIENT_TICK)
        return usual_tick(th, &s->last, ev);
    if (ev->kind == EVENT_NOISE && ev->u.NOISE.late_max_us > (int64_t)TICK_LATE)
        return false;
    if (lag_of(ev) > s->lag && lag_of(ev) - s->lag > THIN_LAG)
        return false;
    return !s->rule->gap || gap <= s->rule->gap;
}

// Every server writes or receives something each 100 ms (our own probe's row): one whose position stands still is stuck, and the model asks since
// when (lab/model/replication.c). So the first line with a position is written where the next one says the same, and standing still
// for EVENT_STILL, or going on after it, is news.
static bool stillness_is_news(struct thinner *th, struct slot *s, const struct event *ev) {
    bool moves = ev->u.SQL.lsn != s->last.u.SQL.lsn, was = s->still;
    if (!moves && s->arrived == s->last.t)
        flush(th, false, true);
    if (moves)
        s->arrived = ev->t;
    s->still = !moves && time_after(s->arrived, ev->t) >= EVENT_STILL;
    return s->still != was;
}

static struct slot *add_slot(struct thinner *th, const struct thin_rule *rule) {
    struct slot *s = VEC_ADD(&th->slots);
    s->rule = rule;
    s->arrived = th->now;
    return s;
}

static void take_ruled(struct thinner *th, const struct thin_rule *rule, const struct event *ev) {
    struct slot *s = find_slot(th, rule, ev);
    bool same = s && thin_same(rule, &s->last, ev);
    if (s && ev->kind == EVENT_SQL && stillness_is_news(th, s, ev))
        same = false;
    usec_t gap = s ? time_after(s->last.t, ev->t) : 0;
    look_at_the_calm(th, !same && !rule->free);
    s = s ? s : add_slot(th, rule);
    if (th->ticks && same && is_usual(th, s, ev, gap)) {
        merge_into_slot(s, ev, gap);
    } else {
        if (rule->free)
            take_held(th, s), write_taken(th);
        else
            flush(th, ev->kind == EVENT_CLIENT_TICK, ev->kind != EVENT_CLIENT_TICK);
        th->write(th->arg, ev);
        s->lag = lag_of(ev);
    }
    s->last = *ev;
    if (ev->kind == EVENT_CLIENT_TICK && s->held && s->sum.t - s->sum.u.CLIENT_TICK.from >= th->ticks)
        flush(th, true, false);
    else if (th->now - th->others_at >= th->others)
        flush(th, false, true);
}

void thin_event(struct thinner *th, const struct event *ev) {
    const struct thin_rule *rule = thin_rule_of(ev->kind);
    th->now = ev->t > th->now ? ev->t : th->now;
    if (ev->kind == EVENT_RUN_BEGIN && ev->u.RUN_BEGIN.period_us > 0)
        th->period = (usec_t)ev->u.RUN_BEGIN.period_us;
    if (rule) {
        take_ruled(th, rule, ev);
        return;
    }
    look_at_the_calm(th, !thin_is_routine(ev));
    th->write(th->arg, ev);
}
