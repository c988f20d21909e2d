// SPDX-License-Identifier: PostgreSQL
#include "test_story_teller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants these first
#include <cmocka.h>

void teller_put(struct teller *x, const struct event *ev) {
    story_event(x->s, ev);
    for (size_t i = 0; i < story_news_count(x->s); i++) {
        const struct moment *m = story_news(x->s, i);
        strbuf_addf(&x->news, "%s%s%s%s\n", m->weight == TOLD_DETAIL ? "  " : "", m->text, *m->detail ? ": " : "",
                    m->detail);
    }
}

struct event teller_at(enum event_kind kind, double s) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = kind;
    ev.t = (usec_t)(s * 1e6);
    return ev;
}

static void node_info(struct teller *x, const char *node) {
    struct event ev = teller_at(EVENT_NODE_INFO, 0);
    STR_COPY(ev.u.NODE_INFO.node, node);
    STR_COPY(ev.u.NODE_INFO.services, "postgres,patroni,etcd");
    teller_put(x, &ev);
    ev = teller_at(EVENT_NODE_POWER, 0.1);
    STR_COPY(ev.u.NODE_POWER.node, node);
    ev.u.NODE_POWER.on = true;
    teller_put(x, &ev);
}

void teller_key(struct teller *x, double t, const char *holder, int64_t created) {
    struct event ev = teller_at(EVENT_AUTHORITY, t);
    STR_COPY(ev.u.AUTHORITY.holder, holder);
    ev.u.AUTHORITY.gone = !*holder;
    ev.u.AUTHORITY.epoch = created;
    teller_put(x, &ev);
}

void teller_lease(struct teller *x, double t, const char *holder, double renewed) {
    struct event ev = teller_at(EVENT_GRANT, t);
    STR_COPY(ev.u.GRANT.holder, holder);
    ev.u.GRANT.renewed = (usec_t)(renewed * 1e6);
    ev.u.GRANT.length = 30 * SEC;
    teller_put(x, &ev);
}

void teller_sql(struct teller *x, double t, double previous, const char *node, enum probe p, int64_t timeline) {
    struct event ev = teller_at(EVENT_SQL, t);
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = p != SILENT;
    ev.u.SQL.writable = p == WRITES;
    ev.u.SQL.in_recovery = p == STANDBY;
    ev.u.SQL.timeline = timeline;
    ev.u.SQL.previous = (usec_t)(previous * 1e6);
    STR_COPY(ev.u.SQL.error, p == SILENT ? "no server (no socket)" : p == REFUSES ? "terminating connection" : "");
    teller_put(x, &ev);
}

void teller_position(struct teller *x, double asked, const char *node, bool standby, lsn_t lsn) {
    struct event ev = teller_at(EVENT_SQL, asked + 0.001);
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = true;
    ev.u.SQL.in_recovery = standby;
    ev.u.SQL.writable = !standby;
    ev.u.SQL.timeline = 2;
    ev.u.SQL.lsn = lsn;
    ev.u.SQL.replayed = standby ? lsn : 0;
    ev.u.SQL.lsn_asked = ev.u.SQL.asked = (usec_t)(asked * 1e6);
    teller_put(x, &ev);
}

void teller_etcd(struct teller *x, double t, const char *node, bool answered, const char *leader) {
    struct event ev = teller_at(EVENT_ARBITER, t);
    STR_COPY(ev.u.ARBITER.node, node);
    ev.u.ARBITER.answered = answered;
    ev.u.ARBITER.leads = answered && str_eq(node, leader);
    STR_COPY(ev.u.ARBITER.id, node);
    STR_COPY(ev.u.ARBITER.follows, answered ? leader : "");
    teller_put(x, &ev);
}

void teller_tick(struct teller *x, double from, int64_t ok, int64_t failed, double first_ok, double last_ok) {
    struct event ev = teller_at(EVENT_CLIENT_TICK, from + 0.1);
    ev.u.CLIENT_TICK.from = (usec_t)(from * 1e6);
    ev.u.CLIENT_TICK.w_tried = 10;
    ev.u.CLIENT_TICK.w_ok = ok;
    ev.u.CLIENT_TICK.w_failed = failed;
    ev.u.CLIENT_TICK.w_first_ok = ok ? (usec_t)(first_ok * 1e6) : 0;
    ev.u.CLIENT_TICK.w_last_ok = ok ? (usec_t)(last_ok * 1e6) : 0;
    ev.u.CLIENT_TICK.w_first_ok_scheduled = ok ? (usec_t)(first_ok * 1e6) - 2000 : 0;
    ev.u.CLIENT_TICK.w_last_ok_scheduled = ok ? (usec_t)(last_ok * 1e6) - 2000 : 0;
    ev.u.CLIENT_TICK.r_tried = ev.u.CLIENT_TICK.r_ok = 1;
    teller_put(x, &ev);
}

