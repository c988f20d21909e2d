// SPDX-License-Identifier: PostgreSQL
// One event, one row in the page's list. Periodic answers that bring nothing new make no row.
#include <stdio.h>

#include "lab/report/html_fold.h"

enum { LOOK_BACK = 12 }; // rows searched for an equal log line: a daemon that repeats itself does so at once

static struct html_row *row(struct html_page *p, const struct event *ev, enum html_weight w, const char *node,
                            const char *fmt, ...) PRINTF_LIKE(5, 6);
static struct html_row *row(struct html_page *p, const struct event *ev, enum html_weight w, const char *node,
                            const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    struct html_row *r = VEC_ADD(&p->rows);
    r->t = r->last = ev->t;
    r->count = 1;
    r->kind = ev->kind;
    r->weight = w;
    STR_COPY(r->node, node);
    r->text = xstrdup(strbuf_str(&text));
    return r;
}

static const char *colon(const char *detail) {
    return *detail ? ": " : "";
}

static void say_service(struct html_page *p, const struct event *ev) {
    const char *what = ev->u.SERVICE.service;
    if (str_eq(ev->u.SERVICE.state, "started"))
        (void)row(p, ev, WEIGHT_EVENT, ev->u.SERVICE.node, "%s started, pid %" PRId64, what, ev->u.SERVICE.pid);
    else if (str_eq(ev->u.SERVICE.state, "signalled"))
        (void)row(p, ev, WEIGHT_EVENT, ev->u.SERVICE.node, "%s ended by signal %" PRId64, what, ev->u.SERVICE.signal);
    else
        (void)row(p, ev, WEIGHT_EVENT, ev->u.SERVICE.node, "%s exited with status %" PRId64, what,
                  ev->u.SERVICE.status);
}

static void say_sql(struct html_page *p, const struct event *ev) {
    int i = html_node(p, ev->u.SQL.node);
    if (i < 0)
        return;
    struct html_seen *s = &p->seen[i];
    bool same = s->sql_told && s->answered == ev->u.SQL.answered && s->in_recovery == ev->u.SQL.in_recovery &&
                s->writable == ev->u.SQL.writable && (!ev->u.SQL.answered || s->timeline == ev->u.SQL.timeline);
    if (same)
        return;
    s->sql_told = true;
    s->answered = ev->u.SQL.answered;
    s->in_recovery = ev->u.SQL.in_recovery;
    s->writable = ev->u.SQL.writable;
    s->timeline = ev->u.SQL.timeline;
    if (!s->answered)
        (void)row(p, ev, WEIGHT_EVENT, ev->u.SQL.node, "PostgreSQL does not answer%s%s", colon(ev->u.SQL.error),
                  ev->u.SQL.error);
    else
        (void)row(p, ev, s->writable ? WEIGHT_MAIN : WEIGHT_EVENT, ev->u.SQL.node,
                  "PostgreSQL %s, timeline %" PRId64 "%s%s",
                  s->writable      ? "accepts writes"
                  : s->in_recovery ? "is a standby"
                                   : "is no standby and accepts no writes",
                  s->timeline, colon(ev->u.SQL.error), ev->u.SQL.error);
}

static void say_member(struct html_page *p, const struct event *ev) {
    int i = html_node(p, ev->u.MEMBER.node);
    if (i < 0)
        return;
    struct html_seen *s = &p->seen[i];
    if (s->member_told && s->member_answered == ev->u.MEMBER.answered && str_eq(s->role, ev->u.MEMBER.role) &&
        str_eq(s->state, ev->u.MEMBER.state))
        return;
    s->member_told = true;
    s->member_answered = ev->u.MEMBER.answered;
    STR_COPY(s->role, ev->u.MEMBER.role);
    STR_COPY(s->state, ev->u.MEMBER.state);
    if (s->member_answered)
        (void)row(p, ev, WEIGHT_EVENT, ev->u.MEMBER.node, "Patroni says: %s, %s", s->role, s->state);
    else
        (void)row(p, ev, WEIGHT_EVENT, ev->u.MEMBER.node, "Patroni does not answer%s%s", colon(ev->u.MEMBER.error),
                  ev->u.MEMBER.error);
}

