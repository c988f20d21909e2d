// SPDX-License-Identifier: PostgreSQL
#include <stdio.h>

#include "tests/fake/fake.h"

#define PERIOD  (10 * MSEC)
#define TIMEOUT (500 * MSEC)
#define LSN     0x5000000

static const char *const names[] = {"n1", "n2", "n3", "app"};

static struct event *add(struct fake_run *r, enum event_kind kind, usec_t t) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = kind;
    ev.t = t;
    size_t i = r->events.n;
    (void)VEC_ADD(&r->events);
    for (; i > 0 && r->events.items[i - 1].t > t; i--)
        r->events.items[i] = r->events.items[i - 1];
    r->events.items[i] = ev;
    return &r->events.items[i];
}

// ---- the beginning -----------------------------------------------------------------------------------------------------

static void add_begin(struct fake_run *r) {
    __auto_type b = &add(r, EVENT_RUN_BEGIN, 0)->u.RUN_BEGIN;
    STR_COPY(b->scenario, "leader-crash");
    STR_COPY(b->title, "The leader's machine loses power");
    STR_COPY(b->lab, "fake");
    STR_COPY(b->topology, "fake-3");
    STR_COPY(b->program, "0.1.0");
    STR_COPY(b->kernel, "6.1.0");
    STR_COPY(b->stack, "fakeha");
    b->seed = 42, b->cpus = 2, b->memory_mb = 3934;
    b->wall = 1700000000 * SEC, b->mono = 1000 * SEC;
    b->period_us = (int64_t)PERIOD;
    static const char *const versions[][2] = {{"postgresql", "15.20"}, {"fakeha", "1.0"}};
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        __auto_type v = &add(r, EVENT_VERSION, 0)->u.VERSION;
        STR_COPY(v->component, versions[i][0]);
        STR_COPY(v->version, versions[i][1]);
    }
    static const char *const settings[][2] = {{"fakeha.interval", "2"}, {"fakeha.tries", "3"}};
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        __auto_type c = &add(r, EVENT_CONFIG, SEC)->u.CONFIG;
        STR_COPY(c->key, settings[i][0]);
        STR_COPY(c->value, settings[i][1]);
    }
}

static void add_power(struct fake_run *r, usec_t t, const char *node, bool on) {
    __auto_type p = &add(r, EVENT_NODE_POWER, t)->u.NODE_POWER;
    STR_COPY(p->node, node);
    p->on = on;
}

static void add_service(struct fake_run *r, usec_t t, const char *node) {
    __auto_type s = &add(r, EVENT_SERVICE, t)->u.SERVICE;
    STR_COPY(s->node, node);
    STR_COPY(s->service, "fakeha");
    s->state = SERVICE_STATE_STARTED;
    s->pid = 20;
}

static void add_log(struct fake_run *r, usec_t t, const char *node, const char *text) {
    __auto_type l = &add(r, EVENT_LOG_LINE, t)->u.LOG_LINE;
    STR_COPY(l->node, node);
    STR_COPY(l->service, "fakeha");
    STR_COPY(l->text, text);
    l->level = LINE_LEVEL_INFO;
    l->read = t + 20 * MSEC;
}

static void add_nodes(struct fake_run *r) {
    for (int i = 0; i < 4; i++) {
        __auto_type n = &add(r, EVENT_NODE_INFO, 1)->u.NODE_INFO;
        STR_COPY(n->node, names[i]);
        (void)snprintf(n->address, sizeof n->address, "10.77.0.%d", 11 + i);
        STR_COPY(n->services, i < 3 ? "postgres,fakeha" : "app");
        n->number = i + 1;
        add_power(r, 100 * MSEC, names[i], true);
        if (i < 3)
            add_service(r, 500 * MSEC, names[i]);
    }
    add_log(r, 900 * MSEC, "n1", "this node leads");
    __auto_type p = &add(r, EVENT_PROGRESS, 200 * MSEC)->u.PROGRESS;
    p->phase = PROGRESS_PHASE_START;
    STR_COPY(p->text, "the nodes start");
}

static void add_state(struct fake_run *r, usec_t t, enum lab_state state) {
    add(r, EVENT_LAB_STATE, t)->u.LAB_STATE.state = state;
}

// ---- what the observer sees ----------------------------------------------------------------------------------------------

static bool has_power(int node, usec_t t) {
    return node != 0 || t < FAKE_FAULT || t >= FAKE_HEALED + 2 * SEC;
}

static bool writes(int node, usec_t t) {
    return node == 0 ? t < FAKE_FAULT : node == 1 && t >= FAKE_WRITABLE;
}

