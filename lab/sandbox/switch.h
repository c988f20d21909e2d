// SPDX-License-Identifier: PostgreSQL
#pragma once
// The switch: a network namespace that holds the bridge, one port (veth) per node, and every network fault. Nodes see only
// symptoms. All calls are synchronous, take well under a millisecond but for switch_prepare, and work from the
// supervisor whatever namespace it is in (they return to it).
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/cluster.h"
#include "lab/base/err.h"

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
// Frames that the switch drops silently. Directed: from -> to. With a side only TCP segments to (the request) or from (the
// answer) that port.
enum switch_side { SWITCH_ANY_PORT, SWITCH_TO_PORT, SWITCH_FROM_PORT };
struct switch_cut {
    char from[NODE_NAME_MAX], to[NODE_NAME_MAX];
    enum switch_side side;
    uint16_t port; // host order, with a side
    uint16_t over; // only IP packets of more than so many bytes; 0 = all
};
// Replaces the whole set of cuts by one transaction of the kernel's nf_tables: all bite at the same instant, on established
// connections too. 0.1 to 0.5 ms. Cuts must differ in more than `over`. `nft list ruleset` shows them.
int switch_set_cuts(struct switch_net *sw, const struct switch_cut *cuts, size_t n, struct err *err);
// Makes the (empty) nft table, so that the first cut finds it: a child of 5 to 20 ms. switch_set_cuts does it otherwise.
int switch_prepare(struct switch_net *sw, struct err *err);
// A packet socket for a node's port, inside the switch: sees the frames that come from the node before the bridge does, and
// sends frames to the node. It sees nothing until switch_port_tap_start, so that a filter can be attached before. The
// caller closes; close-on-exec, non-blocking.
int switch_port_tap(struct switch_net *sw, const char *node, struct err *err);
int switch_port_tap_start(struct switch_net *sw, const char *node, int fd, struct err *err);
int switch_ns(const struct switch_net *sw); // fd of its network namespace, borrowed
