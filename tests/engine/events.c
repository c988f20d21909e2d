// SPDX-License-Identifier: PostgreSQL
#include "tests/engine/events.h"

#include <stdio.h>

#include "lab/base/cluster.h"

struct event ev_node(const char *node, bool postgres, bool etcd, bool app) {
    struct event ev = EVENT_NEW(NODE_INFO);
    STR_COPY(ev.u.NODE_INFO.node, node);
    unsigned asked = (postgres ? SERVICE_POSTGRES : 0) | (etcd ? SERVICE_ETCD : 0) | (app ? SERVICE_APP : 0);
    services_text(services_whole(asked), ev.u.NODE_INFO.services, sizeof ev.u.NODE_INFO.services);
    return ev;
}

struct event ev_power(usec_t t, const char *node, bool on) {
    struct event ev = EVENT_NEW(NODE_POWER);
    ev.t = t;
    STR_COPY(ev.u.NODE_POWER.node, node);
    ev.u.NODE_POWER.on = on;
    return ev;
}

static struct event sql(usec_t t, const char *node, bool answered) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = t;
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = answered;
    return ev;
}

struct event ev_sql_leader(usec_t t, const char *node, lsn_t lsn) {
    struct event ev = sql(t, node, true);
    ev.u.SQL.writable = true;
    ev.u.SQL.timeline = 1;
    ev.u.SQL.lsn = lsn;
    return ev;
}

struct event ev_sql_standby(usec_t t, const char *node, lsn_t replayed) {
    struct event ev = sql(t, node, true);
    ev.u.SQL.in_recovery = true;
    ev.u.SQL.timeline = 1;
    ev.u.SQL.lsn = ev.u.SQL.replayed = replayed;
    return ev;
}

struct event ev_sql_silent(usec_t t, const char *node, const char *error) {
    struct event ev = sql(t, node, false);
    STR_COPY(ev.u.SQL.error, error);
    return ev;
}

struct event ev_row(usec_t t, const char *leader, const char *standby, const char *state, const char *sync_state,
                    int64_t lag) {
    struct event ev = EVENT_NEW(REPLICATION);
    ev.t = t;
    STR_COPY(ev.u.REPLICATION.node, leader);
    STR_COPY(ev.u.REPLICATION.standby, standby);
    STR_COPY(ev.u.REPLICATION.state, state);
    STR_COPY(ev.u.REPLICATION.sync_state, sync_state);
    ev.u.REPLICATION.replayed = 0x5000000;
    ev.u.REPLICATION.lag_bytes = lag;
    return ev;
}

struct event ev_row_gone(usec_t t, const char *leader, const char *standby) {
    struct event ev = EVENT_NEW(REPLICATION);
    ev.t = t;
    STR_COPY(ev.u.REPLICATION.node, leader);
    STR_COPY(ev.u.REPLICATION.standby, standby);
    ev.u.REPLICATION.gone = true;
    return ev;
}

struct event ev_slot(usec_t t, const char *leader, const char *slot, int64_t retained) {
    struct event ev = EVENT_NEW(SLOT);
    ev.t = t;
    STR_COPY(ev.u.SLOT.node, leader);
    STR_COPY(ev.u.SLOT.slot, slot);
    ev.u.SLOT.retained_bytes = retained;
    return ev;
}

struct event ev_key(usec_t t, const char *key, const char *value) {
    struct event ev = EVENT_NEW(ENTRY);
    ev.t = t;
    STR_COPY(ev.u.ENTRY.key, key);
    STR_COPY(ev.u.ENTRY.value, value);
    if (str_eq(key, "leader")) {
        ev = EVENT_NEW(AUTHORITY);
        ev.t = t;
        STR_COPY(ev.u.AUTHORITY.holder, value);
    }
    return ev;
}

struct event ev_key_gone(usec_t t, const char *key) {
    struct event ev = ev_key(t, key, "");
    if (ev.kind == EVENT_AUTHORITY)
        ev.u.AUTHORITY.gone = true;
    else
        ev.u.ENTRY.gone = true;
    return ev;
}

struct event ev_lease(usec_t t, usec_t renewed, int64_t ttl_s) {
    struct event ev = EVENT_NEW(GRANT);
    ev.t = t;
    ev.u.GRANT.renewed = renewed;
    ev.u.GRANT.length = (usec_t)ttl_s * SEC;
    return ev;
}

