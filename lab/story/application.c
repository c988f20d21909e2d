// SPDX-License-Identifier: PostgreSQL
// What the application felt. The rules are those of docs/measures.md (lab/measure/outage.c judges a finished run by them): a pause above
// max(3 periods, 100 ms) is an outage when it is longer than 250 ms or one of its writes failed; a further pause above 250 ms that begins less than 1 s
// after one has ended belongs to it. Every outage is told, not only the longest.
#include <stdio.h>

#include "lab/model/watch.h"
#include "lab/story/internal.h"

#define BUCKET       (100 * MSEC)
#define PAUSE_MIN    (100 * MSEC)
#define HICCUP_MAX   (250 * MSEC)
#define SAY_AFTER    (300 * MSEC) // nobody wants a line for less while it happens
#define STEADY       SEC
#define LATE_FAILURE (2 * SEC + SEC / 2) // a write of the pause is given up at its deadline, 2 s later
#define READS_MIN    (2 * BUCKET)

static usec_t threshold(const struct app_told *a) {
    return 3 * a->period > PAUSE_MIN ? 3 * a->period : PAUSE_MIN;
}

// ---- resolution: one period and the usual way of a write ---------------------------------------------------------------

static void note_latency(struct app_told *a, usec_t done, usec_t due) {
    if (!done || !due || due > done)
        return;
    a->latency[a->n_latency % LATENCIES] = done - due;
    a->latency_at[a->n_latency++ % LATENCIES] = done;
}

static int by_time(const void *x, const void *y) {
    usec_t a = *(const usec_t *)x, b = *(const usec_t *)y;
    return a < b ? -1 : a > b;
}

static usec_t usual_latency(const struct app_told *a, usec_t from, usec_t to) {
    usec_t v[LATENCIES];
    size_t n = 0;
    for (size_t i = 0; i < a->n_latency && i < LATENCIES; i++)
        if (a->latency_at[i] >= from && a->latency_at[i] <= to)
            v[n++] = a->latency[i];
    if (!n)
        return 0;
    qsort(v, n, sizeof *v, by_time);
    return v[n / 2];
}

static void state_resolution(struct story *s, usec_t now) {
    struct app_told *a = &s->app;
    if (!a->resolution_due || now < a->resolution_due)
        return;
    usec_t after = usual_latency(a, a->ended, a->ended + SEC);
    a->resolution_due = 0;
    if (a->period)
        story_outage_resolution(s, a->began, a->ended, a->period + (after > a->before ? after : a->before));
}

// ---- outages -----------------------------------------------------------------------------------------------------------

static void begin(struct story *s, usec_t from, bool is_long) {
    struct app_told *a = &s->app;
    bool flaps = is_long && a->long_before && a->ended && from < a->ended + STEADY;
    struct moment *last = flaps ? moment_find(s, a->end) : NULL;
    char text[USEC_TEXT_MAX];
    a->pause_from = from;
    if (last) { // writes had not come back to stay
        set_text(last, "writes come back, but only for %s", usec_format(text, from > a->ended ? from - a->ended : 0));
        last->weight = TOLD_DETAIL;
        last->mood = MOOD_NEUTRAL;
        (void)tell(s, from, MOMENT_APPLICATION, TOLD_DETAIL, MOOD_BAD, "", "writes stop again: the outage goes on");
        a->outage_from = a->began;
        return;
    }
    a->outage_from = a->began = from;
    a->outage_reads = a->outage_reads_bad = 0;
    a->read_only_told = false;
    a->before = usual_latency(a, from > SEC ? from - SEC : 0, from);
    struct moment *m = tell(s, from, MOMENT_WRITES_STOP, TOLD_MAIN, MOOD_BAD, a->server,
                            "the last acknowledged write: after it WRITES STOP");
    if (*a->first_error)
        add_detail(m, "the application's first error: %s", a->first_error);
}

static void end(struct story *s, usec_t to) {
    struct app_told *a = &s->app;
    char text[USEC_TEXT_MAX];
    struct moment *m = tell(s, to, MOMENT_WRITES_BACK, TOLD_MAIN, MOOD_GOOD, "", "writes are back after %s",
                            usec_format(text, to > a->outage_from ? to - a->outage_from : 0));
    if (a->outage_reads || a->outage_reads_bad)
        add_detail(m, "reads meanwhile: %" PRId64 " good, %" PRId64 " failed", a->outage_reads, a->outage_reads_bad);
    a->long_before = to > a->pause_from + HICCUP_MAX;
    a->ended = to;
    a->end = m->id;
    a->outage_from = a->pause_from = 0;
    a->resolution_due = to + STEADY + BUCKET;
}

