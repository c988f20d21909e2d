// SPDX-License-Identifier: PostgreSQL
// The fold: what is kept of each event. Nothing is judged here. Events may arrive a little out of time order (an
// effect's time is observed after the fact), so everything carries its own time and measure_finish sorts.
#include <stdio.h>

#include "lab/base/count.h"
#include "lab/ha/ha.h"
#include "lab/measure/fold.h"

int fold_find_node(const struct measure *m, const char *name) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].name, name))
            return (int)i;
    return -1;
}

// Its index, added when new; -1 when the table is full or the name empty.
static int fold_node(struct measure *m, const char *name) {
    int i = fold_find_node(m, name);
    if (i >= 0 || str_empty(name) || m->n_nodes == NODES_MAX)
        return i;
    struct node_state *n = &m->nodes[m->n_nodes];
    STR_COPY(n->name, name);
    return (int)m->n_nodes++;
}

int fold_ledger_node(const struct measure *m, uint8_t number) {
    const struct model_node *n = model_ledger_node(m->model, number);
    return n ? fold_find_node(m, n->name) : -1;
}

static struct fault_measure *fold_fault(struct measure *m, const char *id) {
    VEC_FOREACH (&m->out.faults, f)
        if (str_eq(f->id, id))
            return f;
    struct fault_measure *f = VEC_ADD(&m->out.faults);
    STR_COPY(f->id, id);
    return f;
}

bool fold_damaged(const struct measure *m) {
    return m->out.run.record && !m->out.run.record->live && !m->out.run.record->complete;
}

static void on_begin(struct measure *m, const struct event *ev) {
    struct measures *o = &m->out;
    STR_COPY(o->run.scenario, ev->u.RUN_BEGIN.scenario);
    STR_COPY(o->run.title, ev->u.RUN_BEGIN.title);
    STR_COPY(o->run.topology, ev->u.RUN_BEGIN.topology);
    STR_COPY(o->run.kernel, ev->u.RUN_BEGIN.kernel);
    o->run.cpus = ev->u.RUN_BEGIN.cpus;
    o->run.memory_mb = ev->u.RUN_BEGIN.memory_mb;
    o->run.seed = (uint64_t)ev->u.RUN_BEGIN.seed;
    m->period_us = ev->u.RUN_BEGIN.period_us;
}

static void on_version(struct measure *m, const struct event *ev) {
    const char *node = ev->u.VERSION.node;
    VEC_FOREACH (&m->out.versions, old) {
        bool same = str_eq(old->component, ev->u.VERSION.component),
             equal = str_eq(old->version, ev->u.VERSION.version);
        if (same && *node && equal) {
            size_t n = strlen(old->nodes);
            (void)snprintf(old->nodes + n, sizeof old->nodes - n, ",%s", node);
            return;
        }
        if (same && !*node) {
            STR_COPY(old->version, ev->u.VERSION.version);
            return;
        }
    }
    struct version_seen *v = VEC_ADD(&m->out.versions);
    STR_COPY(v->component, ev->u.VERSION.component);
    STR_COPY(v->version, ev->u.VERSION.version);
    STR_COPY(v->nodes, node);
}

static void on_node_info(struct measure *m, const struct event *ev) {
    int i = fold_node(m, ev->u.NODE_INFO.node);
    if (i < 0)
        return;
    unsigned services = services_read(ev->u.NODE_INFO.services);
    m->nodes[i].postgres = services & SERVICE_POSTGRES;
    m->nodes[i].arbiter = services & SERVICES_ARBITER;
    m->nodes[i].haproxy = services & SERVICE_HAPROXY;
}

static void on_power(struct measure *m, const struct event *ev) {
    int i = fold_node(m, ev->u.NODE_POWER.node);
    if (i < 0)
        return;
    if (!m->closed)
        *VEC_ADD(&m->power) = (struct power_seen){ev->t, i, ev->u.NODE_POWER.on};
}

