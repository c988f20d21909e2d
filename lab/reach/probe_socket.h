// SPDX-License-Identifier: PostgreSQL
#pragma once
// Sockets that live in a node's network namespace but belong to the supervisor. Synchronous, some 20 microseconds.
#include "lab/base/err.h"
#include "lab/node/node.h"

// socket(2) inside the node, close-on-exec and non-blocking.
int probe_socket(const struct node *n, int family, int type, struct err *err);
// The same for a raw IPv4 socket of this protocol (IPPROTO_TCP).
int probe_socket_raw(const struct node *n, int protocol, struct err *err);
// A UDP socket bound to the node's address and a free port; *ret_port in host order.
int probe_udp(const struct node *n, const char *address, uint16_t *ret_port, struct err *err);
// Does the node's interface eth0 have a carrier?
int probe_carrier(const struct node *n, bool *ret, struct err *err);
