// SPDX-License-Identifier: PostgreSQL
#include "test_measure_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#define PERIOD (10 * MSEC)
#define BUCKET (100 * MSEC)

void world_leader_crash(struct world *w) {
    *w = (struct world){
        .mechanism = "node.power_off",
        .target = "leader",
        .nodes = "n1",
        .detail = "no process of n1 is left",
        .fault = 10 * SEC,
        .verified = true,
        .writes_stop = 10 * SEC,
        .writes_back = 38900 * MSEC,
        .latency = 3 * MSEC,
        .gone = 36300 * MSEC,
        .put = 38350 * MSEC,
        .writable = 38800 * MSEC,
        .writable_previous = 38750 * MSEC,
        .new_leader = "n2",
        .etcd_leader = "n2",
        .renewed = 6 * SEC,
        .renew_error = 200 * MSEC,
        .streaming = 40200 * MSEC,
        .begin = 3 * SEC,
        .end = 44 * SEC,
        .final_read = true,
        .end_reason = "completed",
    };
}

struct event *world_add(struct world *w, struct event ev) {
    (void)VEC_ADD(&w->events);
    size_t i = w->events.n - 1;
    for (; i > 0 && w->events.items[i - 1].t > ev.t; i--)
        w->events.items[i] = w->events.items[i - 1];
    w->events.items[i] = ev;
    return &w->events.items[i];
}

struct event *world_find(struct world *w, enum event_kind kind, int nth) {
    VEC_FOREACH (&w->events, ev)
        if (ev->kind == kind && nth-- == 0)
            return ev;
    return NULL;
}

static struct event at(enum event_kind kind, usec_t t) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = kind;
    ev.t = t;
    return ev;
}

struct ledger_record *world_record(struct world *w, uint64_t id) {
    VEC_FOREACH (&w->ledger, r)
        if (r->id == id)
            return r;
    return NULL;
}

char *world_ranges(struct world *w, int nth) {
    return world_find(w, EVENT_FINAL_ROWS, nth)->u.FINAL_ROWS.ranges;
}

void world_expect(struct world *w, const char *kind, double min, double max) {
    struct event ev = at(EVENT_EXPECT, 1);
    ev.u.EXPECT.kind = expect_kind_from(kind);
    ev.u.EXPECT.has_min = min >= 0, ev.u.EXPECT.has_max = max >= 0;
    ev.u.EXPECT.min = min >= 0 ? min : 0, ev.u.EXPECT.max = max >= 0 ? max : 0;
    (void)world_add(w, ev);
}

void world_sql(struct world *w, const char *node, usec_t t, usec_t previous, bool answered, bool writable) {
    struct event ev = at(EVENT_SQL, t);
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = answered, ev.u.SQL.writable = writable, ev.u.SQL.in_recovery = answered && !writable;
    ev.u.SQL.latency_us = (int64_t)MSEC;
    ev.u.SQL.asked = t - MSEC;
    ev.u.SQL.previous = previous;
    ev.u.SQL.timeline = 1;
    (void)world_add(w, ev);
}

struct event *world_row(struct world *w, usec_t t, const char *node, const char *standby) {
    struct event ev = at(EVENT_REPLICATION, t);
    STR_COPY(ev.u.REPLICATION.node, node);
    STR_COPY(ev.u.REPLICATION.standby, standby);
    STR_COPY(ev.u.REPLICATION.state, "streaming");
    return world_add(w, ev);
}

static void add_head(struct world *w) {
    struct event ev = at(EVENT_RUN_BEGIN, 0);
    STR_COPY(ev.u.RUN_BEGIN.scenario, "leader-crash");
    STR_COPY(ev.u.RUN_BEGIN.title, "The leader's machine loses power");
    STR_COPY(ev.u.RUN_BEGIN.topology, "patroni-3");
    STR_COPY(ev.u.RUN_BEGIN.kernel, "6.1.0");
    ev.u.RUN_BEGIN.seed = 42, ev.u.RUN_BEGIN.cpus = 2, ev.u.RUN_BEGIN.memory_mb = 3934;
    ev.u.RUN_BEGIN.period_us = (int64_t)PERIOD;
    (void)world_add(w, ev);
    static const char *const versions[][2] = {{"postgresql", "15.20"}, {"patroni", "3.0.2"}, {"etcd", "3.4.23"}};
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        ev = at(EVENT_VERSION, 0);
        STR_COPY(ev.u.VERSION.component, versions[i][0]);
        STR_COPY(ev.u.VERSION.version, versions[i][1]);
        (void)world_add(w, ev);
    }
    static const char *const settings[][2] = {
        {"patroni.ttl", "30"}, {"patroni.loop_wait", "10"}, {"patroni.retry_timeout", "10"}};
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        ev = at(EVENT_CONFIG, SEC);
        STR_COPY(ev.u.CONFIG.key, settings[i][0]);
        STR_COPY(ev.u.CONFIG.value, settings[i][1]);
        (void)world_add(w, ev);
    }
}