static void on_sql(struct measure *m, const struct event *ev) {
    int i = fold_node(m, ev->u.SQL.node);
    if (i < 0)
        return;
    struct node_state *n = &m->nodes[i];
    n->postgres = true;
    n->in_recovery = ev->u.SQL.in_recovery;
    usec_t latency = ev->u.SQL.latency_us > 0 ? (usec_t)ev->u.SQL.latency_us : 0;
    usec_t asked =
        ev->u.SQL.asked && ev->u.SQL.asked <= ev->t ? ev->u.SQL.asked : ev->t - (latency < ev->t ? latency : ev->t);
    lsn_t lsn = n->in_recovery && ev->u.SQL.replayed ? ev->u.SQL.replayed : ev->u.SQL.lsn;
    *VEC_ADD(&m->sql) = (struct sql_seen){.t = ev->t,
                                          .asked = asked,
                                          .previous = ev->u.SQL.previous,
                                          .latency = latency,
                                          .node = i,
                                          .answered = ev->u.SQL.answered,
                                          .writable = ev->u.SQL.answered && ev->u.SQL.writable,
                                          .in_recovery = n->in_recovery,
                                          .stopping = strstr(ev->u.SQL.error, "is shutting down") != NULL,
                                          .lsn_asked = ev->u.SQL.lsn_asked,
                                          .lsn = lsn};
    // 57P02, the server's last word to the observer's session, whose language is fixed (observe/sql.c)
    if (strstr(ev->u.SQL.error, "because of crash of another server process"))
        *VEC_ADD(&m->crashes) = (struct crash_seen){ev->t, i};
}

static void on_replication(struct measure *m, const struct event *ev) {
    if (fold_find_node(m, ev->u.REPLICATION.standby) < 0) // pg_basebackup and the like are no members
        return;
    if (m->out.faults.n && !ev->u.REPLICATION.gone && ev->u.REPLICATION.lag_bytes > m->out.lag.bytes) {
        m->out.lag.bytes = ev->u.REPLICATION.lag_bytes;
        m->out.lag.at = ev->t;
        STR_COPY(m->out.lag.node, ev->u.REPLICATION.standby);
    }
}

static void note_health(struct measure *m, const struct event *ev) {
    struct health_watch *w = &m->health;
    enum health_news news = health_note(w, m->model, ev);
    if (news == HEALTH_HICCUP)
        m->healths.n--;
    else if (news != HEALTH_SAME)
        *VEC_ADD(&m->healths) = (struct health_change){w->since, w->error, w->healthy};
}

static void on_tick(struct measure *m, const struct event *ev) {
    struct tick *k = VEC_ADD(&m->ticks);
    k->from = ev->u.CLIENT_TICK.from, k->to = event_tick_end(ev);
    k->w_tried = ev->u.CLIENT_TICK.w_tried, k->w_ok = ev->u.CLIENT_TICK.w_ok;
    k->w_failed = ev->u.CLIENT_TICK.w_failed, k->w_unknown = ev->u.CLIENT_TICK.w_unknown;
    k->r_tried = ev->u.CLIENT_TICK.r_tried, k->r_ok = ev->u.CLIENT_TICK.r_ok, k->r_failed = ev->u.CLIENT_TICK.r_failed;
    k->first_ok = ev->u.CLIENT_TICK.w_first_ok, k->last_ok = ev->u.CLIENT_TICK.w_last_ok;
    if (k->first_ok >= ev->u.CLIENT_TICK.w_first_ok_scheduled && ev->u.CLIENT_TICK.w_first_ok_scheduled)
        k->first_latency = k->first_ok - ev->u.CLIENT_TICK.w_first_ok_scheduled;
    if (k->last_ok >= ev->u.CLIENT_TICK.w_last_ok_scheduled && ev->u.CLIENT_TICK.w_last_ok_scheduled)
        k->last_latency = k->last_ok - ev->u.CLIENT_TICK.w_last_ok_scheduled;
}

static void add_what(struct fault_measure *f, const char *detail) {
    size_t n = strlen(f->what);
    (void)str_copy(f->what + n, sizeof f->what - n, detail);
    n = strlen(f->what);
    (void)str_copy(f->what + n, sizeof f->what - n, "; ");
}

// What was injected is told by the phases before the healing.
static void on_fault_phase(struct fault_measure *f, const struct event *ev) {
    switch (ev->u.FAULT.phase) {
    case FAULT_PHASE_NONE:
    case FAULT_PHASE_UNKNOWN:
        add_what(f, ev->u.FAULT.detail);
        break;
    case FAULT_PHASE_ASKED:
        add_what(f, ev->u.FAULT.detail);
        f->asked = ev->t;
        f->over = 0; // an id may come back after its healing
        break;
    case FAULT_PHASE_EFFECTIVE:
        add_what(f, ev->u.FAULT.detail);
        f->effective = ev->t;
        f->effective_seen = ev->u.FAULT.effective_seen;
        break;
    case FAULT_PHASE_VERIFIED:
        add_what(f, ev->u.FAULT.detail);
        f->verified = ev->t;
        f->ok = true;
        STR_COPY(f->detail, ev->u.FAULT.detail);
        break;
    case FAULT_PHASE_UNVERIFIED:
    case FAULT_PHASE_FAILED:
        add_what(f, ev->u.FAULT.detail);
        f->ok = false;
        f->over = ev->u.FAULT.phase == FAULT_PHASE_FAILED ? ev->t : f->over;
        STR_COPY(f->detail, ev->u.FAULT.detail);
        break;
    case FAULT_PHASE_HEAL_ASKED:
        f->heal_asked = ev->t;
        break;
    case FAULT_PHASE_HEALED:
        f->healed = f->over = ev->t;
        break;
    case FAULT_PHASE_HEAL_VERIFIED:
        f->heal_verified = ev->t;
        break;
    case FAULT_PHASE_HEAL_UNVERIFIED:
        break;
    }
}

