// SPDX-License-Identifier: PostgreSQL
// The room's front door, and the table of the systems.
#include "lab/node/places.h"
#include "lab/stack/internal.h"

static const struct stack_ops *const systems[] = {&patroni_ops};

const struct stack_ops *stack_ops_find(const char *name, struct err *err) {
    cleanup_strbuf struct strbuf known = {0};
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
        if (str_empty(name) || str_eq(systems[i]->name, name))
            return systems[i];
        strbuf_addf(&known, "%s%s", i ? ", " : "", systems[i]->name);
    }
    (void)err_set(err, EINVAL, "unknown stack '%s'; known: %s", name, strbuf_str(&known));
    return NULL;
}

int stack_new(const struct stack_options *o, struct stack **ret, struct err *err) {
    const struct stack_ops *ops = stack_ops_find(o->topology->stack, err);
    int r = ops ? ops->check(o->topology, err) : -EINVAL;
    if (r < 0)
        return r;
    const struct node_def *leader = conf_first_leader(o->topology);
    struct stack *s = xcalloc(1, sizeof *s);
    s->o = *o;
    s->ops = ops;
    s->conf = (struct conf){.ops = ops, .topology = o->topology, .paths = o->paths};
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

// A service that another one carries is that one's to start: with Patroni running there is nothing for us to do about "postgres".
static bool is_wanted(const struct stack_service *row, const char *name) {
    return str_empty(name) || str_eq(row->name, name) || (row->carries && str_eq(row->carries, name));
}

static bool runs(const struct stack *s, size_t i, const char *service) {
    for (size_t k = 0; k < s->ops->n_services; k++)
        if (is_wanted(&s->ops->services[k], service) && s->ops->services[k].service & stack_def(s, i)->services)
            return true;
    return str_empty(service);
}

int stack_start_services(struct stack *s, const char *node, const char *service, struct err *err) {
    size_t i = 0;
    int r = node_index(s, node, &i, err);
    if (r < 0)
        return r;
    if (!runs(s, i, service))
        return err_set(err, EINVAL, "%s runs no service '%s'", node, service);
    if (!node_is_on(s->o.nodes[i]))
        return err_set(err, EHOSTDOWN, "%s is powered off", node);
    service_boot(s->o.nodes[i]);
    for (size_t k = 0; k < s->ops->n_services && r == 0; k++) {
        const struct stack_service *row = &s->ops->services[k];
        if (!is_wanted(row, service) || !(row->service & stack_def(s, i)->services))
            continue;
        if (str_eq(row->name, s->ops->manager))
            service_forget_postmaster(s, s->o.nodes[i]);
        r = row->start(s, i, err);
    }
    return r;
}