static void add_sql(struct fake_run *r, int node, usec_t t, usec_t previous) {
    bool answered = has_power(node, t);
    __auto_type q = &add(r, EVENT_SQL, t)->u.SQL;
    STR_COPY(q->node, names[node]);
    q->answered = answered;
    q->writable = answered && writes(node, t);
    q->in_recovery = answered && !q->writable;
    q->asked = t - MSEC;
    q->latency_us = (int64_t)MSEC;
    q->previous = previous;
    if (!answered) {
        STR_COPY(q->error, "no answer for 2 s");
        return;
    }
    q->timeline = t >= FAKE_WRITABLE + (node == 1 ? 0 : SEC) ? 2 : 1;
    q->lsn = LSN + t / 100;
    q->replayed = q->in_recovery ? q->lsn : 0;
    q->lsn_asked = q->asked;
}

static void add_manager(struct fake_run *r, int node, usec_t t) {
    bool answered = has_power(node, t), leads = node == 0 ? t < FAKE_FAULT : node == 1 && t >= FAKE_CLAIM;
    __auto_type m = &add(r, EVENT_MANAGER, t)->u.MANAGER;
    STR_COPY(m->node, names[node]);
    STR_COPY(m->service, "fakeha");
    m->answered = answered;
    m->role = !answered ? MANAGER_ROLE_NONE : leads ? MANAGER_ROLE_LEADER : MANAGER_ROLE_REPLICA;
    STR_COPY(m->state, !answered ? "" : "running");
    STR_COPY(m->error, answered ? "" : "no answer for 2 s");
}

static void add_row(struct fake_run *r, usec_t t, const char *node, const char *standby) {
    __auto_type row = &add(r, EVENT_REPLICATION, t)->u.REPLICATION;
    STR_COPY(row->node, node);
    STR_COPY(row->standby, standby);
    STR_COPY(row->state, "streaming");
    STR_COPY(row->sync_state, "async");
    row->sent = row->flushed = row->replayed = LSN + t / 100;
}

static void add_probes(struct fake_run *r) {
    for (usec_t t = SEC; t <= FAKE_END; t += SEC) {
        add(r, EVENT_NOISE, t)->u.NOISE.late_max_us = 300;
        for (int node = 0; node < 3; node++) {
            usec_t at = t + (usec_t)node * MSEC;
            if (node == 0 && t > FAKE_FAULT && t < FAKE_HEALED + 2 * SEC) // no power: nobody is asked
                continue;
            if (!(node == 0 && t == FAKE_FAULT))
                add_sql(r, node, at, at - SEC);
            if (!(node == 0 && t == FAKE_FAULT))
                add_manager(r, node, at + 549 * MSEC);
        }
    }
    add_sql(r, 0, FAKE_FAULT + 2 * MSEC, FAKE_FAULT - SEC);
    add_sql(r, 1, FAKE_WRITABLE, FAKE_WRITABLE - 100 * MSEC);
    add_row(r, 2 * SEC, "n1", "n2");
    add_row(r, 2 * SEC, "n1", "n3");
    add_row(r, FAKE_WRITABLE + SEC + 100 * MSEC, "n2", "n3");
    add_row(r, FAKE_REJOINED, "n2", "n1");
}

// ---- what happens ----------------------------------------------------------------------------------------------------------

static void add_fault(struct fake_run *r, usec_t t, enum fault_phase phase, const char *detail) {
    __auto_type f = &add(r, EVENT_FAULT, t)->u.FAULT;
    STR_COPY(f->id, "crash");
    STR_COPY(f->mechanism, "node.power_off");
    STR_COPY(f->target, "leader");
    STR_COPY(f->nodes, "n1");
    STR_COPY(f->detail, detail);
    f->phase = phase;
    f->effective_seen = true;
}

static void add_story(struct fake_run *r) {
    add_state(r, 4 * SEC, LAB_STATE_READY);
    add_fault(r, FAKE_FAULT - 5 * MSEC, FAULT_PHASE_ASKED, "");
    add_fault(r, FAKE_FAULT, FAULT_PHASE_EFFECTIVE, "");
    add_power(r, FAKE_FAULT + MSEC, "n1", false);
    add_fault(r, FAKE_FAULT + 20 * MSEC, FAULT_PHASE_VERIFIED, "nothing of n1 runs any more");
    add_log(r, FAKE_FAULT + 1200 * MSEC, "n2", "n1 is silent, 1 of 3");
    add_log(r, FAKE_FAULT + 3200 * MSEC, "n2", "n1 is silent, 2 of 3");
    add_log(r, FAKE_FAULT + 5200 * MSEC, "n2", "n1 is silent, 3 of 3: this node takes the lead");
    add_fault(r, FAKE_HEALED - 5 * MSEC, FAULT_PHASE_HEAL_ASKED, "");
    add_power(r, FAKE_HEALED, "n1", true);
    add_fault(r, FAKE_HEALED, FAULT_PHASE_HEALED, "");
    add_service(r, FAKE_HEALED + SEC, "n1");
    add_fault(r, FAKE_HEALED + SEC, FAULT_PHASE_HEAL_VERIFIED, "");
}

