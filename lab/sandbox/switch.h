// SPDX-License-Identifier: PostgreSQL
#pragma once
// The switch: a network namespace that holds the bridge, one port (veth) per node, and every network fault. Nodes see only
// symptoms. All calls are synchronous, take well under a millisecond but for nft (a child of 5 ms), and work from the
// supervisor whatever namespace it is in (they return to it).
#include "lab/base/err.h"
#include "lab/scenario/topology.h"

struct switch_net; // opaque

int switch_new(struct switch_net **ret, struct err *err);
void switch_free(struct switch_net *sw);
// Creates the veth pair: host side "h-NAME" in the bridge, peer "eth0" with address/24 in the network namespace net_ns (fd),
// both up, fixed MAC, permanent neighbour entries are set by switch_neighbours once all nodes exist.
int switch_attach(struct switch_net *sw, const char *node, const char *address, int net_ns, struct err *err);
int switch_neighbours(struct switch_net *sw,
                      struct err *err); // permanent ARP entries on every node (see FACTS: long cuts stay silent)
// Port administratively up or down. Down: peers see silence, the node sees its carrier go.
int switch_port_set(struct switch_net *sw, const char *node, bool up, struct err *err);
int switch_port_get(struct switch_net *sw, const char *node, bool *ret_up, struct err *err);
// Replaces the whole set of cut pairs by one nft transaction. A pair is directed: frames from -> to are dropped silently.
struct switch_cut {
    char from[NODE_NAME_MAX], to[NODE_NAME_MAX];
};
int switch_set_cuts(struct switch_net *sw, const struct switch_cut *cuts, size_t n, struct err *err);
int switch_ns(const struct switch_net *sw); // fd of its network namespace, borrowed