void teller_good_ticks(struct teller *x, double from, double to) {
    for (int i = 0; from + i * 0.1 < to - 0.05; i++)
        teller_tick(x, from + i * 0.1, 10, 0, from + i * 0.1 + 0.005, from + i * 0.1 + 0.095);
}

void teller_bad_ticks(struct teller *x, double from, double to) {
    for (int i = 0; from + i * 0.1 < to - 0.05; i++)
        teller_tick(x, from + i * 0.1, 0, 10, 0, 0);
}

void teller_service(struct teller *x, double t, const char *node, const char *name, const char *state) {
    struct event ev = teller_at(EVENT_SERVICE, t);
    STR_COPY(ev.u.SERVICE.node, node);
    STR_COPY(ev.u.SERVICE.service, name);
    ev.u.SERVICE.state = service_state_from(state);
    ev.u.SERVICE.signal = str_eq(state, "signalled") ? 9 : 0;
    teller_put(x, &ev);
}

void teller_fault(struct teller *x, double t, const char *id, const char *phase, const char *nodes) {
    struct event ev = teller_at(EVENT_FAULT, t);
    STR_COPY(ev.u.FAULT.id, id);
    STR_COPY(ev.u.FAULT.mechanism, "process.kill");
    ev.u.FAULT.phase = fault_phase_from(phase);
    STR_COPY(ev.u.FAULT.target, "leader");
    STR_COPY(ev.u.FAULT.nodes, nodes);
    teller_put(x, &ev);
}

void teller_command(struct teller *x, double t, const char *verb, const char *args) {
    struct event ev = teller_at(EVENT_COMMAND, t);
    STR_COPY(ev.u.COMMAND.verb, verb);
    STR_COPY(ev.u.COMMAND.args, args);
    teller_put(x, &ev);
}

void teller_step(struct teller *x, double t, const char *state, const char *detail) {
    struct event ev = teller_at(EVENT_STEP, t);
    ev.u.STEP.index = 1;
    STR_COPY(ev.u.STEP.name, "elected");
    ev.u.STEP.state = step_status_from(state);
    STR_COPY(ev.u.STEP.detail, detail);
    teller_put(x, &ev);
}

void teller_log_line(struct teller *x, double t, const char *node, const char *text) {
    struct event ev = teller_at(EVENT_LOG_LINE, t);
    STR_COPY(ev.u.LOG_LINE.node, node);
    STR_COPY(ev.u.LOG_LINE.service, "patroni");
    STR_COPY(ev.u.LOG_LINE.text, text);
    teller_put(x, &ev);
}

int teller_open(void **state) {
    struct teller *x = xcalloc(1, sizeof *x);
    x->s = story_new();
    struct event ev = teller_at(EVENT_RUN_BEGIN, 0);
    ev.u.RUN_BEGIN.period_us = 10000;
    teller_put(x, &ev);
    for (int i = 1; i <= 3; i++)
        node_info(x, i == 1 ? "n1" : i == 2 ? "n2" : "n3");
    *state = x;
    return 0;
}

void teller_ready(struct teller *x) {
    struct event ev = teller_at(EVENT_LAB_STATE, 1.5);
    ev.u.LAB_STATE.state = LAB_STATE_READY;
    teller_put(x, &ev);
    strbuf_clear(&x->news);
}

int teller_close(void **state) {
    struct teller *x = *state;
    story_free(x->s);
    strbuf_done(&x->news);
    free(x);
    return 0;
}

const struct moment *teller_find(const struct story *s, const char *words) {
    for (size_t i = 0; i < story_count(s); i++)
        if (strstr(story_at(s, i)->text, words))
            return story_at(s, i);
    fail_msg("no moment says '%s'", words);
    return NULL;
}
