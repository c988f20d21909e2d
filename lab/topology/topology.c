// SPDX-License-Identifier: PostgreSQL
#include "lab/topology/topology.h"

const struct node_def *topology_node(const struct topology *t, const char *name) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].name, name))
            return &t->nodes.items[i];
    return NULL;
}

const char *topology_image(const struct topology *t, const struct node_def *n) {
    const char *image = *n->image ? n->image : t->image;
    return *image ? image : "host";
}

size_t topology_count(const struct topology *t, unsigned services) {
    size_t n = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        n += (t->nodes.items[i].services & services) == services;
    return n;
}

static void settings_free(struct setting *items, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(items[i].key);
        free(items[i].value);
    }
    free(items);
}

void topology_free(struct topology *t) {
    if (!t)
        return;
    free(t->name);
    free(t->title);
    free(t->stack);
    VEC_DONE(&t->nodes);
    settings_free(t->postgresql.items, t->postgresql.n);
    settings_free(t->etcd.items, t->etcd.n);
    settings_free(t->haproxy.items, t->haproxy.n);
    free(t);
}

const char *watchdog_mode_name(enum watchdog_mode mode) {
    static const char *const names[] = {"unset", "off", "automatic", "required"};
    return names[mode];
}
