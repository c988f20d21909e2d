// SPDX-License-Identifier: PostgreSQL
// What the application felt: every outage of lab/model/outages.h, not only the longest, and what else it says of itself.
#include <stdio.h>

#include "lab/base/count.h"
#include "lab/model/watch.h"
#include "lab/story/internal.h"

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
    usec_t after = usual_latency(a, a->ended, a->ended + SEC), period = a->felt.period;
    a->resolution_due = 0;
    if (period)
        story_outage_resolution(s, a->began, a->ended, period + (after > a->before ? after : a->before));
}

// ---- outages -----------------------------------------------------------------------------------------------------------

// A short one that is known late is told, and changes nothing of what is known of a later one.
static bool latest(const struct app_told *a, const struct outage_news *n) {
    return n->from >= a->began;
}

static void tell_begin(struct story *s, const struct outage_news *n) {
    struct app_told *a = &s->app;
    struct moment *m =
        tell(s, n->at, MOMENT_WRITES_STOP, TOLD_MAIN, MOOD_BAD, a->server,
             outages_unserved(&a->felt, n->from) ? "the first write is tried, and not acknowledged: WRITES FAIL"
                                                 : "the last acknowledged write: after it WRITES STOP");
    if (!latest(a, n))
        return;
    if (*a->first_error)
        add_detail(m, "the application's first error: %s", a->first_error);
    a->began = n->from;
    a->ended = a->resolution_due = 0;
    a->outage_reads = a->outage_reads_bad = 0;
    a->read_only_told = false;
    a->before = usual_latency(a, n->at > SEC ? n->at - SEC : 0, n->at);
}

// Writes had not come back to stay: what was told since the outage began is a part of it.
static void tell_goes_on(struct story *s, const struct outage_news *n) {
    char text[USEC_TEXT_MAX];
    VEC_FOREACH (&s->list, at) {
        struct moment *m = *at;
        if ((m->kind != MOMENT_WRITES_STOP && m->kind != MOMENT_WRITES_BACK) || m->t <= n->from || m->t > n->at)
            continue;
        m->weight = TOLD_DETAIL;
        m->mood = m->kind == MOMENT_WRITES_BACK ? MOOD_NEUTRAL : m->mood;
        if (m->kind == MOMENT_WRITES_BACK && m->t == n->was)
            set_text(m, "writes come back, but only for %s", usec_format(text, n->at > n->was ? n->at - n->was : 0));
    }
    (void)tell(s, n->at, MOMENT_APPLICATION, TOLD_DETAIL, MOOD_BAD, "", "writes stop again: the outage goes on");
    s->app.began = n->from;
    s->app.ended = s->app.resolution_due = 0;
}

static void tell_end(struct story *s, const struct outage_news *n) {
    struct app_told *a = &s->app;
    char text[USEC_TEXT_MAX];
    struct moment *m = tell(s, n->at, MOMENT_WRITES_BACK, TOLD_MAIN, MOOD_GOOD, "", "writes are back after %s",
                            usec_format(text, n->at > n->from ? n->at - n->from : 0));
    if (!latest(a, n))
        return;
    a->outage_reads = count_add(a->outage_reads, a->pause_reads);
    a->outage_reads_bad = count_add(a->outage_reads_bad, a->pause_reads_bad);
    if (a->outage_reads || a->outage_reads_bad)
        add_detail(m, "reads meanwhile: %" PRId64 " good, %" PRId64 " failed", a->outage_reads, a->outage_reads_bad);
    a->ended = n->at;
    a->resolution_due = n->at + SEC + OUTAGES_BUCKET;
}

static void tell_reads_stop(struct story *s, const struct outage_news *n) {
    tell(s, n->at, MOMENT_READS_STOP, TOLD_EVENT, MOOD_BAD, "", "READS STOP: no node answers the application's queries")
        ->error = OUTAGES_BUCKET;
}

static void tell_reads_back(struct story *s, const struct outage_news *n) {
    char text[USEC_TEXT_MAX];
    tell(s, n->at, MOMENT_READS_BACK, TOLD_EVENT, MOOD_GOOD, "", "reads are back after %s",
         usec_format(text, n->at - n->from))
        ->error = OUTAGES_BUCKET;
}