static void on_fault(struct measure *m, const struct event *ev) {
    struct fault_measure *f = fold_fault(m, ev->u.FAULT.id);
    STR_COPY(f->mechanism, ev->u.FAULT.mechanism);
    if (*ev->u.FAULT.target)
        STR_COPY(f->target, ev->u.FAULT.target);
    if (*ev->u.FAULT.nodes)
        STR_COPY(f->nodes, ev->u.FAULT.nodes);
    if (*ev->u.FAULT.params)
        STR_COPY(f->params, ev->u.FAULT.params);
    on_fault_phase(f, ev);
}

static void on_action(struct measure *m, const struct event *ev) {
    struct fault_measure *f = fold_fault(m, ev->u.ACTION.id);
    STR_COPY(f->mechanism, ev->u.ACTION.action);
    f->action = true;
    add_what(f, ev->u.ACTION.detail);
    if (ev->u.ACTION.phase == ACTION_PHASE_ASKED) { // an act works from the moment it is asked for
        f->asked = f->effective = ev->t;
        f->effective_seen = true;
        return;
    }
    f->verified = f->over = ev->t;
    f->ok = ev->u.ACTION.phase == ACTION_PHASE_DONE;
    STR_COPY(f->detail, ev->u.ACTION.detail);
}

static void on_expect(struct measure *m, const struct event *ev) {
    struct expectation *x = VEC_ADD(&m->expectations);
    x->kind = ev->u.EXPECT.kind ? ev->u.EXPECT.kind : EXPECT_UNKNOWN;
    STR_COPY(x->node, ev->u.EXPECT.node);
    STR_COPY(x->text, ev->u.EXPECT.text);
    x->has_min = ev->u.EXPECT.has_min, x->has_max = ev->u.EXPECT.has_max, x->wanted = ev->u.EXPECT.wanted;
    x->inside = ev->u.EXPECT.inside;
    x->min = ev->u.EXPECT.min, x->max = ev->u.EXPECT.max;
}

static void on_known_defect(struct measure *m, const struct event *ev) {
    struct defect_measure *d = VEC_ADD(&m->out.defects);
    STR_COPY(d->id, ev->u.KNOWN_DEFECT.id);
    STR_COPY(d->software, ev->u.KNOWN_DEFECT.software);
    STR_COPY(d->versions, ev->u.KNOWN_DEFECT.versions);
    d->signature = ev->u.KNOWN_DEFECT.signature;
    STR_COPY(d->reference, ev->u.KNOWN_DEFECT.reference);
    STR_COPY(d->text, ev->u.KNOWN_DEFECT.text);
    STR_COPY(d->explains, ev->u.KNOWN_DEFECT.explains);
    d->always = ev->u.KNOWN_DEFECT.always;
}

static void on_final_rows(struct measure *m, const struct event *ev) {
    int i = fold_node(m, ev->u.FINAL_ROWS.node);
    if (i < 0)
        return;
    int64_t twice = idset_add_ranges(&m->nodes[i].rows, ev->u.FINAL_ROWS.ranges);
    if (twice < 0) // a chunk that can't be read is a chunk that is missing
        return;
    m->nodes[i].chunks_seen++;
    m->nodes[i].duplicates = count_add(m->nodes[i].duplicates, twice);
}

static void on_final_read(struct measure *m, const struct event *ev) {
    int i = fold_node(m, ev->u.FINAL_READ.node);
    if (i < 0)
        return;
    struct node_state *n = &m->nodes[i];
    n->read_said = true;
    n->read = ev->u.FINAL_READ.ok;
    n->read_leader = ev->u.FINAL_READ.ok && ev->u.FINAL_READ.leader;
    STR_COPY(n->read_error, ev->u.FINAL_READ.error);
    n->chunks_said = ev->u.FINAL_READ.chunks;
    n->duplicates = count_add(n->duplicates, ev->u.FINAL_READ.duplicates);
    n->timeline = ev->u.FINAL_READ.timeline;
    n->lsn = ev->u.FINAL_READ.lsn;
    n->goal = ev->u.FINAL_READ.goal;
    n->lsn_asked = ev->u.FINAL_READ.lsn_asked;
    n->lsn_read = ev->u.FINAL_READ.lsn_read;
}

