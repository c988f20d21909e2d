// SPDX-License-Identifier: PostgreSQL
#include "injector/net/net_cuts.h"

#include "injector/net/net_rejects.h"
#include "injector/relay/shaper.h"

void net_cuts_free(struct net_cuts *c) {
    if (!c)
        return;
    net_rejects_free(c->rejects);
    VEC_DONE(&c->cuts);
    free(c);
}

static struct net_cut *find(const struct net_cuts *c, const struct net_flow *flow) {
    VEC_FOREACH (&c->cuts, cut)
        if (flow_same(&cut->flow, flow))
            return cut;
    return NULL;
}

static unsigned holders(const struct net_cut *cut) {
    unsigned n = 0;
    for (size_t i = 0; i < NET_ANSWERS; i++)
        n += cut->faults[i];
    return n;
}

void net_cuts_add(struct net_cuts *c, const flow_list *l, enum net_answer answer) {
    VEC_FOREACH (l, f) {
        struct net_cut *cut = find(c, f);
        if (!cut) {
            cut = VEC_ADD(&c->cuts);
            cut->flow = *f;
        }
        cut->faults[answer]++;
    }
}

void net_cuts_remove(struct net_cuts *c, const flow_list *l, enum net_answer answer) {
    VEC_FOREACH (l, f) {
        struct net_cut *cut = find(c, f);
        if (cut && cut->faults[answer])
            cut->faults[answer]--;
    }
    size_t kept = 0;
    for (size_t i = 0; i < c->cuts.n; i++)
        if (holders(&c->cuts.items[i]))
            c->cuts.items[kept++] = c->cuts.items[i];
    c->cuts.n = kept;
}

bool net_cuts_has(const struct net_cuts *c, const struct net_flow *flow) {
    VEC_FOREACH (&c->cuts, cut)
        if (flow_covers(&cut->flow, flow))
            return true;
    return false;
}

enum net_answer net_cuts_answer(const struct net_cuts *c, const struct net_flow *flow) {
    VEC_FOREACH (&c->cuts, cut)
        for (int a = NET_RESET; flow_covers(&cut->flow, flow) && a < NET_ANSWERS; a++)
            if (cut->faults[a])
                return (enum net_answer)a;
    return NET_SILENCE;
}

// A cut that another one covers adds nothing; the switch wants no two that differ in size alone.
static bool covered(const struct net_cuts *c, const struct net_cut *cut) {
    VEC_FOREACH (&c->cuts, other)
        if (other != cut && flow_covers(&other->flow, &cut->flow))
            return true;
    return false;
}

int net_cuts_commit(const struct fault_world *w, struct err *err) {
    VEC(struct switch_cut) cuts = {0};
    const struct node_def *nodes = w->topology->nodes.items;
    VEC_FOREACH (&w->cuts->cuts, cut) {
        if (covered(w->cuts, cut))
            continue;
        struct switch_cut *s = VEC_ADD(&cuts);
        STR_COPY(s->from, nodes[cut->flow.from].name);
        STR_COPY(s->to, nodes[cut->flow.to].name);
        s->side = cut->flow.side;
        s->port = cut->flow.port;
        s->over = cut->flow.over;
    }
    int r = switch_set_cuts(w->sw, cuts.items, cuts.n, err);
    VEC_DONE(&cuts);
    if (r >= 0)
        r = net_rejects_commit(w, err);
    return r;
}

bool net_flow_open(const struct fault_world *w, const struct net_flow *flow) {
    int from = flow->from, to = flow->to;
    return w->nodes[from] && w->nodes[to] && node_is_on(w->nodes[from]) && node_is_on(w->nodes[to]) &&
           !w->cuts->link_down[from] && !w->cuts->link_down[to] && !net_cuts_has(w->cuts, flow) &&
           !shaper_jams(w->shaper, flow);
}

static bool reach_open(const void *arg, const struct net_flow *flow) {
    return net_flow_open(arg, flow);
}

static bool reach_resets(const void *arg, const struct net_flow *flow) {
    const struct fault_world *w = arg;
    return net_cuts_answer(w->cuts, flow) == NET_RESET;
}

struct reach net_cuts_reach(const struct fault_world *w) {
    return (struct reach){.loop = w->loop,
                          .sink = w->sink,
                          .topology = w->topology,
                          .nodes = w->nodes,
                          .open = reach_open,
                          .resets = reach_resets,
                          .arg = w};
}
