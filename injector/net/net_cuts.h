// SPDX-License-Identifier: PostgreSQL
#pragma once
// The cuts and the links held down, counted: overlapping faults compose, and each heals without opening what another
// one still holds.
#include "injector/fault/fault.h"
#include "lab/reach/reach.h"

// What becomes of a frame that is cut: it vanishes in silence, or the switch answers in the name of its receiver.
enum net_answer { NET_SILENCE, NET_RESET, NET_ICMP_PORT, NET_ICMP_HOST, NET_ICMP_ADMIN, NET_ANSWERS };

struct net_cut {
    struct net_flow flow;
    unsigned faults[NET_ANSWERS]; // how many hold it, by what the sender is told
};
struct net_rejects; // net_rejects.h
struct net_cuts {
    VEC(struct net_cut) cuts;
    uint16_t link_down[NODES_MAX]; // faults that hold the node's link down
    struct net_rejects *rejects;   // NULL until something is rejected
};
void net_cuts_free(struct net_cuts *c); // NULL is fine

void net_cuts_add(struct net_cuts *c, const flow_list *l, enum net_answer answer);
void net_cuts_remove(struct net_cuts *c, const flow_list *l, enum net_answer answer); // what nobody holds is left alone
// Is every frame of the flow dropped?
bool net_cuts_has(const struct net_cuts *c, const struct net_flow *flow);
// What the sender of such a frame is told. Where several faults disagree, an answer goes before silence.
enum net_answer net_cuts_answer(const struct net_cuts *c, const struct net_flow *flow);

// Makes the switch what the counts say, in one transaction: all flows at the same instant.
int net_cuts_commit(const struct fault_world *w, struct err *err);
// Both nodes on, no link held down, no cut, no jam: a small frame of this flow should get through (for a flow with a size: one of
// more than that).
bool net_flow_open(const struct fault_world *w, const struct net_flow *flow);
// The lab's network for those who probe it, with what is cut now. It borrows the world.
struct reach net_cuts_reach(const struct fault_world *w);