static void on_log_line(struct measure *m, const struct event *ev) {
    int node = fold_find_node(m, ev->u.LOG_LINE.node);
    if (node >= 0 && strstr(ev->u.LOG_LINE.text, "terminating any other active server processes"))
        *VEC_ADD(&m->crashes) = (struct crash_seen){ev->t, node};
}

static void on_noise(struct measure *m, const struct event *ev) {
    usec_t late = ev->u.NOISE.late_max_us > 0 ? (usec_t)ev->u.NOISE.late_max_us : 0;
    if (late > m->out.noise.late_max)
        m->out.noise.late_max = late;
    *VEC_ADD(&m->noise) = (struct noise_seen){ev->t, ev->u.NOISE.late_p99_us};
}

static void close_at(struct measure *m, usec_t t) {
    if (!m->closed)
        m->closed_at = t;
    m->closed = true;
}

static void on_run_end(struct measure *m, const struct event *ev) {
    m->out.run.no_end = false;
    close_at(m, ev->t); // the judged part is over, whatever a kept lab goes through later
    m->out.run.end_reason = ev->u.RUN_END.reason;
    STR_COPY(m->out.run.end_detail, ev->u.RUN_END.detail);
}

void measure_event(struct measure *m, const struct event *ev) {
    if (ev->t > m->out.run.ended && ev->t != USEC_NEVER && ev->kind != EVENT_RECORD_SEAL)
        m->out.run.ended = ev->t;
    watch_event(m->watch, ev);
    if (ev->kind != EVENT_CLIENT_TICK) // with the ledger, in outage_measure
        outages_event(&m->felt, ev);
    if (!m->closed) {
        model_apply(m->model, ev);
        ha_leadership_event(&m->leadership, m->model, ev);
        note_health(m, ev);
    }
    switch (ev->kind) {
    case EVENT_RUN_BEGIN:
        return on_begin(m, ev);
    case EVENT_VERSION:
        return on_version(m, ev);
    case EVENT_NODE_INFO:
        return on_node_info(m, ev);
    case EVENT_LAB_STATE:
        if (ev->u.LAB_STATE.state == LAB_STATE_STOPPING)
            close_at(m, ev->t);
        return;
    case EVENT_NODE_POWER:
        return on_power(m, ev);
    case EVENT_SQL:
        return m->closed ? (void)0 : on_sql(m, ev);
    case EVENT_REPLICATION:
        return m->closed ? (void)0 : on_replication(m, ev);
    case EVENT_CLIENT_TICK:
        return on_tick(m, ev);
    case EVENT_FAULT:
        return on_fault(m, ev);
    case EVENT_ACTION:
        return on_action(m, ev);
    case EVENT_EXPECT:
        return on_expect(m, ev);
    case EVENT_KNOWN_DEFECT:
        return on_known_defect(m, ev);
    case EVENT_FINAL_ROWS:
        return on_final_rows(m, ev);
    case EVENT_FINAL_READ:
        return on_final_read(m, ev);
    case EVENT_NOISE:
        return on_noise(m, ev);
    case EVENT_LOG_LINE:
        return m->closed ? (void)0 : on_log_line(m, ev);
    case EVENT_CLIENT_ERROR:
        m->client_cut = m->client_cut || ev->u.CLIENT_ERROR.phase == CLIENT_PHASE_PROCESS;
        return;
    case EVENT_RUN_END:
        return on_run_end(m, ev);
    case EVENT_TICK:
    case EVENT_CONFIG:
    case EVENT_MANAGER:
    case EVENT_AUTHORITY:
    case EVENT_ENTRY:
    case EVENT_GRANT:
    case EVENT_ARBITER:
    case EVENT_PROGRESS:
    case EVENT_SERVICE:
    case EVENT_WATCHDOG:
    case EVENT_SLOT:
    case EVENT_STORE_WATCH:
    case EVENT_PROXY:
    case EVENT_LINK:
    case EVENT_CLIENT_SERVER:
    case EVENT_STEP:
    case EVENT_STEP_NEXT:
    case EVENT_PLAN_STEP:
    case EVENT_LESSON:
    case EVENT_RECORD_THINNED:
    case EVENT_COMMAND:
    case EVENT_RECORD_SEAL:
    case EVENT_KIND_COUNT:
        return;
    }
}
