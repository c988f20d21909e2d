// SPDX-License-Identifier: PostgreSQL
// The fold: one function per kind of event. An event about a node that was never introduced (node.info) is dropped: a
// log that was cut at its beginning must not make nodes up.
#include "lab/model/model.h"
#include "lab/base/count.h"

#include "lab/model/fold.h"

struct model *model_new(void) {
    struct model *m = xcalloc(1, sizeof *m);
    m->kind = ha_kind_find("");
    return m;
}

void model_free(struct model *m) {
    if (!m)
        return;
    VEC_DONE(&m->keys);
    VEC_DONE(&m->slots);
    free(m);
}

const char *model_role_name(enum manager_role role) {
    return role == MANAGER_ROLE_NONE || role == MANAGER_ROLE_UNKNOWN ? "unknown" : manager_role_name(role);
}

struct model_node *model_node(struct model *m, const char *name) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].name, name))
            return &m->nodes[i];
    return NULL;
}

const struct model_node *model_leader(const struct model *m) {
    for (size_t i = 0; *m->leader && i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].name, m->leader))
            return &m->nodes[i];
    return NULL;
}

size_t model_index(const struct model *m, const struct model_node *n) {
    return (size_t)(n - m->nodes);
}

static void apply_node_info(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.NODE_INFO.node);
    if (!n) {
        if (m->n_nodes == NODES_MAX || !*ev->u.NODE_INFO.node)
            return;
        n = &m->nodes[m->n_nodes++];
        STR_COPY(n->name, ev->u.NODE_INFO.node);
        n->lag_bytes = -1;
    }
    n->number = ev->u.NODE_INFO.number ? ev->u.NODE_INFO.number : n - m->nodes + 1;
    STR_COPY(n->address, ev->u.NODE_INFO.address);
    n->services = services_read(ev->u.NODE_INFO.services);
}

const struct model_node *model_ledger_node(const struct model *m, uint8_t number) {
    for (size_t i = 0; number && i < m->n_nodes; i++)
        if (m->nodes[i].number == number)
            return m->nodes[i].services & SERVICE_POSTGRES ? &m->nodes[i] : NULL;
    return NULL;
}

static void forget_postgres(struct model_node *n) {
    n->pg_answered = n->in_recovery = n->writable = false;
    n->timeline = 0;
    n->lsn = n->replayed = 0;
    n->lsn_since = n->ahead_since = 0;
    n->pg_seen = 0;
    n->pg_error[0] = '\0';
}

static void forget_manager(struct model_node *n) {
    n->manager_answered = n->paused = n->pending_restart = false;
    n->role = MANAGER_ROLE_NONE;
    n->state[0] = '\0';
    n->http = 0;
}

static void forget_arbiter(struct model_node *n) {
    n->arbiter_answered = n->arbiter_leads = false;
    n->arbiter_term = 0;
    n->arbiter_id[0] = n->arbiter_leader_id[0] = '\0';
}

// A machine that loses power has no state; one that gets power has none yet. `registered` stays: it is the DCS that
// knows.
static void apply_power(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.NODE_POWER.node);
    if (!n)
        return;
    n->on = ev->u.NODE_POWER.on;
    n->power_changed = ev->t;
    if (n->pg_answered)
        n->pg_changed = ev->t;
    model_diverge_power(m, n, ev->t);
    n->claims = false;
    forget_postgres(n);
    forget_manager(n);
    forget_arbiter(n);
    n->manager_seen = n->arbiter_seen = 0;
    n->pid_manager = n->pid_arbiter = n->pid_haproxy = n->on ? 0 : -1;
    n->watchdog_armed = false;
    model_forget_rows(m, n);
    model_derive_replication(m);
}

// An answer that was under way when the power went must not bring the node back to life.
static bool is_powered_off(const struct model_node *n) {
    return n->power_changed && !n->on;
}

static void apply_sql(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.SQL.node);
    if (!n || is_powered_off(n))
        return;
    bool answered = ev->u.SQL.answered;
    bool in_recovery = answered && ev->u.SQL.in_recovery, writable = answered && ev->u.SQL.writable;
    if (answered != n->pg_answered || in_recovery != n->in_recovery || writable != n->writable || !n->pg_changed)
        n->pg_changed = ev->t;
    n->pg_answered = answered;
    n->in_recovery = in_recovery;
    n->writable = writable;
    STR_COPY(n->pg_error, answered ? "" : ev->u.SQL.error);
    if (answered) { // positions of a silent server stay as last known: that is what its lag is computed from
        n->pg_seen = ev->t;
        n->timeline = ev->u.SQL.timeline;
        if (n->lsn != ev->u.SQL.lsn || !n->lsn_since) {
            n->lsn_since = ev->t;
            n->ahead_since = 0;
        }
        n->lsn = ev->u.SQL.lsn;
        n->replayed = ev->u.SQL.replayed;
    }
    model_diverge_sql(m, n, ev);
    model_derive_replication(m);
}