static void tell_outages(struct story *s) {
    static void (*const tellers[])(struct story *, const struct outage_news *) = {
        [OUTAGE_BEGINS] = tell_begin,          [OUTAGE_GOES_ON] = tell_goes_on,       [OUTAGE_ENDS] = tell_end,
        [OUTAGE_READS_STOP] = tell_reads_stop, [OUTAGE_READS_BACK] = tell_reads_back,
    };
    VEC_FOREACH (&s->app.felt.news, n)
        tellers[n->turn](s, n);
}

static void on_tick(struct story *s, const struct event *ev) {
    struct app_told *a = &s->app;
    usec_t from = ev->u.CLIENT_TICK.from, first = ev->u.CLIENT_TICK.w_first_ok;
    if (ev->u.CLIENT_TICK.w_ok <= 0) { // it may become a part of an outage, or be one already
        a->pause_reads = count_add(a->pause_reads, ev->u.CLIENT_TICK.r_ok);
        a->pause_reads_bad = count_add(a->pause_reads_bad, ev->u.CLIENT_TICK.r_failed);
    }
    tell_outages(s);
    if (a->felt.served && !a->wrote) {
        a->wrote = true;
        (void)tell(s, first ? first : from, MOMENT_APPLICATION, TOLD_EVENT, MOOD_NEUTRAL, "",
                   "the application writes: the first acknowledged write");
    }
    if (ev->u.CLIENT_TICK.w_ok > 0)
        a->pause_reads = a->pause_reads_bad = 0;
    note_latency(a, first, ev->u.CLIENT_TICK.w_first_ok_scheduled);
    if (ev->u.CLIENT_TICK.w_last_ok != first)
        note_latency(a, ev->u.CLIENT_TICK.w_last_ok, ev->u.CLIENT_TICK.w_last_ok_scheduled);
    if (a->felt.served && a->first_error_at <= a->felt.last_ok)
        a->first_error[0] = '\0';
    state_resolution(s, from + OUTAGES_BUCKET);
}

static void on_error(struct story *s, const struct event *ev) {
    struct app_told *a = &s->app;
    const char *node = ev->u.CLIENT_ERROR.node, *state = ev->u.CLIENT_ERROR.sqlstate;
    if (ev->u.CLIENT_ERROR.phase == CLIENT_PHASE_PROCESS) { // no answer of a server: the application itself
        (void)tell(s, ev->t, MOMENT_APPLICATION, TOLD_MAIN, MOOD_BAD, "", "%s", ev->u.CLIENT_ERROR.text);
        return;
    }
    if (!a->felt.served)
        return;
    if (!*a->first_error) {
        a->first_error_at = ev->t;
        (void)snprintf(a->first_error, sizeof a->first_error, "%s%s%.40s: %.80s%s%.8s%s",
                       client_phase_name(ev->u.CLIENT_ERROR.phase), *node ? " on " : "", node, ev->u.CLIENT_ERROR.text,
                       *state ? " (" : "", state, *state ? ")" : "");
    }
    // 25006 read_only_sql_transaction; without a code it is our own client's finding on a session that it opened.
    bool read_only = str_eq(state, "25006") || strstr(ev->u.CLIENT_ERROR.text, "read-only");
    if (!read_only || !outages_open(&a->felt) || a->read_only_told)
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
    } else if (ev->kind == EVENT_CLIENT_TICK) {
        on_late(s, ev);
        on_tick(s, ev);
    }
}

void finish_application(struct story *s) {
    struct app_told *a = &s->app;
    char text[USEC_TEXT_MAX];
    usec_t end = a->felt.last_try;
    state_resolution(s, USEC_NEVER);
    VEC_CLEAR(&a->felt.news);
    outages_finish(&a->felt);
    tell_outages(s);
    const struct outage *open = outages_open(&a->felt);
    if (open)
        (void)tell(s, end, MOMENT_APPLICATION, TOLD_MAIN, MOOD_BAD, "",
                   "writes still failed when the application stopped, after %s", usec_format(text, end - open->from));
    else if (a->felt.served)
        (void)tell(s, a->felt.last_ok, MOMENT_APPLICATION, TOLD_EVENT, MOOD_NEUTRAL, "",
                   "the last acknowledged write of the run");
    const struct outage *reads = a->felt.reads.n ? &a->felt.reads.items[a->felt.reads.n - 1] : NULL;
    if (reads && reads->to == USEC_NEVER)
        (void)tell(s, a->felt.last_read_try, MOMENT_APPLICATION, TOLD_EVENT, MOOD_BAD, "",
                   "reads still failed when the application stopped");
}