// ---- the application -------------------------------------------------------------------------------------------------------

static void make_ledger(struct fake_run *r) {
    uint64_t id = 0;
    for (usec_t t = 5 * SEC; t < FAKE_END; t += PERIOD) {
        struct ledger_record *w = VEC_ADD(&r->ledger);
        bool down = t >= FAKE_FAULT && t < FAKE_BACK;
        *w = (struct ledger_record){.id = ++id,
                                    .scheduled = t,
                                    .invoked = t,
                                    .returned = t + (down ? TIMEOUT : 2 * MSEC),
                                    .op = LEDGER_WRITE,
                                    .result = down ? LEDGER_FAILED : LEDGER_OK,
                                    .node = down             ? 0
                                            : t < FAKE_FAULT ? 1
                                                             : 2};
    }
}

static void add_ticks(struct fake_run *r) {
    size_t n = (size_t)((FAKE_END + SEC) / EVENT_BUCKET);
    struct event *ticks = xcalloc(n, sizeof *ticks);
    VEC_FOREACH (&r->ledger, w) {
        ticks[w->scheduled / EVENT_BUCKET].u.CLIENT_TICK.w_tried++;
        __auto_type k = &ticks[w->returned / EVENT_BUCKET].u.CLIENT_TICK;
        if (w->result != LEDGER_OK) {
            k->w_failed++;
            continue;
        }
        if (k->w_ok++ == 0)
            k->w_first_ok = w->returned, k->w_first_ok_scheduled = w->scheduled;
        k->w_last_ok = w->returned, k->w_last_ok_scheduled = w->scheduled;
    }
    for (size_t i = 5 * SEC / EVENT_BUCKET; i < n; i++) {
        __auto_type k = &ticks[i].u.CLIENT_TICK;
        if (!k->w_tried && !k->w_ok && !k->w_failed)
            continue;
        k->from = i * EVENT_BUCKET;
        add(r, EVENT_CLIENT_TICK, k->from + EVENT_BUCKET)->u.CLIENT_TICK = *k;
    }
    free(ticks);
    for (int i = 0; i < 2; i++) {
        __auto_type s = &add(r, EVENT_CLIENT_SERVER, i ? FAKE_BACK : 5 * SEC)->u.CLIENT_SERVER;
        STR_COPY(s->node, names[i]);
        (void)snprintf(s->address, sizeof s->address, "10.77.0.%d", 11 + i);
        s->timeline = i + 1;
        s->backend_pid = 100 + i;
    }
}

static void add_final(struct fake_run *r) {
    uint64_t before = (FAKE_FAULT - 5 * SEC) / PERIOD, first = (FAKE_BACK - 5 * SEC) / PERIOD + 1, last = r->ledger.n;
    add_state(r, FAKE_END + SEC, LAB_STATE_COLLECTING);
    for (int i = 0; i < 3; i++) {
        __auto_type rows = &add(r, EVENT_FINAL_ROWS, FAKE_END + 2 * SEC)->u.FINAL_ROWS;
        STR_COPY(rows->node, names[i]);
        (void)snprintf(rows->ranges, sizeof rows->ranges, "1-%" PRIu64 ",%" PRIu64 "-%" PRIu64, before, first, last);
        __auto_type read = &add(r, EVENT_FINAL_READ, FAKE_END + 2 * SEC)->u.FINAL_READ;
        STR_COPY(read->node, names[i]);
        read->ok = true;
        read->leader = i == 1;
        read->chunks = 1;
        read->rows = (int64_t)(before + last - first + 1);
        read->timeline = 2;
    }
    add(r, EVENT_RUN_END, FAKE_END + 3 * SEC)->u.RUN_END.reason = END_REASON_COMPLETED;
    add_state(r, FAKE_END + 3100 * MSEC, LAB_STATE_STOPPING);
}

void fake_run_make(struct fake_run *r) {
    *r = (struct fake_run){0};
    add_begin(r);
    add_nodes(r);
    add_probes(r);
    add_story(r);
    make_ledger(r);
    add_ticks(r);
    add_final(r);
}

void fake_run_done(struct fake_run *r) {
    VEC_DONE(&r->events);
    VEC_DONE(&r->ledger);
}
