// SPDX-License-Identifier: PostgreSQL
// The model as JSON: what `bascule status` shows. Fields are documented in docs/measures.md, section "status".
#include "lab/supervisor/internal.h"

static void add_lsn(cJSON *o, const char *key, lsn_t lsn) {
    char text[LSN_TEXT_MAX];
    if (lsn)
        (void)cJSON_AddStringToObject(o, key, lsn_format(text, lsn));
    else
        (void)cJSON_AddNullToObject(o, key);
}

static void add_age(cJSON *o, const char *key, usec_t now, usec_t then) {
    if (then && then <= now)
        (void)cJSON_AddNumberToObject(o, key, (double)((now - then) / MSEC));
    else
        (void)cJSON_AddNullToObject(o, key);
}

static const char *pg_state(const struct model_node *n) {
    if (!n->on)
        return "off";
    if (!n->pg_answered)
        return "no answer";
    return n->in_recovery ? "standby" : n->writable ? "primary" : "primary, not writable";
}

// What the manager says of itself; before it was asked for the first time, what the leader key and the replication say.
static void add_role(cJSON *o, const struct model *m, const struct model_node *n) {
    const char *role = n->manager_answered ? model_role_name(n->role) : "unknown", *state = "no answer";
    if (n->manager_answered)
        state = n->state;
    else if (!n->manager_seen) {
        state = "no answer yet";
        role = str_eq(m->leader, n->name) ? "leader" : n->streaming ? "replica" : role;
    }
    (void)cJSON_AddStringToObject(o, "role", role);
    (void)cJSON_AddStringToObject(o, "state", state);
}

static cJSON *node_status(const struct model *m, const struct model_node *n, usec_t now) {
    static const char *const histories[] = {[DOUBT_NONE] = "", [DOUBT_KEY] = "in doubt", [DOUBT_AHEAD] = "diverged"};
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "name", n->name);
    (void)cJSON_AddStringToObject(o, "address", n->address);
    (void)cJSON_AddBoolToObject(o, "on", n->on);
    (void)cJSON_AddBoolToObject(o, "app", n->services & SERVICE_APP);
    if (n->services & SERVICE_POSTGRES) {
        (void)cJSON_AddBoolToObject(o, "leader", str_eq(m->leader, n->name));
        add_role(o, m, n);
        (void)cJSON_AddStringToObject(o, "postgres", pg_state(n));
        (void)cJSON_AddBoolToObject(o, "writable", n->pg_answered && n->writable);
        (void)cJSON_AddBoolToObject(o, "streaming", n->streaming);
        (void)cJSON_AddStringToObject(o, "sync_state", n->sync_state);
        (void)cJSON_AddStringToObject(o, "history", histories[model_node_doubt(m, n)]);
        (void)cJSON_AddNumberToObject(o, "timeline", (double)n->timeline);
        add_lsn(o, "lsn", n->lsn);
        add_lsn(o, "replayed", n->replayed);
        if (n->lag_bytes >= 0 && n->streaming)
            (void)cJSON_AddNumberToObject(o, "lag_bytes", (double)n->lag_bytes);
        else
            (void)cJSON_AddNullToObject(o, "lag_bytes");
        (void)cJSON_AddBoolToObject(o, "registered", n->registered);
        (void)cJSON_AddBoolToObject(o, "pending_restart", n->pending_restart);
        (void)cJSON_AddBoolToObject(o, "watchdog_armed", n->watchdog_armed);
        if (n->watchdog_armed) // run out when nobody writes: 0 is a machine about to lose its power
            (void)cJSON_AddNumberToObject(o, "watchdog_left_ms",
                                          n->watchdog_last + n->watchdog_timeout > now
                                              ? (double)((n->watchdog_last + n->watchdog_timeout - now) / MSEC)
                                              : 0.0);
        add_age(o, "postgres_age_ms", now, n->pg_seen);
        cleanup_free char *age = xasprintf("%s_age_ms", m->kind->manager);
        add_age(o, age, now, n->manager_seen);
    }
    if (n->services & SERVICES_ARBITER) {
        const char *word = services_first(SERVICES_ARBITER);
        cleanup_free char *term = xasprintf("%s_term", word);
        (void)cJSON_AddStringToObject(o, word,
                                      !n->arbiter_answered ? "no answer"
                                      : n->arbiter_leads   ? "leader"
                                                           : "follower");
        (void)cJSON_AddNumberToObject(o, term, (double)n->arbiter_term);
    }
    return o;
}

