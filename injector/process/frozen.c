// SPDX-License-Identifier: PostgreSQL
#include "injector/process/frozen.h"

struct hold {
    const struct node *node;
    int64_t pid;
    uint64_t start; // pid alone would also name a process of the next boot
    unsigned count;
};
struct frozen {
    VEC(struct hold) holds;
};

struct frozen *frozen_new(void) {
    return xcalloc(1, sizeof(struct frozen));
}

void frozen_free(struct frozen *z) {
    if (!z)
        return;
    VEC_DONE(&z->holds);
    free(z);
}

static struct hold *find(const struct frozen *z, const struct victim *v) {
    for (size_t i = 0; i < z->holds.n; i++) {
        struct hold *h = &z->holds.items[i];
        if (h->node == v->node && h->pid == v->process.pid && h->start == v->process.start)
            return h;
    }
    return NULL;
}

void frozen_hold(struct frozen *z, const struct victim *v) {
    struct hold *h = find(z, v);
    if (!h) {
        h = VEC_ADD(&z->holds);
        *h = (struct hold){.node = v->node, .pid = v->process.pid, .start = v->process.start};
    }
    h->count++;
}

void frozen_release(struct frozen *z, const struct victim *v) {
    struct hold *h = find(z, v);
    if (!h)
        return;
    if (--h->count == 0)
        *h = z->holds.items[--z->holds.n];
}

bool frozen_held(const struct frozen *z, const struct victim *v) {
    return find(z, v) != NULL;
}
