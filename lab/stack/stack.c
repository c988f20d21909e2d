// SPDX-License-Identifier: PostgreSQL
// The room's front door. One system so far; see stack.h.
#include "lab/node/places.h"
#include "lab/stack/internal.h"

int stack_new(const struct stack_options *o, struct stack **ret, struct err *err) {
    if (!str_empty(o->topology->stack) && !str_eq(o->topology->stack, "patroni"))
        return err_set(err, EINVAL, "unknown stack '%s': only 'patroni' exists", o->topology->stack);
    const struct node_def *leader = conf_first_leader(o->topology);
    if (!leader && topology_count(o->topology, SERVICE_POSTGRES) > 0)
        return err_set(err, EINVAL, "no node may become leader: every PostgreSQL node has the tag nofailover");
    if (leader && topology_count(o->topology, SERVICE_ETCD) == 0)
        return err_set(err, EINVAL, "no node runs etcd: Patroni needs one to store its state in");
    struct stack *s = xcalloc(1, sizeof *s);
    s->o = *o;
    s->conf = (struct conf){.topology = o->topology, .paths = o->paths};
    s->has_leader = leader;
    if (leader)
        s->leader = (size_t)(leader - o->topology->nodes.items);
    *ret = s;
    return 0;
}

void stack_free(struct stack *s) {
    if (!s)
        return;
    start_end(s);
    template_free(s->worker);
    free(s);
}

int stack_start(struct stack *s, struct err *err) {
    return start_begin(s, err);
}

void stack_on_event(struct stack *s, const struct event *ev, const struct model *m) {
    start_on_event(s, ev, m);
}

bool stack_was_warm(const struct stack *s) {
    return s->warm;
}

static int node_index(const struct stack *s, const char *node, size_t *ret, struct err *err) {
    for (size_t i = 0; i < stack_count(s); i++)
        if (str_eq(stack_def(s, i)->name, node)) {
            *ret = i;
            return 0;
        }
    return err_set(err, ENOENT, "no node '%s' in this lab", node);
}

// "postgres" is Patroni's to start: with Patroni running there is nothing for us to do.
static unsigned wanted_services(const char *service) {
    if (str_empty(service))
        return SERVICE_ETCD | SERVICE_POSTGRES | SERVICE_HAPROXY;
    if (str_eq(service, "etcd"))
        return SERVICE_ETCD;
    if (str_eq(service, "patroni") || str_eq(service, "postgres"))
        return SERVICE_POSTGRES;
    return str_eq(service, "haproxy") ? SERVICE_HAPROXY : 0;
}

int stack_start_services(struct stack *s, const char *node, const char *service, struct err *err) {
    size_t i = 0;
    int r = node_index(s, node, &i, err);
    if (r < 0)
        return r;
    unsigned wanted = wanted_services(service), has = stack_def(s, i)->services;
    if (wanted == 0 || (!str_empty(service) && !(wanted & has)))
        return err_set(err, EINVAL, "%s runs no service '%s'", node, service);
    if (!node_is_on(s->o.nodes[i]))
        return err_set(err, EHOSTDOWN, "%s is powered off", node);
    service_boot(s->o.nodes[i]);
    if (wanted & has & SERVICE_POSTGRES)
        service_forget_postmaster(s->o.nodes[i]);
    if (wanted & has & SERVICE_ETCD)
        r = service_etcd(s, i, err);
    if (r == 0 && (wanted & has & SERVICE_POSTGRES))
        r = service_patroni(s, i, err);
    if (r == 0 && (wanted & has & SERVICE_HAPROXY))
        r = service_haproxy(s, i, err);
    return r;
}