static void apply_manager(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.MANAGER.node);
    if (!n || is_powered_off(n))
        return;
    usec_t before = n->manager_seen;
    forget_manager(n);
    if (!ev->u.MANAGER.answered)
        return;
    n->manager_answered = true;
    n->manager_seen = ev->t;
    n->role = ev->u.MANAGER.role;
    STR_COPY(n->state, ev->u.MANAGER.state);
    n->http = (int)ev->u.MANAGER.http;
    n->paused = ev->u.MANAGER.paused;
    n->pending_restart = ev->u.MANAGER.pending_restart;
    model_note_claim(n, ev->t, before ? before : n->power_changed);
}

static void apply_arbiter(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.ARBITER.node);
    if (!n || is_powered_off(n))
        return;
    forget_arbiter(n);
    if (!ev->u.ARBITER.answered)
        return;
    n->arbiter_answered = true;
    n->arbiter_seen = ev->t;
    n->arbiter_leads = ev->u.ARBITER.leads;
    n->arbiter_term = ev->u.ARBITER.term;
    STR_COPY(n->arbiter_id, ev->u.ARBITER.id);
    STR_COPY(n->arbiter_leader_id, ev->u.ARBITER.follows);
}

static void apply_service(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.SERVICE.node);
    if (!n)
        return;
    int64_t pid = ev->u.SERVICE.state == SERVICE_STATE_STARTED ? ev->u.SERVICE.pid : -1;
    if (str_eq(ev->u.SERVICE.service, m->kind->manager))
        n->pid_manager = pid;
    else if (services_read(ev->u.SERVICE.service) & SERVICES_ARBITER)
        n->pid_arbiter = pid;
    else if (str_eq(ev->u.SERVICE.service, "haproxy"))
        n->pid_haproxy = pid;
}

static void apply_watchdog(struct model *m, const struct event *ev) {
    struct model_node *n = model_node(m, ev->u.WATCHDOG.node);
    if (!n)
        return;
    n->watchdog_armed = ev->u.WATCHDOG.state == WATCHDOG_STATE_ARMED || ev->u.WATCHDOG.state == WATCHDOG_STATE_KEPT;
    n->watchdog_last = ev->u.WATCHDOG.last;
    n->watchdog_timeout = ev->u.WATCHDOG.timeout;
    if (ev->u.WATCHDOG.state == WATCHDOG_STATE_EXPIRED)
        n->watchdog_expired = ev->t;
}

// A merged tick's share of one bucket, rounded up: something is something.
static int64_t of_100_ms(const struct event *tick, int64_t n) {
    int64_t buckets = (int64_t)((event_tick_end(tick) - tick->u.CLIENT_TICK.from + EVENT_BUCKET / 2) / EVENT_BUCKET);
    return n / buckets + (n % buckets > 0);
}

static void apply_tick(struct model *m, const struct event *ev) {
    m->tick_at = event_tick_end(ev);
    m->w_tried = count_add(m->w_tried, ev->u.CLIENT_TICK.w_tried);
    m->tick_w_ok = of_100_ms(ev, ev->u.CLIENT_TICK.w_ok);
    m->w_ok = count_add(m->w_ok, ev->u.CLIENT_TICK.w_ok);
    m->w_failed = count_add(m->w_failed, ev->u.CLIENT_TICK.w_failed);
    m->w_unknown = count_add(m->w_unknown, ev->u.CLIENT_TICK.w_unknown);
    m->tick_w_bad = of_100_ms(ev, ev->u.CLIENT_TICK.w_failed + ev->u.CLIENT_TICK.w_unknown);
    m->r_tried = count_add(m->r_tried, ev->u.CLIENT_TICK.r_tried);
    m->tick_r_ok = of_100_ms(ev, ev->u.CLIENT_TICK.r_ok);
    m->r_ok = count_add(m->r_ok, ev->u.CLIENT_TICK.r_ok);
    m->tick_r_bad = of_100_ms(ev, ev->u.CLIENT_TICK.r_failed);
    m->r_failed = count_add(m->r_failed, ev->u.CLIENT_TICK.r_failed);
    if (ev->u.CLIENT_TICK.w_ok)
        m->w_last_ok = ev->u.CLIENT_TICK.w_last_ok ? ev->u.CLIENT_TICK.w_last_ok : m->tick_at;
}

// ---- faults
static bool fault_is_over(const struct model_fault *f) {
    return f->phase == FAULT_PHASE_HEALED || f->phase == FAULT_PHASE_HEAL_VERIFIED || f->phase == FAULT_PHASE_FAILED;
}

static struct model_fault *find_fault(struct model *m, const char *id) {
    for (size_t i = m->n_faults; i > 0; i--) // newest first: an id may come back after its healing
        if (str_eq(m->faults[i - 1].id, id))
            return &m->faults[i - 1];
    return NULL;
}

// Room is made by dropping the oldest fault that is over, else the oldest.
static struct model_fault *add_fault(struct model *m) {
    if (m->n_faults == MODEL_FAULTS_MAX) {
        size_t drop = 0;
        while (drop < m->n_faults && !fault_is_over(&m->faults[drop]))
            drop++;
        drop = drop == m->n_faults ? 0 : drop;
        memmove(&m->faults[drop], &m->faults[drop + 1], (m->n_faults - drop - 1) * sizeof m->faults[0]);
        m->n_faults--;
    }
    struct model_fault *f = &m->faults[m->n_faults++];
    memset(f, 0, sizeof *f);
    return f;
}

