// SPDX-License-Identifier: PostgreSQL
#include "injector/fault/fault.h"

#include "injector/fault/check.h"
#include "lab/base/random.h"

int fault_world_index(const struct fault_world *w, const char *name) {
    for (size_t i = 0; i < w->topology->nodes.n; i++)
        if (str_eq(w->topology->nodes.items[i].name, name))
            return (int)i;
    return -1;
}

struct node *fault_world_node(const struct fault_world *w, const char *name) {
    int i = fault_world_index(w, name);
    return i < 0 ? NULL : w->nodes[i];
}

const char *fault_param(const struct fault *f, const char *name) {
    return mechanism_param(&f->ops->about, f->params, name);
}

uint64_t fault_draw(const struct fault *f, uint64_t nth) {
    uint64_t x = splitmix64(f->world->seed);
    for (const char *p = f->id; *p; p++)
        x = splitmix64(x ^ (uint8_t)*p);
    return splitmix64(x + nth);
}

void fault_broke(struct fault *f, const char *text) {
    f->world->broke(f, text);
}