// A short pause becomes an outage when one of its writes turns out to have failed, up to its deadline later.
static void judge_hiccups(struct story *s, usec_t bucket, bool bad) {
    struct app_told *a = &s->app;
    size_t kept = 0;
    for (size_t i = 0; i < a->n_hiccups; i++) {
        struct pause p = a->hiccups[i];
        if (bad && bucket + BUCKET > p.from && bucket <= p.to + LATE_FAILURE && !a->outage_from) {
            begin(s, p.from, false);
            end(s, p.to);
        } else if (bucket <= p.to + LATE_FAILURE) {
            a->hiccups[kept++] = p;
        }
    }
    a->n_hiccups = kept;
}

static void good_write(struct story *s, usec_t first, usec_t last) {
    struct app_told *a = &s->app;
    if (!a->last_ok) {
        (void)tell(s, first, MOMENT_APPLICATION, TOLD_EVENT, MOOD_NEUTRAL, "",
                   "the application writes: the first acknowledged write");
    } else if (a->pause_from) {
        end(s, first);
    } else if (a->tried && first > a->last_ok + threshold(a)) {
        bool bad = a->bad_at + BUCKET > a->last_ok && a->bad_at;
        if (first - a->last_ok > HICCUP_MAX || bad) {
            begin(s, a->last_ok, first - a->last_ok > HICCUP_MAX);
            end(s, first);
        } else if (a->n_hiccups < HICCUPS) {
            a->hiccups[a->n_hiccups++] = (struct pause){a->last_ok, first};
        }
    }
    a->last_ok = last > a->last_ok ? last : a->last_ok;
    a->tried = false;
    if (a->first_error_at <= a->last_ok)
        a->first_error[0] = '\0';
}

static void on_writes(struct story *s, const struct event *ev) {
    struct app_told *a = &s->app;
    usec_t from = ev->u.CLIENT_TICK.from, stop = from + BUCKET;
    bool bad = ev->u.CLIENT_TICK.w_failed > 0 || ev->u.CLIENT_TICK.w_unknown > 0;
    if (ev->u.CLIENT_TICK.w_tried > 0)
        a->last_tried = from > a->last_tried ? from : a->last_tried;
    a->tried |= ev->u.CLIENT_TICK.w_tried > 0 || bad || ev->u.CLIENT_TICK.in_flight > 0;
    if (bad)
        a->bad_at = from;
    if (ev->u.CLIENT_TICK.w_ok > 0) {
        usec_t first = ev->u.CLIENT_TICK.w_first_ok ? ev->u.CLIENT_TICK.w_first_ok : stop;
        good_write(s, first, ev->u.CLIENT_TICK.w_last_ok ? ev->u.CLIENT_TICK.w_last_ok : stop);
        note_latency(a, ev->u.CLIENT_TICK.w_first_ok, ev->u.CLIENT_TICK.w_first_ok_scheduled);
        if (ev->u.CLIENT_TICK.w_last_ok != ev->u.CLIENT_TICK.w_first_ok)
            note_latency(a, ev->u.CLIENT_TICK.w_last_ok, ev->u.CLIENT_TICK.w_last_ok_scheduled);
    } else if (a->last_ok && !a->pause_from && a->tried && stop > a->last_ok + SAY_AFTER &&
               stop > a->last_ok + threshold(a)) {
        begin(s, a->last_ok, true);
    }
    judge_hiccups(s, from, bad);
    state_resolution(s, stop);
}

static void on_reads(struct story *s, const struct event *ev) {
    struct app_told *a = &s->app;
    usec_t from = ev->u.CLIENT_TICK.from;
    char text[USEC_TEXT_MAX];
    bool tried = ev->u.CLIENT_TICK.r_tried > 0 || ev->u.CLIENT_TICK.r_failed > 0;
    if (a->outage_from) {
        a->outage_reads += ev->u.CLIENT_TICK.r_ok;
        a->outage_reads_bad += ev->u.CLIENT_TICK.r_failed;
    }
    if (ev->u.CLIENT_TICK.r_ok > 0) {
        if (a->reads_told) {
            struct moment *m = tell(s, from, MOMENT_READS_BACK, TOLD_EVENT, MOOD_GOOD, "", "reads are back after %s",
                                    usec_format(text, from > a->reads_from ? from - a->reads_from : 0));
            m->error = BUCKET;
        }
        a->reads_from = 0;
        a->reads_told = false;
        a->read_once = true;
    } else if (tried && a->read_once) {
        a->reads_from = a->reads_from ? a->reads_from : from;
        if (!a->reads_told && from + BUCKET > a->reads_from + READS_MIN) {
            a->reads_told = true;
            tell(s, a->reads_from, MOMENT_READS_STOP, TOLD_EVENT, MOOD_BAD, "",
                 "READS STOP: no node answers the application's queries")
                ->error = BUCKET;
        }
    }
}

