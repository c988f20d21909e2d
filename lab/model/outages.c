// SPDX-License-Identifier: PostgreSQL
#include "lab/model/outages.h"

#include <string.h>

#define BUCKET       OUTAGES_BUCKET
#define STEADY       SEC                 // writes that came back for less did not keep succeeding
#define LATE_FAILURE (2 * SEC + SEC / 2) // a write of the pause is given up at its deadline, 2 s later

void outages_done(struct outages *o) {
    VEC_DONE(&o->writes);
    VEC_DONE(&o->reads);
    VEC_DONE(&o->news);
    *o = (struct outages){0};
}

usec_t outages_threshold(const struct outages *o) {
    return event_longest_gap(o->period);
}

const struct outage *outages_open(const struct outages *o) {
    const struct outage *last = o->writes.n ? &o->writes.items[o->writes.n - 1] : NULL;
    return last && last->to == USEC_NEVER ? last : NULL;
}

bool outages_unserved(const struct outages *o, usec_t from) {
    return o->tried && from == o->first_try;
}

usec_t outages_until(const struct outages *o, const struct outage *x, usec_t now) {
    if (x->to != USEC_NEVER)
        return x->to;
    usec_t to = o->over_at ? o->last_try : now;
    return to > x->from ? to : x->from;
}

static void say(struct outages *o, enum outage_turn turn, usec_t at, usec_t from, usec_t was) {
    VEC_PUSH(&o->news, ((struct outage_news){turn, at, from, was}));
}

// A pause that was judged late has its place among those that began before.
static void put(struct outages *o, outage_list *list, struct outage x) {
    if (o->most && list->n >= o->most) {
        size_t gone = list->n / 5 + 1;
        memmove(list->items, list->items + gone, (list->n - gone) * sizeof *list->items);
        list->n -= gone;
    }
    VEC_PUSH(list, x);
    for (size_t i = list->n - 1; i > 0 && list->items[i - 1].from > x.from; i--) {
        list->items[i] = list->items[i - 1];
        list->items[i - 1] = x;
    }
}

// ---- writes ----------------------------------------------------------------------------------------------------------

// The outage that a pause above OUTAGES_HICCUP goes on with. One that was over when the first injection was asked for is not what follows it: that
// injection has to be the cause of one that began after it. (It may bite a hiccup's length after the last acknowledged write.)
static struct outage *joined(struct outages *o, usec_t from) {
    size_t i = o->writes.n;
    while (i > 0 && !o->writes.items[i - 1].lasting)
        i--;
    struct outage *last = i ? &o->writes.items[i - 1] : NULL;
    if (!last || last->to == USEC_NEVER || from >= last->to + STEADY)
        return NULL;
    bool injected_between = o->injected && last->to <= o->injected && o->injected <= from + OUTAGES_HICCUP;
    return injected_between ? NULL : last;
}

static void begin(struct outages *o, usec_t from) {
    struct outage *last = joined(o, from);
    if (!last) {
        put(o, &o->writes, (struct outage){from, USEC_NEVER, .lasting = true});
        say(o, OUTAGE_BEGINS, from, from, 0);
        return;
    }
    say(o, OUTAGE_GOES_ON, from, last->from, last->to);
    last->to = USEC_NEVER;
    o->writes.n = (size_t)(last - o->writes.items) + 1; // short ones since then lie in it
}

static void end(struct outages *o, usec_t to) {
    struct outage *last = &o->writes.items[o->writes.n - 1];
    last->to = to;
    say(o, OUTAGE_ENDS, to, last->from, 0);
}

static void short_outage(struct outages *o, const struct outages_pause *p) {
    VEC_FOREACH (&o->writes, x)
        if (x->from <= p->from && p->to <= x->to) // one that went on after it
            return;
    put(o, &o->writes, (struct outage){p->from, p->to, .lasting = false});
    say(o, OUTAGE_BEGINS, p->from, p->from, 0);
    say(o, OUTAGE_ENDS, p->to, p->from, 0);
}

static void note_hiccup(struct outages *o, const struct outages_pause *p) {
    if (p->to > o->injected && p->to - p->from > o->hiccup)
        o->hiccup = p->to - p->from;
}

// Those of which no write can turn out to have failed by now.
static void forget_short(struct outages *o, usec_t now) {
    size_t kept = 0;
    for (size_t i = 0; i < o->n_short; i++) {
        if (o->short_pauses[i].to + LATE_FAILURE < now || o->n_short - i == OUTAGES_SHORT)
            note_hiccup(o, &o->short_pauses[i]);
        else
            o->short_pauses[kept++] = o->short_pauses[i];
    }
    o->n_short = kept;
}

static void short_pause(struct outages *o, usec_t from, usec_t to) {
    struct outages_pause p = {from, to};
    forget_short(o, from);
    if (o->bad_until > from)
        short_outage(o, &p);
    else
        o->short_pauses[o->n_short++] = p;
}

static usec_t pause_began(const struct outages *o) {
    return o->served ? o->last_ok : o->first_try;
}

void outages_tried(struct outages *o, usec_t t) {
    if (t >= o->over_at)
        o->over_at = 0;
    if (!o->tried || (t < o->first_try && !o->served))
        o->first_try = t;
    if (!o->tried || t > o->last_try)
        o->last_try = t;
    o->tried = true;
}

