// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which connections of a node belong to a list of flows.
#include "injector/fault/fault.h"
#include "lab/reach/flows.h"
#include "lab/sandbox/tcp_sockets.h"

// Connections whose end in the node `at` sends over one of the flows (flow.from == at). Appends to out.
int tcp_flows_find(const struct fault_world *w, const flow_list *flows, int at, tcp_socket_list *out, struct err *err);
// The node with this address; -1 = none.
int tcp_flows_node(const struct topology *t, struct in_addr address);
