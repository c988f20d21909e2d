// SPDX-License-Identifier: PostgreSQL
#include "injector/net_cuts.h"

size_t pair_count(const struct pair_set *s) {
    size_t n = 0;
    for (int i = 0; i < NODES_MAX; i++)
        n += (size_t)__builtin_popcount(s->to[i]);
    return n;
}

void pair_text(const struct topology *t, const struct pair_set *s, struct strbuf *out) {
    enum { SHOWN = 8 };
    size_t n = 0;
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++) {
            bool both = pair_has(s, i, j) && pair_has(s, j, i);
            if (!pair_has(s, i, j) || (both && j < i))
                continue;
            if (n++ < SHOWN)
                strbuf_addf(out, "%s%s%s%s", n > 1 ? ", " : "", t->nodes.items[i].name, both ? "<->" : "->",
                            t->nodes.items[j].name);
        }
    if (n > SHOWN)
        strbuf_addf(out, " and %zu more", n - SHOWN);
}

void pair_around(const struct fault *f, struct pair_set *out) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        int i = fault_world_index(f->world, f->nodes[k]);
        for (int j = 0; i >= 0 && j < (int)f->world->topology->nodes.n; j++) {
            if (j == i)
                continue;
            pair_add(out, i, j);
            pair_add(out, j, i);
        }
    }
}

void net_cuts_add(struct net_cuts *c, const struct pair_set *s) {
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(s, i, j))
                c->cut[i][j]++;
}

void net_cuts_remove(struct net_cuts *c, const struct pair_set *s) {
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(s, i, j) && c->cut[i][j])
                c->cut[i][j]--;
}

bool net_cuts_has(const struct net_cuts *c, int from, int to) {
    return c->cut[from][to] > 0;
}

int net_cuts_commit(const struct fault_world *w, struct err *err) {
    struct switch_cut cuts[NODES_MAX * NODES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < w->topology->nodes.n; i++)
        for (size_t j = 0; j < w->topology->nodes.n; j++) {
            if (!w->cuts->cut[i][j])
                continue;
            STR_COPY(cuts[n].from, w->topology->nodes.items[i].name);
            STR_COPY(cuts[n].to, w->topology->nodes.items[j].name);
            n++;
        }
    return switch_set_cuts(w->sw, cuts, n, err);
}

bool net_path_open(const struct fault_world *w, int from, int to) {
    return w->nodes[from] && w->nodes[to] && node_is_on(w->nodes[from]) && node_is_on(w->nodes[to]) &&
           !w->cuts->link_down[from] && !w->cuts->link_down[to] && !net_cuts_has(w->cuts, from, to);
}