static void say_key(struct html_page *p, const struct event *ev) {
    bool leader = str_eq(ev->u.DCS_KEY.key, "leader");
    if (str_eq(ev->u.DCS_KEY.key, "status")) // moves with every loop of the leader
        return;
    if (ev->u.DCS_KEY.gone)
        (void)row(p, ev, leader ? WEIGHT_MAIN : WEIGHT_EVENT, "", "key '%s' is gone", ev->u.DCS_KEY.key);
    else
        (void)row(p, ev, leader ? WEIGHT_MAIN : WEIGHT_DETAIL, leader ? ev->u.DCS_KEY.value : "", "key '%s' is %s%s",
                  ev->u.DCS_KEY.key, ev->u.DCS_KEY.value, ev->u.DCS_KEY.initial ? " (found by the first read)" : "");
}

static void say_replication(struct html_page *p, const struct event *ev) {
    if (ev->u.REPLICATION.gone)
        (void)row(p, ev, WEIGHT_EVENT, ev->u.REPLICATION.node, "%s no longer streams from here",
                  ev->u.REPLICATION.standby);
    else if (ev->u.REPLICATION.lag_bytes == 0) // the list is no place for positions
        (void)row(p, ev, WEIGHT_DETAIL, ev->u.REPLICATION.node, "%s: %s, %s", ev->u.REPLICATION.standby,
                  ev->u.REPLICATION.state, ev->u.REPLICATION.sync_state);
}

static void say_fault(struct html_page *p, const struct event *ev) {
    const char *nodes = *ev->u.FAULT.nodes ? ev->u.FAULT.nodes : ev->u.FAULT.target;
    (void)row(p, ev, WEIGHT_MAIN, strchr(nodes, ',') ? "" : nodes, "%s %s on %s%s%s", ev->u.FAULT.mechanism,
              ev->u.FAULT.phase, nodes, colon(ev->u.FAULT.detail), ev->u.FAULT.detail);
}

// The same line of the same daemon a moment ago gets a count instead of a row.
static struct html_row *said_before(struct html_page *p, const struct event *ev, const char *node, const char *service,
                                    const char *text) {
    size_t floor = p->rows.n > LOOK_BACK ? p->rows.n - LOOK_BACK : 0;
    for (size_t i = p->rows.n; i > floor; i--) {
        struct html_row *r = &p->rows.items[i - 1];
        if (r->kind == ev->kind && str_eq(r->node, node) && str_eq(r->service, service) && str_eq(r->text, text))
            return r;
    }
    return NULL;
}

static void say_repeatable(struct html_page *p, const struct event *ev, const char *node, const char *service,
                           const char *level, const char *text) {
    struct html_row *r = said_before(p, ev, node, service, text);
    if (r) {
        r->count++;
        r->last = ev->t;
        return;
    }
    bool loud = str_eq(level, "error") || str_eq(level, "warning");
    r = row(p, ev, loud ? WEIGHT_EVENT : WEIGHT_DETAIL, node, "%s", text);
    STR_COPY(r->service, service);
    STR_COPY(r->level, level);
}

static void say_final(struct html_page *p, const struct event *ev) {
    if (ev->u.FINAL_READ.ok)
        (void)row(p, ev, WEIGHT_DETAIL, ev->u.FINAL_READ.node, "%" PRId64 " rows at the end, timeline %" PRId64 "%s",
                  ev->u.FINAL_READ.rows, ev->u.FINAL_READ.timeline, ev->u.FINAL_READ.leader ? " (leader)" : "");
    else
        (void)row(p, ev, WEIGHT_EVENT, ev->u.FINAL_READ.node, "the rows could not be read at the end: %s",
                  ev->u.FINAL_READ.error);
}

static void say_client_error(struct html_page *p, const struct event *ev) {
    char text[EVENT_TEXT_MAX + 3 * EVENT_NAME_MAX];
    (void)snprintf(text, sizeof text, "application: %s failed%s%s: %s", ev->u.CLIENT_ERROR.phase,
                   *ev->u.CLIENT_ERROR.sqlstate ? ", SQLSTATE " : "", ev->u.CLIENT_ERROR.sqlstate,
                   ev->u.CLIENT_ERROR.text);
    say_repeatable(p, ev, ev->u.CLIENT_ERROR.node, "application", "warning", text);
}

