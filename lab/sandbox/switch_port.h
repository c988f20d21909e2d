// SPDX-License-Identifier: PostgreSQL
#pragma once
// The switch's ports as its other files see them. Private to lab/sandbox.
#include "lab/sandbox/link.h"
#include "lab/sandbox/switch.h"

struct switch_port_view {
    const char *link;    // its name in the switch; borrowed
    const char *address; // of the node behind it; borrowed
    int number;          // 0 for the first
};
int switch_port_view(const struct switch_net *sw, const char *node, struct switch_port_view *ret, struct err *err);
struct nl_sock *switch_netlink(const struct switch_net *sw); // rtnetlink in the switch's namespace, borrowed