static cJSON *client_status(const struct model *m, usec_t now) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(o, "writes_ok", (double)m->w_ok);
    (void)cJSON_AddNumberToObject(o, "writes_failed", (double)m->w_failed);
    (void)cJSON_AddNumberToObject(o, "writes_unknown", (double)m->w_unknown);
    (void)cJSON_AddNumberToObject(o, "reads_ok", (double)m->r_ok);
    (void)cJSON_AddNumberToObject(o, "reads_failed", (double)m->r_failed);
    (void)cJSON_AddNumberToObject(o, "writes_per_s", (double)m->tick_w_ok * 10); // a tick is 100 ms
    add_age(o, "last_write_age_ms", now, m->w_last_ok);
    (void)cJSON_AddStringToObject(o, "server", m->client_node);
    return o;
}

static cJSON *fault_status(const struct model_fault *f) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "id", f->id);
    (void)cJSON_AddStringToObject(o, "mechanism", f->mechanism);
    (void)cJSON_AddStringToObject(o, "target", f->target);
    (void)cJSON_AddStringToObject(o, "nodes", *f->nodes ? f->nodes : f->target); // "cluster": no node is meant
    (void)cJSON_AddStringToObject(o, "phase", fault_phase_name(f->phase));
    (void)cJSON_AddStringToObject(o, "detail", f->detail);
    return o;
}

static cJSON *action_status(const struct action_state *a) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "id", a->id);
    (void)cJSON_AddStringToObject(o, "action", a->action);
    (void)cJSON_AddStringToObject(o, "phase", action_phase_name(a->phase));
    (void)cJSON_AddStringToObject(o, "detail", a->detail);
    return o;
}

static cJSON *defect_status(const struct defect_known *d) {
    if (!d)
        return cJSON_CreateNull();
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "id", d->id);
    (void)cJSON_AddStringToObject(o, "software", d->software);
    (void)cJSON_AddStringToObject(o, "versions", d->versions);
    (void)cJSON_AddStringToObject(o, "text", d->text);
    (void)cJSON_AddStringToObject(o, "reference", d->reference);
    return o;
}

static cJSON *link_status(const struct lab *lab, const struct matrix_link *l, usec_t now) {
    const struct node_def *nodes = lab->plan->topology->nodes.items;
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "from", nodes[l->from].name);
    (void)cJSON_AddStringToObject(o, "to", nodes[l->to].name);
    (void)cJSON_AddStringToObject(o, "path", net_path_name(l->path));
    (void)cJSON_AddBoolToObject(o, "known", l->known);
    (void)cJSON_AddBoolToObject(o, "intended", l->intended);
    (void)cJSON_AddBoolToObject(o, "measured", l->measured);
    (void)cJSON_AddBoolToObject(o, "refused", l->refused);
    (void)cJSON_AddNumberToObject(o, "rtt_us", (double)l->rtt);
    add_age(o, "differs_ms", now, l->differs);
    return o;
}

static cJSON *steps_status(const struct lab *lab) {
    cJSON *steps = cJSON_CreateArray();
    for (size_t i = 0; i < lab->plan->steps.n && lab->o->lab->scenario; i++) {
        char words[EVENT_TEXT_MAX];
        cJSON *o = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(o, "name", lab->plan->steps.items[i].name);
        (void)cJSON_AddStringToObject(o, "state", engine_step_state(lab->engine, i));
        (void)cJSON_AddStringToObject(o, "text", engine_step_words(lab->engine, i, words, sizeof words));
        (void)cJSON_AddItemToArray(steps, o);
    }
    return steps;
}

