// SPDX-License-Identifier: PostgreSQL
#pragma once
// Half-open TCP probes. A SYN leaves a node from a raw socket; the other kernel's SYN-ACK (or RST) is read by the same
// socket, and the node's own kernel, which knows nothing of this connection, resets it. The listener never sees a
// connection: its accept() does not return, it forks nothing and logs nothing.
#include <netinet/in.h>

#include "lab/base/err.h"
#include "lab/node/node.h"

// Source ports of probes lie above the kernel's range for connections (32768..60999 in a new network namespace).
enum { MATRIX_PORT_FIRST = 61440, MATRIX_PORT_COUNT = 4096 };

struct matrix_flow { // addresses in network order, ports and seq in host order
    struct in_addr from, to;
    uint16_t from_port, to_port;
    uint32_t seq;
};
struct matrix_answer {
    struct in_addr from;
    uint16_t from_port, to_port;
    uint32_t ack;
    bool refused; // RST, not SYN-ACK
};

// A raw socket in the node, bound to its address, that is given nothing but answers to probes: the lab's own traffic
// does not wake its reader. Close-on-exec, non-blocking.
int matrix_probe_open(const struct node *n, const char *address, struct err *err);
// A send that fails (no carrier, no route) is a probe that does not come back: the same finding.
void matrix_probe_syn(int fd, const struct matrix_flow *flow);
// Takes an unanswered SYN back. When only the way back is cut the listener holds a half-open connection, which would
// stay for a minute, and Patroni's REST server has room for five.
void matrix_probe_rst(int fd, const struct matrix_flow *flow);
bool matrix_probe_read(int fd, struct matrix_answer *ret); // false: nothing more has come
static inline bool matrix_probe_answers(const struct matrix_answer *a, const struct matrix_flow *f) {
    return a->to_port == f->from_port && a->from_port == f->to_port && a->from.s_addr == f->to.s_addr &&
           a->ack == f->seq + 1;
}
