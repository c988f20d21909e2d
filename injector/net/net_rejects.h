// SPDX-License-Identifier: PostgreSQL
#pragma once
// Answers to frames that the switch drops: a RST or an ICMP error, in the name of the receiver. nft's reject does not
// exist in the bridge family of every kernel (CONFIG_NFT_BRIDGE_REJECT), and in a node's own namespace the node could see
// it; so the switch's rules drop the frame, and a packet socket on the sender's port, in the switch's namespace, sees it
// first and writes the answer out of the same port. A sender learns within a fraction of a millisecond, or when the lab's
// loop gets the processor.
#include "injector/net/net_cuts.h"

struct net_rejects;
// Follows world->cuts: opens, filters or closes the packet sockets of the ports whose frames are rejected.
int net_rejects_commit(const struct fault_world *w, struct err *err);
void net_rejects_free(struct net_rejects *r); // NULL is fine
