// SPDX-License-Identifier: PostgreSQL
// What an administrator does, as opposed to what breaks: cluster.switchover through the REST API, as patronictl does
// (patroni/ctl.py, _do_failover_or_switchover: POST /switchover); power on, resume and start are the injector's, because they undo
// what faults do.
#include "lab/supervisor/internal.h"

// Patroni answers POST /switchover once it is over or its own wait has run out (patroni/api.py, poll_failover_result:
// loop_wait and then some); shutdown checkpoints come on top.
static const usec_t SWITCHOVER_DEADLINE = 90 * SEC;

struct pending {
    struct lab *lab;
    char id[EVENT_NAME_MAX], action[EVENT_NAME_MAX];
};

void lab_keep_action(struct lab *lab, const struct event *ev) {
    struct action_state *a = NULL;
    VEC_FOREACH (&lab->actions, known)
        if (str_eq(known->id, ev->u.ACTION.id))
            a = known;
    if (!a && lab->actions.n == ACTIONS_KEPT)
        VEC_REMOVE(&lab->actions, 0);
    if (!a)
        a = VEC_ADD(&lab->actions);
    STR_COPY(a->id, ev->u.ACTION.id);
    STR_COPY(a->action, ev->u.ACTION.action);
    a->phase = ev->u.ACTION.phase;
    STR_COPY(a->detail, ev->u.ACTION.detail);
}

static void tell(struct lab *lab, const char *id, const char *action, enum action_phase phase, const char *detail) {
    struct event ev = EVENT_NEW(ACTION);
    STR_COPY(ev.u.ACTION.id, id);
    STR_COPY(ev.u.ACTION.action, action);
    ev.u.ACTION.phase = phase;
    STR_COPY(ev.u.ACTION.detail, detail);
    sink_emit(&lab->sink, &ev);
}

static const char *param(const setting_list *params, const char *key) {
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, key))
            return params->items[i].value;
    return NULL;
}

static void on_switchover(void *arg, int status, const char *body) {
    cleanup_free struct pending *p = arg;
    const char *manager = engine_model(p->lab->engine)->kind->title;
    char detail[EVENT_TEXT_MAX];
    if (status == 200)
        (void)snprintf(detail, sizeof detail, "%s", body ? body : "");
    else if (status == 0)
        (void)snprintf(detail, sizeof detail, "%s gave no answer", manager);
    else
        (void)snprintf(detail, sizeof detail, "%s refused (HTTP %d): %s", manager, status, body ? body : "");
    tell(p->lab, p->id, p->action, status == 200 ? ACTION_PHASE_DONE : ACTION_PHASE_FAILED, detail);
}

static void switchover(struct lab *lab, const char *id, const char *action, const setting_list *params) {
    const struct model_node *leader = model_leader(engine_model(lab->engine));
    if (!leader) {
        tell(lab, id, action, ACTION_PHASE_FAILED, "there is no leader to switch over from");
        return;
    }
    struct pending *p = xcalloc(1, sizeof *p);
    p->lab = lab;
    STR_COPY(p->id, id);
    STR_COPY(p->action, action);
    struct err err = {0};
    if (observer_switchover(lab->observer, leader->name, param(params, "candidate"), SWITCHOVER_DEADLINE, on_switchover,
                            p, &err) < 0) {
        free(p);
        tell(lab, id, action, ACTION_PHASE_FAILED, err.msg);
    }
}

static void set_rate(struct lab *lab, const char *id, const char *action, const setting_list *params) {
    struct err err = {0};
    char detail[EVENT_TEXT_MAX];
    double rate = strtod(param(params, "writes") ? param(params, "writes") : "", NULL),
           begun = lab->plan->workload.writes_per_s;
    if (!lab->workload)
        (void)err_set(&err, ESRCH, "no application runs");
    else if (rate < begun || rate > 5000) // measures count on the rate the run began with as their resolution
        (void)err_set(&err, ERANGE, "between %.0f (what the run began with: its resolution) and 5000 writes a second",
                      begun);
    else
        (void)workload_set_rate(lab->workload, rate, &err);
    (void)snprintf(detail, sizeof detail, "%.0f writes a second from now on", rate);
    tell(lab, id, action, err.code ? ACTION_PHASE_FAILED : ACTION_PHASE_DONE, err.code ? err.msg : detail);
}

void lab_action(struct lab *lab, const char *id, const char *action, char (*nodes)[NODE_NAME_MAX], size_t n,
                const setting_list *params) {
    struct err err = {0};
    tell(lab, id, action, ACTION_PHASE_ASKED, "");
    if (str_eq(action, "cluster.switchover"))
        switchover(lab, id, action, params);
    else if (str_eq(action, "workload.rate"))
        set_rate(lab, id, action, params);
    else if (injector_act(lab->injector, id, action, nodes, n, params, &err) < 0)
        tell(lab, id, action, ACTION_PHASE_FAILED, err.msg);
}
