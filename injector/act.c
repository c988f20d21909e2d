// SPDX-License-Identifier: PostgreSQL
// The actions of this room. Undoing what a live fault did is healing it: the fault's own events tell so, and it is no
// longer in force. What no fault of ours did (a student's kill -STOP) is undone directly. The happy path: faults that
// the target covers wholly are healed, the rest is done by hand, and when all of that is over: "done".
#include <signal.h>

#include "injector/catalogue.h"
#include "injector/live.h"
#include "injector/net/net_cuts.h"
#include "injector/node/faults.h"
#include "injector/process/faults.h"
#include "injector/process/frozen.h"
#include "injector/process/salvo.h"
#include "lab/node/places.h"

struct act {
    struct injector *in;
    char id[EVENT_NAME_MAX], action[EVENT_NAME_MAX];
    VEC(struct live *) healing; // borrowed: lives stay until the injector goes
    struct salvo *salvo;
    struct retry *retry;
    struct strbuf text;
};

void act_free(struct act *a) {
    salvo_drop(&a->salvo);
    retry_stop(&a->retry);
    VEC_DONE(&a->healing);
    strbuf_done(&a->text);
    free(a);
}

static void emit_action(struct act *a, enum action_phase phase, const char *detail) {
    struct event ev = EVENT_NEW(ACTION);
    STR_COPY(ev.u.ACTION.id, a->id);
    STR_COPY(ev.u.ACTION.action, a->action);
    ev.u.ACTION.phase = phase;
    STR_COPY(ev.u.ACTION.detail, detail);
    sink_emit(a->in->world->sink, &ev);
}

static bool all_healed(void *arg) {
    const struct act *a = arg;
    for (size_t i = 0; i < a->healing.n; i++)
        if (live_in_force(a->healing.items[i]) || a->healing.items[i]->stage == STAGE_CHECKING)
            if (a->healing.items[i]->stage != STAGE_STUCK)
                return false;
    return !a->salvo;
}

static void on_over(void *arg, bool met) {
    struct act *a = arg;
    for (size_t i = 0; i < a->healing.n; i++)
        if (a->healing.items[i]->stage != STAGE_HEALED)
            met = false;
    emit_action(a, met ? ACTION_PHASE_DONE : ACTION_PHASE_FAILED,
                met ? strbuf_str(&a->text) : "not everything came back; see the faults' own events");
}

static bool has_node(char (*nodes)[NODE_NAME_MAX], size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(nodes[i], name))
            return true;
    return false;
}

static bool covers_all(char (*nodes)[NODE_NAME_MAX], size_t n, const struct fault *f) {
    for (size_t i = 0; i < f->n_nodes; i++)
        if (!has_node(nodes, n, f->nodes[i]))
            return false;
    return true;
}

static void heal_covered(struct act *a, const struct fault_ops *ops, const char *service, char (*nodes)[NODE_NAME_MAX],
                         size_t n) {
    for (size_t i = a->in->lives.n; i-- > 0;) {
        struct live *lv = a->in->lives.items[i];
        if (lv->f.ops != ops || !live_in_force(lv) || !covers_all(nodes, n, &lv->f))
            continue;
        if (service && !str_eq(service, "any") && !str_eq(service, fault_param(&lv->f, "service")))
            continue;
        VEC_PUSH(&a->healing, lv);
        strbuf_addf(&a->text, "%shealed %s", a->text.len ? ", " : "", lv->f.id);
    }
    for (size_t i = 0; i < a->healing.n; i++)
        injection_heal(a->healing.items[i]);
}

// ---- process.resume ------------------------------------------------------------------------------------------------

static bool by_healing(const struct act *a, const struct victim *v) {
    for (size_t i = 0; i < a->healing.n; i++)
        if (has_node(a->healing.items[i]->f.nodes, a->healing.items[i]->f.n_nodes, node_name(v->node)))
            return true;
    return false;
}

static void collect_frozen(const struct act *a, struct node *n, const char *service, victim_list *out) {
    static const char *const services[] = {"patroni", "postgres", "etcd", "haproxy"};
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        struct victim root = {.node = n};
        if (!str_eq(service, "any") && !str_eq(service, services[i]))
            continue;
        int64_t pid =
            str_eq(services[i], "postgres") ? node_postmaster_pid(n, STACK_PGDATA) : node_service_pid(n, services[i]);
        if (pid <= 0 || process_read(n, pid, &root.process) < 0)
            continue;
        STR_COPY(root.what, services[i]);
        victim_list roots = {0}, all = {0};
        VEC_PUSH(&roots, root);
        (void)victims_with_children(&roots, &all, NULL);
        bool any = false; // then those in state D too: their SIGSTOP may still be before them
        for (size_t k = 0; k < all.n; k++)
            any = any || all.items[k].process.state == 'T';
        for (size_t k = 0; k < all.n; k++)
            if (any && strchr("TD", all.items[k].process.state) && !by_healing(a, &all.items[k]))
                VEC_PUSH(out, all.items[k]);
        VEC_DONE(&roots);
        VEC_DONE(&all);
    }
}

