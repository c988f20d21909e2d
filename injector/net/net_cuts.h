// SPDX-License-Identifier: PostgreSQL
#pragma once
// The cuts and the links held down, counted: overlapping faults compose, and each heals without opening what another
// one still holds.
#include "injector/net/flows.h"

struct net_cut {
    struct net_flow flow;
    unsigned drops;   // faults that have its frames vanish
    unsigned rejects; // faults that have them vanish and answered with an error
};
struct net_cuts {
    VEC(struct net_cut) cuts;
    uint16_t link_down[NODES_MAX]; // faults that hold the node's link down
};
void net_cuts_free(struct net_cuts *c); // NULL is fine

void net_cuts_add(struct net_cuts *c, const flow_list *l);
void net_cuts_remove(struct net_cuts *c, const flow_list *l); // flows held by nobody are left alone
// Is every frame of the flow dropped?
bool net_cuts_has(const struct net_cuts *c, const struct net_flow *flow);

// Makes the switch what the counts say, in one transaction: all flows at the same instant.
int net_cuts_commit(const struct fault_world *w, struct err *err);
// Both nodes on, no link held down, no cut: a small frame of this flow should get through (for a flow with a size: one of
// more than that).
bool net_flow_open(const struct fault_world *w, const struct net_flow *flow);