// What the system that manages the cluster is called, and what it calls leadership.
static cJSON *stack_status(const struct ha_kind *kind) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "name", kind->name);
    (void)cJSON_AddStringToObject(o, "title", kind->title);
    (void)cJSON_AddStringToObject(o, "lead", kind->lead);
    return o;
}

cJSON *lab_status(const struct lab *lab) {
    const struct model *m = engine_model(lab->engine);
    usec_t now = sink_now(&lab->sink);
    char why[EVENT_TEXT_MAX] = "", waiting[EVENT_TEXT_MAX] = "";
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "lab", lab->o->name);
    (void)cJSON_AddStringToObject(o, "state", lab_state_name(lab->state));
    (void)cJSON_AddStringToObject(o, "scenario", lab->plan->name ? lab->plan->name : "");
    (void)cJSON_AddStringToObject(o, "topology", lab->plan->topology->name ? lab->plan->topology->name : "");
    (void)cJSON_AddStringToObject(o, "run_dir", lab->o->lab->run_dir);
    (void)cJSON_AddNumberToObject(o, "supervisor_pid", lab->o->host_pid);
    (void)cJSON_AddNumberToObject(o, "time_ms", (double)(now / MSEC));
    (void)cJSON_AddBoolToObject(o, "healthy", model_healthy(m, why, sizeof why));
    (void)cJSON_AddStringToObject(o, "why", why);
    (void)cJSON_AddBoolToObject(o, "diverged", model_divergence(m, NULL, 0) == DOUBT_AHEAD);
    (void)cJSON_AddItemToObject(o, "known_defect", defect_status(model_divergence_defect(m)));
    (void)cJSON_AddBoolToObject(o, "complete", model_complete(m, why, sizeof why));
    (void)cJSON_AddStringToObject(o, "missing", why);
    (void)cJSON_AddStringToObject(
        o, "waiting_for", lab->o->lab->scenario ? engine_waiting_for(lab->engine, waiting, sizeof waiting) : "");
    (void)cJSON_AddBoolToObject(o, "held", engine_held(lab->engine));
    (void)cJSON_AddBoolToObject(o, "stands", engine_stands(lab->engine));
    (void)cJSON_AddItemToObject(o, "steps", steps_status(lab));
    (void)cJSON_AddStringToObject(o, "leader", m->leader);
    (void)cJSON_AddItemToObject(o, "stack", stack_status(m->kind));
    if (m->lease_renewed && m->lease_ttl && m->leader[0]) {
        usec_t end = m->lease_renewed + m->lease_ttl;
        (void)cJSON_AddNumberToObject(o, "lease_left_ms", end > now ? (double)((end - now) / MSEC) : 0);
    } else
        (void)cJSON_AddNullToObject(o, "lease_left_ms");
    cJSON *nodes = cJSON_AddArrayToObject(o, "nodes");
    for (size_t i = 0; i < m->n_nodes; i++)
        (void)cJSON_AddItemToArray(nodes, node_status(m, &m->nodes[i], now));
    (void)cJSON_AddItemToObject(o, "client", client_status(m, now));
    cJSON *faults = cJSON_AddArrayToObject(o, "faults");
    for (size_t i = 0; i < m->n_faults; i++)
        (void)cJSON_AddItemToArray(faults, fault_status(&m->faults[i]));
    cJSON *links = cJSON_AddArrayToObject(o, "links");
    const struct matrix_link *l;
    for (size_t i = 0; (l = matrix_link(lab->matrix, i)); i++)
        (void)cJSON_AddItemToArray(links, link_status(lab, l, now));
    cJSON *actions = cJSON_AddArrayToObject(o, "actions");
    VEC_FOREACH (&lab->actions, a)
        (void)cJSON_AddItemToArray(actions, action_status(a));
    return o;
}
