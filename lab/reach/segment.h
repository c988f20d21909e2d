// SPDX-License-Identifier: PostgreSQL
#pragma once
// One-way TCP probes: a lone RST segment with a payload of ours, from a raw socket in one node to a raw socket in another.
// To the switch it is a frame of an established connection on that port (no SYN, no state to make); to the receiving
// kernel it is nothing: a reset for a connection it does not have is dropped, by a listener too (RFC 9293, 3.10.7), and
// never answered. No daemon sees it.
#include <netinet/in.h>

#include "lab/base/err.h"
#include "lab/node/node.h"

// A raw socket in the node, bound to its address, that is given nothing but such segments. Close-on-exec, non-blocking.
int segment_open(const struct node *n, const char *address, struct err *err);
// Ports in host order. A send that fails (no carrier, no route) is a segment that does not arrive: the same finding.
// At most 1400 bytes: raw sockets would send it in fragments.
void segment_send(int fd, struct in_addr from, struct in_addr to, uint16_t from_port, uint16_t to_port,
                  const void *payload, size_t len);
// The first `size` bytes of the next payload; its length, or -1 when nothing more has come.
ssize_t segment_read(int fd, void *payload, size_t size);
// RFC 1071 over the pseudo header and the TCP segment (with its checksum field 0), ready for the field.
uint16_t segment_checksum(struct in_addr from, struct in_addr to, const void *segment, size_t len);