void outages_bad(struct outages *o, usec_t bucket) {
    size_t kept = 0;
    for (size_t i = 0; i < o->n_short; i++) {
        struct outages_pause *p = &o->short_pauses[i];
        if (bucket + BUCKET > p->from && bucket <= p->to + LATE_FAILURE)
            short_outage(o, p);
        else
            o->short_pauses[kept++] = *p;
    }
    o->n_short = kept;
    o->bad_until = bucket + BUCKET > o->bad_until ? bucket + BUCKET : o->bad_until;
}

void outages_acked(struct outages *o, usec_t t) {
    usec_t from = pause_began(o);
    bool known = o->served || o->tried;
    if (known && t <= from && o->served)
        return;
    if (outages_open(o)) {
        end(o, t > from ? t : from);
    } else if (known && t > from + outages_threshold(o)) {
        if (t - from > OUTAGES_HICCUP) {
            begin(o, from);
            end(o, t);
        } else {
            short_pause(o, from, t);
        }
    }
    o->last_ok = t;
    o->served = true;
}

void outages_unbroken(struct outages *o, usec_t t) {
    o->last_ok = o->served && t > o->last_ok ? t : o->last_ok;
}

// Only tries prove that nobody answers: an application that stands still, or is stopped, has no outage that grows.
static bool goes_on(const struct outages *o, usec_t least) {
    usec_t limit = outages_threshold(o) > least ? outages_threshold(o) : least;
    return o->tried && !outages_open(o) && o->last_try > pause_began(o) + limit;
}

void outages_finish(struct outages *o) {
    if (goes_on(o, 0)) {
        usec_t from = pause_began(o);
        if (o->last_try - from > OUTAGES_HICCUP) {
            begin(o, from);
        } else if (o->bad_until > from) {
            put(o, &o->writes, (struct outage){from, USEC_NEVER, .lasting = false});
            say(o, OUTAGE_BEGINS, from, from, 0);
        } else {
            short_pause(o, from, o->last_try);
        }
    }
    forget_short(o, USEC_NEVER);
    o->over_at = USEC_NEVER;
}

// ---- reads -----------------------------------------------------------------------------------------------------------

void outages_read(struct outages *o, usec_t bucket, bool tried, bool good) {
    struct outage *last = o->reads.n ? &o->reads.items[o->reads.n - 1] : NULL;
    bool open = last && last->to == USEC_NEVER;
    if (tried && bucket > o->last_read_try)
        o->last_read_try = bucket;
    if (good) {
        if (open) {
            last->to = bucket > last->from ? bucket : last->from;
            say(o, OUTAGE_READS_BACK, last->to, last->from, 0);
        }
        o->reads_bad = false;
        o->read_once = true;
        return;
    }
    if (!tried || !o->read_once)
        return;
    if (!o->reads_bad) {
        o->reads_bad = true;
        o->reads_from = bucket;
    } else if (!open && bucket >= o->reads_from + BUCKET) { // one alone is none: a success may sit right behind its end
        put(o, &o->reads, (struct outage){o->reads_from, USEC_NEVER, .lasting = true});
        say(o, OUTAGE_READS_STOP, o->reads_from, o->reads_from, 0);
    }
}

// ---- a log as it comes -----------------------------------------------------------------------------------------------

static void on_tick(struct outages *o, const struct event *ev) {
    usec_t from = ev->u.CLIENT_TICK.from, first = ev->u.CLIENT_TICK.w_first_ok, last = ev->u.CLIENT_TICK.w_last_ok;
    usec_t last_bucket = event_tick_end(ev) - BUCKET; // the same, unless it is a merged one
    if (ev->u.CLIENT_TICK.w_tried > 0)
        outages_tried(o, from), outages_tried(o, last_bucket);
    if (ev->u.CLIENT_TICK.w_failed > 0 || ev->u.CLIENT_TICK.w_unknown > 0)
        outages_bad(o, from), outages_bad(o, last_bucket);
    if (ev->u.CLIENT_TICK.w_ok > 0) {
        outages_acked(o, first ? first : from);
        outages_unbroken(o, last);
    } else if (goes_on(o, OUTAGES_HICCUP)) {
        begin(o, pause_began(o));
    }
    bool tried = ev->u.CLIENT_TICK.r_tried > 0 || ev->u.CLIENT_TICK.r_failed > 0, good = ev->u.CLIENT_TICK.r_ok > 0;
    outages_read(o, from, tried, good);
    if (last_bucket > from)
        outages_read(o, last_bucket, tried, good);
}

static void on_injection(struct outages *o, const struct event *ev) {
    if (o->injected)
        return;
    o->injected = ev->t;
    o->hiccup = 0;
}

void outages_event(struct outages *o, const struct event *ev) {
    VEC_CLEAR(&o->news);
    if (ev->kind == EVENT_CLIENT_TICK)
        on_tick(o, ev);
    else if (ev->kind == EVENT_FAULT || ev->kind == EVENT_ACTION)
        on_injection(o, ev);
    else if (ev->kind == EVENT_RUN_BEGIN)
        o->period = ev->u.RUN_BEGIN.period_us > 0 ? (usec_t)ev->u.RUN_BEGIN.period_us : 0;
    else if (ev->kind == EVENT_LAB_STATE && ev->u.LAB_STATE.state == LAB_STATE_COLLECTING)
        o->over_at = ev->t;
}
