// SPDX-License-Identifier: PostgreSQL
#pragma once
// Sets of directed pairs of nodes, named by indices into topology->nodes.
#include "lab/base/str.h"
#include "lab/topology/topology.h"

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
// "n1<->n2, n1->app": at most the first eight, then "and 4 more".
void pair_text(const struct topology *t, const struct pair_set *s, struct strbuf *out);
