// SPDX-License-Identifier: PostgreSQL
// Buckets of 100 ms, the ledger's batches, and the socket to the supervisor. A message is a struct event cut after the member in
// use; an EVENT_TICK (never a real event) marks the end. When the supervisor is busy messages wait here: nothing is dropped.
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lab/workload/app.h"
#include "lab/workload/message.h"

static bool send_event(struct app *a, const struct event *ev) {
    return send(a->fd, ev, message_size(ev->kind), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

static void flush_unsent(struct app *a) {
    size_t sent = 0;
    while (sent < a->unsent.n && send_event(a, &a->unsent.items[sent]))
        sent++;
    if (!sent)
        return;
    a->unsent.n -= sent;
    memmove(a->unsent.items, a->unsent.items + sent, a->unsent.n * sizeof *a->unsent.items);
}

static void report(struct app *a, const struct event *ev) {
    flush_unsent(a);
    if (a->unsent.n || !send_event(a, ev))
        VEC_PUSH(&a->unsent, *ev);
}

enum { RECORDS_MAX = 1024, RECORDS_MAX_MERGING = 65536 };

// Without a ledger no loss can be proven: the run ends, while there is room for its last records.
static void flush_records(struct app *a) {
    if (!a->records.n || a->ledger.fd < 0)
        return;
    if (a->merge)
        a->records.n = ledger_merge(a->records.items, a->records.n, event_longest_gap((usec_t)a->pools[0].period));
    int r = ledger_append(&a->ledger, a->records.items, a->records.n);
    VEC_CLEAR(&a->records);
    if (r == 0)
        return;
    struct event ev = EVENT_NEW(LAB_STATE);
    ev.t = app_now(a);
    ev.u.LAB_STATE.state = LAB_STATE_BROKEN;
    (void)snprintf(ev.u.LAB_STATE.detail, sizeof ev.u.LAB_STATE.detail,
                   "the record could not be written: %s (ledger of the application's operations)", strerror(-r));
    report(a, &ev);
}

static bool tick_empty(const struct app *a) {
    const struct event *t = &a->tick;
    return !(t->u.CLIENT_TICK.w_tried || t->u.CLIENT_TICK.w_ok || t->u.CLIENT_TICK.w_failed ||
             t->u.CLIENT_TICK.w_unknown || t->u.CLIENT_TICK.r_tried || t->u.CLIENT_TICK.r_ok ||
             t->u.CLIENT_TICK.r_failed);
}

// In calm they wait for each other.
static bool records_wait(const struct app *a, usec_t now) {
    return a->merge && a->records.n && now < a->records.items[0].returned + a->merge;
}

void report_merge(struct app *a, usec_t merge) {
    bool whole = a->merge && !merge;
    a->merge = merge;
    if (whole)
        flush_records(a);
}

static void close_bucket(struct app *a, usec_t end) {
    if (!tick_empty(a)) {
        a->tick.t = end;
        a->tick.u.CLIENT_TICK.in_flight = a->in_flight;
        report(a, &a->tick);
    }
    a->tick = EVENT_NEW(CLIENT_TICK);
}

void report_advance(struct app *a, usec_t now) {
    usec_t from = a->tick.u.CLIENT_TICK.from;
    if (now < from + TICK)
        return;
    if (!records_wait(a, now))
        flush_records(a);
    close_bucket(a, from + TICK);
    a->tick.u.CLIENT_TICK.from = now - now % TICK;
}

usec_t report_next(const struct app *a) {
    bool waiting = a->records.n && !a->merge;
    if (tick_empty(a) && !waiting && !a->unsent.n)
        return a->records.n ? a->records.items[0].returned + a->merge : USEC_NEVER;
    return a->tick.u.CLIENT_TICK.from + TICK;
}

void report_scheduled(struct app *a, uint8_t kind, usec_t scheduled, usec_t now) {
    report_advance(a, scheduled); // one that is worked off late still belongs to the bucket of its schedule
    int64_t late = now > scheduled ? (int64_t)(now - scheduled) : 0;
    if (late >= (int64_t)TICK && late > a->tick.u.CLIENT_TICK.late_us) // less is the scheduler's, and in every bucket
        a->tick.u.CLIENT_TICK.late_us = late;
    if (kind == LEDGER_WRITE)
        a->tick.u.CLIENT_TICK.w_tried++;
    else
        a->tick.u.CLIENT_TICK.r_tried++;
    a->in_flight++;
}

static void count_write(struct event *t, const struct ledger_record *r) {
    if (r->result == LEDGER_FAILED)
        t->u.CLIENT_TICK.w_failed++;
    if (r->result == LEDGER_UNKNOWN)
        t->u.CLIENT_TICK.w_unknown++;
    if (r->result != LEDGER_OK)
        return;
    if (!t->u.CLIENT_TICK.w_ok++) {
        t->u.CLIENT_TICK.w_first_ok = r->returned;
        t->u.CLIENT_TICK.w_first_ok_scheduled = r->scheduled;
    }
    t->u.CLIENT_TICK.w_last_ok = r->returned;
    t->u.CLIENT_TICK.w_last_ok_scheduled = r->scheduled;
    int64_t took = (int64_t)(r->returned - r->scheduled);
    if (took > t->u.CLIENT_TICK.w_max_us)
        t->u.CLIENT_TICK.w_max_us = took;
}

static void count_read(struct event *t, const struct ledger_record *r) {
    if (r->result != LEDGER_OK) {
        t->u.CLIENT_TICK.r_failed++; // a read without an answer has no effect: it failed
        return;
    }
    t->u.CLIENT_TICK.r_ok++;
    int64_t took = (int64_t)(r->returned - r->scheduled);
    if (took > t->u.CLIENT_TICK.r_max_us)
        t->u.CLIENT_TICK.r_max_us = took;
}

void report_finished(struct app *a, const struct ledger_record *r) {
    report_advance(a, r->returned);
    if (r->op == LEDGER_WRITE)
        count_write(&a->tick, r);
    else
        count_read(&a->tick, r);
    a->in_flight--;
    VEC_PUSH(&a->records, *r);
    if (a->records.n >= (a->merge ? RECORDS_MAX_MERGING : RECORDS_MAX))
        flush_records(a);
}

void report_error(struct app *a, struct host *h, enum client_phase phase, const char *sqlstate, const char *text) {
    char key[PGCONN_TEXT_MAX];
    (void)snprintf(key, sizeof key, "%s %s %s", client_phase_name(phase), sqlstate, text);
    if (str_eq(key, h->told[0]) || str_eq(key, h->told[1]))
        return;
    STR_COPY(h->told[1], h->told[0]);
    STR_COPY(h->told[0], key);
    struct event ev = EVENT_NEW(CLIENT_ERROR);
    ev.t = app_now(a);
    ev.u.CLIENT_ERROR.phase = phase;
    STR_COPY(ev.u.CLIENT_ERROR.sqlstate, sqlstate);
    STR_COPY(ev.u.CLIENT_ERROR.text, text);
    STR_COPY(ev.u.CLIENT_ERROR.node, h->name);
    report(a, &ev);
}

void report_well(struct host *h) {
    h->told[0][0] = h->told[1][0] = '\0';
}

void report_server(struct app *a, const char *node, const char *address, int64_t timeline, int64_t pid, uint8_t index) {
    if (index == a->server_node && timeline == a->server_timeline)
        return;
    a->server_node = index;
    a->server_timeline = timeline;
    struct event ev = EVENT_NEW(CLIENT_SERVER);
    ev.t = app_now(a);
    STR_COPY(ev.u.CLIENT_SERVER.node, node);
    STR_COPY(ev.u.CLIENT_SERVER.address, address);
    ev.u.CLIENT_SERVER.timeline = timeline;
    ev.u.CLIENT_SERVER.backend_pid = pid;
    report(a, &ev);
}

void report_end(struct app *a) {
    a->merge = 0;
    flush_records(a);
    close_bucket(a, app_now(a));
    struct event end = {.t = app_now(a), .kind = EVENT_TICK};
    report(a, &end);
}