static void on_error(struct story *s, const struct event *ev) {
    struct app_told *a = &s->app;
    const char *node = ev->u.CLIENT_ERROR.node, *state = ev->u.CLIENT_ERROR.sqlstate;
    if (str_eq(ev->u.CLIENT_ERROR.phase, "process")) { // no answer of a server: the application itself
        (void)tell(s, ev->t, MOMENT_APPLICATION, TOLD_MAIN, MOOD_BAD, "", "%s", ev->u.CLIENT_ERROR.text);
        return;
    }
    if (!a->last_ok)
        return;
    if (!*a->first_error) {
        a->first_error_at = ev->t;
        (void)snprintf(a->first_error, sizeof a->first_error, "%s%s%.40s: %.80s%s%.8s%s", ev->u.CLIENT_ERROR.phase,
                       *node ? " on " : "", node, ev->u.CLIENT_ERROR.text, *state ? " (" : "", state,
                       *state ? ")" : "");
    }
    // 25006 read_only_sql_transaction; without a code it is our own client's finding on a session that it opened.
    bool read_only = str_eq(state, "25006") || strstr(ev->u.CLIENT_ERROR.text, "read-only");
    if (!read_only || !a->outage_from || a->read_only_told)
        return;
    a->read_only_told = true;
    (void)tell(s, ev->t, MOMENT_APPLICATION, TOLD_EVENT, MOOD_WARN, node,
               "the application finds %s read-only: it can read there and not write", *node ? node : "a server");
}

static void on_server(struct story *s, const struct event *ev) {
    struct app_told *a = &s->app;
    const char *node = ev->u.CLIENT_SERVER.node;
    if (!*node || str_eq(node, a->server))
        return;
    (void)tell(s, ev->t, MOMENT_APPLICATION, TOLD_EVENT, MOOD_NEUTRAL, node, "the application is connected to %s%s",
               node, *a->server ? " now" : "");
    STR_COPY(a->server, node);
}

// It comes late to its own schedule: told by the first bucket of a row that it works off together.
static void on_late(struct story *s, const struct event *ev) {
    usec_t from = ev->u.CLIENT_TICK.from, late = ev->u.CLIENT_TICK.late_us > 0 ? (usec_t)ev->u.CLIENT_TICK.late_us : 0;
    char text[USEC_TEXT_MAX];
    if (late < WATCH_STILL || from < s->app.still_until)
        return;
    s->app.still_until = from + late;
    (void)tell(
        s, from, MOMENT_UNWATCHED, TOLD_MAIN, MOOD_WARN, "",
        "the APPLICATION STANDS STILL from here on, for %s: it tries nothing, what it would have felt is not known",
        usec_format(text, late));
}

void tell_application(struct story *s, const struct event *ev) {
    if (ev->kind == EVENT_CLIENT_ERROR) {
        on_error(s, ev);
    } else if (ev->kind == EVENT_CLIENT_SERVER) {
        on_server(s, ev);
    } else {
        on_late(s, ev);
        on_writes(s, ev);
        on_reads(s, ev);
    }
}

void finish_application(struct story *s) {
    struct app_told *a = &s->app;
    char text[USEC_TEXT_MAX];
    state_resolution(s, USEC_NEVER);
    bool open = a->last_ok && a->last_tried > a->last_ok + threshold(a);
    if (open && !a->pause_from)
        begin(s, a->last_ok, true);
    if (open)
        (void)tell(s, a->last_tried, MOMENT_APPLICATION, TOLD_MAIN, MOOD_BAD, "",
                   "writes still failed when the application stopped, after %s",
                   usec_format(text, a->last_tried - a->outage_from));
    else if (a->last_ok)
        (void)tell(s, a->last_ok, MOMENT_APPLICATION, TOLD_EVENT, MOOD_NEUTRAL, "",
                   "the last acknowledged write of the run");
    if (a->reads_told)
        (void)tell(s, a->last_tried > a->reads_from ? a->last_tried : a->reads_from, MOMENT_APPLICATION, TOLD_EVENT,
                   MOOD_BAD, "", "reads still failed when the application stopped");
}