static void apply_fault(struct model *m, const struct event *ev) {
    enum fault_phase phase = ev->u.FAULT.phase;
    if (phase == FAULT_PHASE_NONE || phase == FAULT_PHASE_UNKNOWN)
        return;
    struct model_fault *f = find_fault(m, ev->u.FAULT.id);
    if (!f || (phase == FAULT_PHASE_ASKED && fault_is_over(f))) {
        f = add_fault(m);
        STR_COPY(f->id, ev->u.FAULT.id);
    }
    f->phase = phase;
    if (*ev->u.FAULT.mechanism)
        STR_COPY(f->mechanism, ev->u.FAULT.mechanism);
    if (*ev->u.FAULT.target)
        STR_COPY(f->target, ev->u.FAULT.target);
    if (*ev->u.FAULT.nodes)
        STR_COPY(f->nodes, ev->u.FAULT.nodes);
    STR_COPY(f->detail, ev->u.FAULT.detail);
    if (phase == FAULT_PHASE_ASKED)
        f->asked = ev->t;
    else if (phase == FAULT_PHASE_EFFECTIVE)
        f->effective = ev->t;
    else if (phase == FAULT_PHASE_VERIFIED)
        f->verified = ev->t;
    else if (phase == FAULT_PHASE_HEALED)
        f->healed = ev->t;
    f->over = !fault_is_over(f) ? 0 : f->over ? f->over : ev->t;
}

static void apply_action(struct model *m, const struct event *ev) {
    m->acted = ev->t > m->acted ? ev->t : m->acted;
    if (ev->u.ACTION.phase == ACTION_PHASE_ASKED)
        m->acts_open++;
    else
        m->acts_open -= m->acts_open > 0;
}

// ---- all of it ----------------------------------------------------------------------------------------------------------
void model_apply(struct model *m, const struct event *ev) {
    if (ev->t > m->now)
        m->now = ev->t;
    switch (ev->kind) {
    case EVENT_NODE_INFO:
        apply_node_info(m, ev);
        break;
    case EVENT_VERSION:
        model_apply_version(m, ev);
        break;
    case EVENT_NODE_POWER:
        apply_power(m, ev);
        model_derive_leader(m, ev);
        break;
    case EVENT_WATCHDOG:
        apply_watchdog(m, ev);
        break;
    case EVENT_SERVICE:
        apply_service(m, ev);
        break;
    case EVENT_SQL:
        apply_sql(m, ev);
        model_derive_leader(m, ev);
        break;
    case EVENT_MANAGER:
        apply_manager(m, ev);
        model_derive_leader(m, ev);
        break;
    case EVENT_REPLICATION:
        model_apply_row(m, ev);
        break;
    case EVENT_LINK:
        model_apply_link(m, ev);
        break;
    case EVENT_SLOT:
        model_apply_slot(m, ev);
        break;
    case EVENT_AUTHORITY:
        model_apply_authority(m, ev);
        break;
    case EVENT_ENTRY:
        model_apply_entry(m, ev);
        break;
    case EVENT_GRANT:
        model_apply_grant(m, ev);
        break;
    case EVENT_ARBITER:
        apply_arbiter(m, ev);
        break;
    case EVENT_CONFIG:
        model_apply_config(m, ev);
        break;
    case EVENT_CLIENT_TICK:
        apply_tick(m, ev);
        break;
    case EVENT_CLIENT_SERVER:
        STR_COPY(m->client_node, ev->u.CLIENT_SERVER.node);
        break;
    case EVENT_FAULT:
        apply_fault(m, ev);
        break;
    case EVENT_ACTION:
        apply_action(m, ev);
        break;
    case EVENT_LAB_STATE:
        m->lab_state = ev->u.LAB_STATE.state;
        break;
    case EVENT_PROGRESS:
        STR_COPY(m->progress, ev->u.PROGRESS.text);
        break;
    case EVENT_RECORD_THINNED:
        m->thinned_ticks = ev->u.RECORD_THINNED.ticks;
        m->thinned_others = ev->u.RECORD_THINNED.others;
        break;
    case EVENT_RUN_BEGIN:
        m->kind = ha_kind_find(ev->u.RUN_BEGIN.stack);
        m->leader_disputed = false;
        break;
    case EVENT_TICK: // the clock alone
    case EVENT_STORE_WATCH:
    case EVENT_PROXY:
    case EVENT_CLIENT_ERROR:
    case EVENT_STEP:
    case EVENT_STEP_NEXT:
    case EVENT_PLAN_STEP:
    case EVENT_LESSON:
    case EVENT_EXPECT:
    case EVENT_KNOWN_DEFECT:
    case EVENT_COMMAND:
    case EVENT_FINAL_ROWS:
    case EVENT_FINAL_READ:
    case EVENT_NOISE:
    case EVENT_LOG_LINE:
    case EVENT_RUN_END:
    case EVENT_RECORD_SEAL:
    case EVENT_KIND_COUNT:
        break;
    }
}