static void on_continued(void *arg, struct salvo *salvo) {
    struct act *a = arg;
    strbuf_addf(&a->text, "%sSIGCONT sent to %zu", a->text.len ? ", " : "", salvo->shots.n);
    salvo_drop(&a->salvo);
}

static int resume(struct act *a, char (*nodes)[NODE_NAME_MAX], size_t n, const char *service) {
    victim_list frozen = {0};
    heal_covered(a, &process_pause_fault, service ? service : "any", nodes, n);
    for (size_t i = 0; i < n; i++) {
        struct node *node = fault_world_node(a->in->world, nodes[i]);
        if (node && node_is_on(node))
            collect_frozen(a, node, service ? service : "any", &frozen);
    }
    if (frozen.n)
        salvo_fire(&frozen, SIGCONT, false, false, on_continued, a, &a->salvo);
    VEC_DONE(&frozen);
    return 0;
}

// ---- node.power_on, service.start ----------------------------------------------------------------------------------

static int boot(struct act *a, const char *name, struct err *err) {
    struct fault_world *w = a->in->world;
    int i = fault_world_index(w, name);
    if (node_is_on(w->nodes[i]))
        return 0;
    int r = node_power_on(w->nodes[i], err);
    if (r >= 0)
        r = switch_port_set(w->sw, name, !w->cuts->link_down[i], err);
    if (r >= 0 && w->start_services)
        r = w->start_services(w->arg, name, NULL, err);
    strbuf_addf(&a->text, "%s%s powered on", a->text.len ? ", " : "", name);
    return r;
}

static int power_on(struct act *a, char (*nodes)[NODE_NAME_MAX], size_t n, struct err *err) {
    heal_covered(a, &node_power_off_fault, NULL, nodes, n);
    for (size_t i = 0; i < n; i++) {
        int r = boot(a, nodes[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int start(struct act *a, char (*nodes)[NODE_NAME_MAX], size_t n, const char *service, struct err *err) {
    struct fault_world *w = a->in->world;
    if (!service)
        return err_set(err, EINVAL, "service.start needs the parameter 'service'");
    if (!w->start_services)
        return err_set(err, ENOSYS, "this lab can't start services");
    for (size_t i = 0; i < n; i++) {
        int r = w->start_services(w->arg, nodes[i], service, err);
        if (r < 0)
            return r;
        strbuf_addf(&a->text, "%s%s started on %s", a->text.len ? ", " : "", service, nodes[i]);
    }
    return 0;
}

static int check_nodes(const struct injector *in, char (*nodes)[NODE_NAME_MAX], size_t n, struct err *err) {
    for (size_t i = 0; i < n; i++)
        if (!fault_world_node(in->world, nodes[i]))
            return err_set(err, ENOENT, "there is no node '%s'", nodes[i]);
    return n ? 0 : err_set(err, ENOENT, "no node is meant now");
}

static const char *value_of(const setting_list *params, const char *name) {
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, name))
            return params->items[i].value;
    return NULL;
}

static int begin(struct act *a, char (*nodes)[NODE_NAME_MAX], size_t n, const setting_list *params, struct err *err) {
    int r = check_nodes(a->in, nodes, n, err);
    if (r < 0)
        return r;
    if (str_eq(a->action, "process.resume"))
        return resume(a, nodes, n, value_of(params, "service"));
    if (str_eq(a->action, "node.power_on"))
        return power_on(a, nodes, n, err);
    return start(a, nodes, n, value_of(params, "service"), err);
}

int injector_act(struct injector *in, const char *id, const char *action, char (*nodes)[NODE_NAME_MAX], size_t n_nodes,
                 const setting_list *params, struct err *err) {
    const struct action_row *row = action_find(action);
    if (row && row->errand.fn)
        return errand_act_start(in, id, &row->about, &row->errand, row->patience ? row->patience : MINUTE, nodes,
                                n_nodes, params, err);
    if (!str_eq(action, "process.resume") && !str_eq(action, "node.power_on") && !str_eq(action, "service.start"))
        return err_set(err, ENOENT, "%s is not an action of the injector", action);
    struct err why = {0};
    struct act *a = xcalloc(1, sizeof *a);
    a->in = in;
    STR_COPY(a->id, id);
    STR_COPY(a->action, action);
    VEC_PUSH(&in->acts, a);
    int r = begin(a, nodes, n_nodes, params, &why);
    if (r >= 0)
        r = retry_start(in->world->loop, 2 * MSEC, MINUTE, all_healed, on_over, a, &a->retry, &why);
    if (r < 0)
        emit_action(a, ACTION_PHASE_FAILED, why.msg);
    return 0;
}