struct event ev_etcd(usec_t t, const char *node, const char *id, const char *leader_id, int64_t term) {
    struct event ev = EVENT_NEW(ARBITER);
    ev.t = t;
    STR_COPY(ev.u.ARBITER.node, node);
    ev.u.ARBITER.answered = true;
    ev.u.ARBITER.leads = str_eq(id, leader_id);
    ev.u.ARBITER.term = term;
    STR_COPY(ev.u.ARBITER.id, id);
    STR_COPY(ev.u.ARBITER.follows, leader_id);
    return ev;
}

struct event ev_etcd_silent(usec_t t, const char *node) {
    struct event ev = EVENT_NEW(ARBITER);
    ev.t = t;
    STR_COPY(ev.u.ARBITER.node, node);
    return ev;
}

struct event ev_tick(usec_t from, int64_t w_ok, int64_t w_failed, int64_t r_ok, int64_t r_failed) {
    struct event ev = EVENT_NEW(CLIENT_TICK);
    ev.t = from + 100 * MSEC;
    ev.u.CLIENT_TICK.from = from;
    ev.u.CLIENT_TICK.w_tried = w_ok + w_failed;
    ev.u.CLIENT_TICK.w_ok = w_ok;
    ev.u.CLIENT_TICK.w_failed = w_failed;
    ev.u.CLIENT_TICK.w_last_ok = w_ok ? from + 90 * MSEC : 0;
    ev.u.CLIENT_TICK.r_tried = r_ok + r_failed;
    ev.u.CLIENT_TICK.r_ok = r_ok;
    ev.u.CLIENT_TICK.r_failed = r_failed;
    return ev;
}

struct event ev_fault(usec_t t, const char *id, const char *phase, const char *detail) {
    struct event ev = EVENT_NEW(FAULT);
    ev.t = t;
    STR_COPY(ev.u.FAULT.id, id);
    ev.u.FAULT.phase = fault_phase_from(phase);
    STR_COPY(ev.u.FAULT.detail, detail);
    return ev;
}

struct event ev_action(usec_t t, const char *id, const char *phase, const char *detail) {
    struct event ev = EVENT_NEW(ACTION);
    ev.t = t;
    STR_COPY(ev.u.ACTION.id, id);
    ev.u.ACTION.phase = action_phase_from(phase);
    STR_COPY(ev.u.ACTION.detail, detail);
    return ev;
}

struct event ev_begin(const char *stack) {
    struct event ev = EVENT_NEW(RUN_BEGIN);
    STR_COPY(ev.u.RUN_BEGIN.stack, stack);
    return ev;
}

struct event ev_manager(usec_t t, const char *node, const char *service, const char *role) {
    struct event ev = EVENT_NEW(MANAGER);
    ev.t = t;
    STR_COPY(ev.u.MANAGER.node, node);
    STR_COPY(ev.u.MANAGER.service, service);
    ev.u.MANAGER.answered = *role;
    ev.u.MANAGER.role = (enum manager_role)word_set_find(&manager_role_words, role);
    STR_COPY(ev.u.MANAGER.state, *role ? "running" : "");
    return ev;
}

struct event ev_config(usec_t t, const char *key, const char *value) {
    struct event ev = EVENT_NEW(CONFIG);
    ev.t = t;
    STR_COPY(ev.u.CONFIG.key, key);
    STR_COPY(ev.u.CONFIG.value, value);
    return ev;
}

struct event ev_clock(usec_t t) {
    return (struct event){.kind = EVENT_TICK, .t = t};
}

void feed_complete_cluster(usec_t t, void (*feed)(void *arg, const struct event *ev), void *arg) {
    static const char *const names[] = {"n1", "n2", "n3"};
    struct event events[32];
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        char id[8], key[32];
        (void)snprintf(id, sizeof id, "a%zu", i + 1);
        (void)snprintf(key, sizeof key, "members/%s", names[i]);
        events[n++] = ev_node(names[i], true, true, false);
        events[n++] = ev_power(t, names[i], true);
        events[n++] = ev_etcd(t, names[i], id, "a1", 2);
        events[n++] = ev_key(t, key, "{}");
        events[n++] = i ? ev_sql_standby(t, names[i], 0x5000000) : ev_sql_leader(t, names[i], 0x5000000);
    }
    events[n++] = ev_node("app", false, false, true);
    events[n++] = ev_power(t, "app", true);
    events[n++] = ev_config(t, "patroni.ttl", "30");
    events[n++] = ev_key(t, "leader", "n1");
    events[n++] = ev_row(t, "n1", "n2", "streaming", "async", 0);
    events[n++] = ev_row(t, "n1", "n3", "streaming", "async", 0);
    for (size_t i = 0; i < n; i++) {
        if (!events[i].t)
            events[i].t = t;
        feed(arg, &events[i]);
    }
}
