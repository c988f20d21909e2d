// SPDX-License-Identifier: PostgreSQL
#pragma once
// The cuts and the links held down, counted: overlapping faults compose, and each heals without opening what another
// one still holds. A pair is directed and named by indices into topology->nodes.
#include "injector/fault.h"

_Static_assert(NODES_MAX <= 16, "pair_set has 16 bits a row");
struct pair_set {
    uint16_t to[NODES_MAX]; // bit j of to[i]: frames from node i to node j
};
static inline void pair_add(struct pair_set *s, int from, int to) {
    s->to[from] |= (uint16_t)(1u << to);
}
static inline bool pair_has(const struct pair_set *s, int from, int to) {
    return s->to[from] >> to & 1;
}
size_t pair_count(const struct pair_set *s);
// "n1<->n2, n1->app": at most the first eight, then "and 4 more".
void pair_text(const struct topology *t, const struct pair_set *s, struct strbuf *out);
// The pairs between the nodes of the fault and all others (and among the former, when they are several).
void pair_around(const struct fault *f, struct pair_set *out);

struct net_cuts {
    uint16_t cut[NODES_MAX][NODES_MAX]; // faults that hold from -> to
    uint16_t link_down[NODES_MAX];      // faults that hold the node's link down
};
void net_cuts_add(struct net_cuts *c, const struct pair_set *s);
void net_cuts_remove(struct net_cuts *c, const struct pair_set *s); // pairs held by nobody are left alone
bool net_cuts_has(const struct net_cuts *c, int from, int to);

// Makes the switch what the counts say, in one transaction.
int net_cuts_commit(const struct fault_world *w, struct err *err);
// Both nodes on, no link held down, no cut: a frame should get through.
bool net_path_open(const struct fault_world *w, int from, int to);