static void add_key(struct world *w, usec_t t, const char *holder, bool initial) {
    struct event ev = at(EVENT_AUTHORITY, t);
    STR_COPY(ev.u.AUTHORITY.holder, holder);
    ev.u.AUTHORITY.gone = !*holder;
    ev.u.AUTHORITY.initial = initial;
    (void)world_add(w, ev);
}

// From member `first` on they follow `leader`.
static void add_etcd(struct world *w, usec_t t, int first, const char *leader) {
    for (int i = first; i <= 3; i++) {
        struct event ev = at(EVENT_ARBITER, t);
        (void)snprintf(ev.u.ARBITER.node, EVENT_NAME_MAX, "n%d", i);
        STR_COPY(ev.u.ARBITER.id, ev.u.ARBITER.node);
        STR_COPY(ev.u.ARBITER.follows, leader);
        ev.u.ARBITER.answered = true;
        ev.u.ARBITER.leads = str_eq(ev.u.ARBITER.node, leader);
        (void)world_add(w, ev);
    }
}

static void add_cluster(struct world *w) {
    for (int i = 1; i <= 4; i++) {
        struct event ev = at(EVENT_NODE_INFO, 0);
        (void)snprintf(ev.u.NODE_INFO.node, EVENT_NAME_MAX, i < 4 ? "n%d" : "app", i);
        STR_COPY(ev.u.NODE_INFO.services, i < 4 ? "postgres,patroni,etcd" : "app");
        (void)world_add(w, ev);
        struct event power = at(EVENT_NODE_POWER, 0);
        STR_COPY(power.u.NODE_POWER.node, ev.u.NODE_INFO.node);
        power.u.NODE_POWER.on = true;
        (void)world_add(w, power);
    }
    add_key(w, SEC, "n1", true);
    if (w->renewed) {
        struct event ev = at(EVENT_GRANT, w->renewed + 50 * MSEC);
        STR_COPY(ev.u.GRANT.holder, "n1");
        ev.u.GRANT.renewed = w->renewed, ev.u.GRANT.error_us = (int64_t)w->renew_error, ev.u.GRANT.length = 30 * SEC;
        (void)world_add(w, ev);
    }
    if (w->etcd_leader)
        add_etcd(w, SEC, 1, w->etcd_leader);
    if (w->etcd_leader && str_eq(w->etcd_leader, "n1") && w->fault)
        add_etcd(w, w->fault + 2 * SEC, 2, "n2");
    (void)world_row(w, 2 * SEC, "n1", "n2");
    (void)world_row(w, 2100 * MSEC, "n1", "n3");
    for (usec_t t = SEC; t < w->end; t += SEC) // the probes: once a second while nothing changes
        for (int i = 1; i <= 3; i++) {
            char node[8];
            (void)snprintf(node, sizeof node, "n%d", i);
            bool leader = i == 1 && !(w->writable && t >= w->fault);
            bool dead = i == 1 && w->writable && t >= w->fault;
            if (!dead && !(w->writable && t >= w->writable && w->new_leader && str_eq(node, w->new_leader)))
                world_sql(w, node, t, t > SEC ? t - SEC : 0, true, leader);
        }
}

static void add_fault(struct world *w, usec_t t, const char *phase, const char *detail) {
    struct event ev = at(EVENT_FAULT, t);
    STR_COPY(ev.u.FAULT.id, "crash");
    STR_COPY(ev.u.FAULT.mechanism, w->mechanism);
    ev.u.FAULT.phase = fault_phase_from(phase);
    STR_COPY(ev.u.FAULT.target, w->target);
    STR_COPY(ev.u.FAULT.nodes, w->nodes);
    STR_COPY(ev.u.FAULT.detail, detail);
    if (str_eq(phase, "asked") && w->params)
        STR_COPY(ev.u.FAULT.params, w->params);
    ev.u.FAULT.effective_seen = true;
    (void)world_add(w, ev);
}

static void add_story(struct world *w) {
    if (w->fault) {
        add_fault(w, w->fault - 5 * MSEC, "asked", "");
        add_fault(w, w->fault, "effective", "");
        add_fault(w, w->fault + 20 * MSEC, w->verified ? "verified" : "unverified", w->detail);
        if (str_eq(w->mechanism, "node.power_off")) {
            struct event ev = at(EVENT_NODE_POWER, w->fault + MSEC);
            STR_COPY(ev.u.NODE_POWER.node, w->nodes);
            (void)world_add(w, ev);
        }
        if (w->writable && str_starts(w->nodes, "n1"))
            world_sql(w, "n1", w->fault + 2 * MSEC, w->fault - 30 * MSEC, false, false);
    }
    if (w->gone)
        add_key(w, w->gone, "", false);
    if (w->put)
        add_key(w, w->put, w->new_leader, false);
    if (w->writable)
        for (usec_t t = w->writable, p = w->writable_previous; t < w->end; p = t, t += SEC)
            world_sql(w, w->new_leader, t, p, true, true);
    if (w->streaming)
        (void)world_row(w, w->streaming, w->new_leader, str_eq(w->new_leader, "n2") ? "n3" : "n2");
}