static void say(struct html_page *p, const struct event *ev) {
    switch (ev->kind) {
    case EVENT_RUN_BEGIN:
        (void)row(p, ev, WEIGHT_DETAIL, "", "run begins: bascule %s, Linux %s", ev->u.RUN_BEGIN.program,
                  ev->u.RUN_BEGIN.kernel);
        break;
    case EVENT_PROGRESS:
        (void)row(p, ev, WEIGHT_DETAIL, "", "%s: %s%s", ev->u.PROGRESS.phase,
                  ev->u.PROGRESS.waiting ? "waiting for " : "", ev->u.PROGRESS.text);
        break;
    case EVENT_LAB_STATE:
        (void)row(p, ev, WEIGHT_EVENT, "", "lab %s%s%s", ev->u.LAB_STATE.state, colon(ev->u.LAB_STATE.detail),
                  ev->u.LAB_STATE.detail);
        break;
    case EVENT_NODE_POWER:
        (void)row(p, ev, WEIGHT_EVENT, ev->u.NODE_POWER.node, "power %s", ev->u.NODE_POWER.on ? "on" : "off");
        break;
    case EVENT_WATCHDOG:
        if (!str_eq(ev->u.WATCHDOG.state, "kept"))
            (void)row(p, ev, WEIGHT_EVENT, ev->u.WATCHDOG.node, "watchdog %s (timeout %.0f s)", ev->u.WATCHDOG.state,
                      (double)ev->u.WATCHDOG.timeout / 1e6);
        break;
    case EVENT_SERVICE:
        say_service(p, ev);
        break;
    case EVENT_MEMBER:
        say_member(p, ev);
        break;
    case EVENT_SQL:
        say_sql(p, ev);
        break;
    case EVENT_REPLICATION:
        say_replication(p, ev);
        break;
    case EVENT_DCS_WATCH:
        (void)row(p, ev, WEIGHT_DETAIL, ev->u.DCS_WATCH.node, "observer's etcd watch %s", ev->u.DCS_WATCH.state);
        break;
    case EVENT_DCS_KEY:
        say_key(p, ev);
        break;
    case EVENT_DCS_LEASE:
        if (ev->u.DCS_LEASE.gone)
            (void)row(p, ev, WEIGHT_MAIN, ev->u.DCS_LEASE.holder, "the leader's lease is gone");
        break;
    case EVENT_PROXY:
        (void)row(p, ev, WEIGHT_EVENT, ev->u.PROXY.node, "HAProxy %s: %s is %s", ev->u.PROXY.backend,
                  ev->u.PROXY.server, ev->u.PROXY.state);
        break;
    case EVENT_CLIENT_ERROR:
        say_client_error(p, ev);
        break;
    case EVENT_CLIENT_SERVER:
        (void)row(p, ev, WEIGHT_EVENT, ev->u.CLIENT_SERVER.node,
                  "the application is connected to %s (%s), timeline %" PRId64,
                  *ev->u.CLIENT_SERVER.node ? ev->u.CLIENT_SERVER.node : "an unknown server",
                  ev->u.CLIENT_SERVER.address, ev->u.CLIENT_SERVER.timeline);
        break;
    case EVENT_FAULT:
        say_fault(p, ev);
        break;
    case EVENT_STEP:
        (void)row(p, ev, str_eq(ev->u.STEP.state, "failed") ? WEIGHT_MAIN : WEIGHT_EVENT, "", "step %s %s%s%s",
                  ev->u.STEP.name, ev->u.STEP.state, colon(ev->u.STEP.detail), ev->u.STEP.detail);
        break;
    case EVENT_COMMAND:
        (void)row(p, ev, WEIGHT_EVENT, "", "command from %s: %s %s", ev->u.COMMAND.from, ev->u.COMMAND.verb,
                  ev->u.COMMAND.args);
        break;
    case EVENT_ACTION:
        (void)row(p, ev, WEIGHT_MAIN, "", "%s %s%s%s", ev->u.ACTION.action, ev->u.ACTION.phase,
                  colon(ev->u.ACTION.detail), ev->u.ACTION.detail);
        break;
    case EVENT_FINAL_READ:
        say_final(p, ev);
        break;
    case EVENT_LOG_LINE:
        say_repeatable(p, ev, ev->u.LOG_LINE.node, ev->u.LOG_LINE.service, ev->u.LOG_LINE.level, ev->u.LOG_LINE.text);
        break;
    case EVENT_RUN_END:
        (void)row(p, ev, WEIGHT_MAIN, "", "run ends: %s%s%s", ev->u.RUN_END.reason, colon(ev->u.RUN_END.detail),
                  ev->u.RUN_END.detail);
        break;
    default: // tables, ticks and noise have their own places on the page
        break;
    }
}

void html_words(struct html_page *p, const struct event *ev) {
    size_t before = p->rows.n;
    say(p, ev);
    if (p->rows.n == before)
        return;
    size_t i = before;
    struct html_row last = p->rows.items[i];
    for (; i > 0 && p->rows.items[i - 1].t > last.t; i--) // log lines have the time at which they were written
        p->rows.items[i] = p->rows.items[i - 1];
    p->rows.items[i] = last;
}