static int by_returned(const void *a, const void *b) {
    const struct ledger_record *x = a, *y = b;
    return x->returned < y->returned ? -1 : x->returned > y->returned;
}

static void make_ledger(struct world *w) {
    uint64_t id = 0;
    for (usec_t t = w->begin; t < w->end; t += PERIOD) {
        struct ledger_record *r = VEC_ADD(&w->ledger);
        bool down = t >= w->writes_stop && t < w->writes_back;
        r->id = ++id;
        r->scheduled = r->invoked = t;
        r->op = LEDGER_WRITE;
        r->result = !down ? LEDGER_OK : t < w->writes_stop + 2 * SEC ? LEDGER_UNKNOWN : LEDGER_FAILED;
        r->returned = t + (down ? 2 * SEC : w->latency);
        r->node = down ? 0 : t >= w->writes_back && w->new_leader && w->put ? (uint8_t)(w->new_leader[1] - '0') : 1;
    }
    qsort(w->ledger.items, w->ledger.n, sizeof *w->ledger.items, by_returned);
}

static void add_ticks(struct world *w) {
    size_t n = (size_t)((w->end + 3 * SEC) / BUCKET);
    struct event *ticks = xcalloc(n, sizeof *ticks);
    VEC_FOREACH (&w->ledger, r) {
        ticks[r->scheduled / BUCKET].u.CLIENT_TICK.w_tried++;
        struct event *ev = &ticks[r->returned / BUCKET];
        if (r->result == LEDGER_OK) {
            if (ev->u.CLIENT_TICK.w_ok++ == 0) {
                ev->u.CLIENT_TICK.w_first_ok = r->returned;
                ev->u.CLIENT_TICK.w_first_ok_scheduled = r->scheduled;
            }
            ev->u.CLIENT_TICK.w_last_ok = r->returned;
            ev->u.CLIENT_TICK.w_last_ok_scheduled = r->scheduled;
        } else if (r->result == LEDGER_FAILED) {
            ev->u.CLIENT_TICK.w_failed++;
        } else {
            ev->u.CLIENT_TICK.w_unknown++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!ticks[i].u.CLIENT_TICK.w_tried && !ticks[i].u.CLIENT_TICK.w_ok && !ticks[i].u.CLIENT_TICK.w_failed &&
            !ticks[i].u.CLIENT_TICK.w_unknown)
            continue;
        ticks[i].kind = EVENT_CLIENT_TICK;
        ticks[i].t = (i + 1) * BUCKET;
        ticks[i].u.CLIENT_TICK.from = i * BUCKET;
        if (ticks[i].u.CLIENT_TICK.w_tried)
            ticks[i].u.CLIENT_TICK.r_tried = ticks[i].u.CLIENT_TICK.r_ok = 3; // the replicas serve reads throughout
        (void)world_add(w, ticks[i]);
    }
    free(ticks);
}

static bool present(const struct ledger_record *r) { // two unknown ones got through
    return r->result == LEDGER_OK || r->id == 701 || r->id == 702;
}

static void add_final(struct world *w) {
    static const char *const nodes[] = {"n2", "n3", "n1"};
    bool moved = w->put != 0;
    for (int i = moved ? 0 : 1; i < (moved ? 2 : 3); i++) {
        cleanup_strbuf struct strbuf text = {0};
        int64_t rows = 0;
        uint64_t from = 0, last = 0;
        for (uint64_t id = 1; id <= w->ledger.n + 1; id++) {
            bool in = false;
            if (id <= w->ledger.n)
                VEC_FOREACH (&w->ledger, r)
                    if (r->id == id) {
                        in = present(r);
                        break;
                    }
            rows += in;
            if (in && !from)
                from = id;
            if (!in && from)
                strbuf_addf(&text, "%s%" PRIu64 "-%" PRIu64, text.len ? "," : "", from, last), from = 0;
            last = id;
        }
        struct event ev = at(EVENT_FINAL_ROWS, w->end + 3 * SEC);
        STR_COPY(ev.u.FINAL_ROWS.node, nodes[i]);
        STR_COPY(ev.u.FINAL_ROWS.ranges, strbuf_str(&text));
        (void)world_add(w, ev);
        ev = at(EVENT_FINAL_READ, w->end + 3 * SEC);
        STR_COPY(ev.u.FINAL_READ.node, nodes[i]);
        ev.u.FINAL_READ.ok = true;
        ev.u.FINAL_READ.leader = str_eq(nodes[i], moved ? w->new_leader : "n1");
        ev.u.FINAL_READ.chunks = 1;
        ev.u.FINAL_READ.rows = rows;
        (void)world_add(w, ev);
    }
}

void world_build(struct world *w) {
    add_head(w);
    add_cluster(w);
    add_story(w);
    make_ledger(w);
    add_ticks(w);
    if (w->final_read)
        add_final(w);
    if (w->end_reason) {
        struct event ev = at(EVENT_RUN_END, w->end + 4 * SEC);
        ev.u.RUN_END.reason = end_reason_from(w->end_reason);
        (void)world_add(w, ev);
    }
}

void world_done(struct world *w) {
    VEC_DONE(&w->events);
    VEC_DONE(&w->ledger);
}

const struct measures *world_measure(const struct world *w, bool with_ledger, struct measure **ret) {
    *ret = measure_new();
    VEC_FOREACH (&w->events, ev)
        measure_event(*ret, ev);
    if (with_ledger)
        VEC_FOREACH (&w->ledger, r)
            measure_ledger(*ret, r);
    return measure_finish(*ret);
}

// ---- a run -----------------------------------------------------------------------------------------------------------

void run_crash(struct run *r) {
    *r = (struct run){0};
    world_leader_crash(&r->w);
}

void run_fold(struct run *r, bool with_ledger) {
    r->o = world_measure(&r->w, with_ledger, &r->m);
}

const char *run_failed(const struct run *r) {
    static char out[256];
    out[0] = '\0';
    VEC_FOREACH (&r->o->expects, e)
        if (e->known && !e->ok)
            (void)snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", *out ? " " : "", expect_result_name(e));
    return out;
}

void run_caught(struct run *r, const char *by) {
    run_fold(r, true);
    assert_string_equal(run_failed(r), by);
    assert_int_equal(r->o->verdict, *by ? VERDICT_FAIL : VERDICT_PASS);
}

void run_end(struct run *r) {
    measure_free(r->m);
    world_done(&r->w);
}

usec_t phases_sum(const struct measures *m) {
    usec_t sum = 0;
    for (int i = 0; i < PHASE_REJOIN; i++)
        sum += m->phases.list[i].present ? m->phases.list[i].duration : 0;
    return sum;
}

void run_expect_flag(struct run *r, const char *kind, bool wanted) {
    world_expect(&r->w, kind, -1, -1);
    world_find(&r->w, EVENT_EXPECT, 0)->u.EXPECT.wanted = wanted;
}

struct event *run_final(struct run *r, const char *node) {
    for (int i = 0;; i++) {
        struct event *ev = world_find(&r->w, EVENT_FINAL_READ, i);
        assert_non_null(ev);
        if (str_eq(ev->u.FINAL_READ.node, node))
            return ev;
    }
}

void run_rows(struct run *r, const char *node, const char *ranges) {
    for (int i = 0;; i++) {
        struct event *ev = world_find(&r->w, EVENT_FINAL_ROWS, i);
        assert_non_null(ev);
        if (str_eq(ev->u.FINAL_ROWS.node, node)) {
            STR_COPY(ev->u.FINAL_ROWS.ranges, ranges);
            return;
        }
    }
}

const struct node_contents *run_contents(const struct run *r, const char *node) {
    VEC_FOREACH (&r->o->contents.nodes, c)
        if (str_eq(c->node, node))
            return c;
    fail_msg("nothing is known of %s", node);
    return NULL;
}

const struct expect_result *run_expected(const struct run *r, const char *kind) {
    VEC_FOREACH (&r->o->expects, e)
        if (str_eq(expect_result_name(e), kind))
            return e;
    fail_msg("nothing was expected of %s", kind);
    return NULL;
}

void run_positions(struct run *r, const lsn_t leader[RUN_POSITIONS], const lsn_t standby[RUN_POSITIONS]) {
    VEC_FOREACH (&r->w.events, ev) {
        if (ev->kind != EVENT_SQL || ev->t < 39 * SEC)
            continue;
        size_t i = (size_t)(ev->t / SEC) - 39;
        i = i < RUN_POSITIONS ? i : RUN_POSITIONS - 1;
        ev->u.SQL.lsn_asked = ev->u.SQL.asked;
        if (str_eq(ev->u.SQL.node, "n2"))
            ev->u.SQL.lsn = leader[i];
        if (str_eq(ev->u.SQL.node, "n3"))
            ev->u.SQL.lsn = ev->u.SQL.replayed = standby[i];
    }
}
