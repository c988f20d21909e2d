// SPDX-License-Identifier: PostgreSQL
#pragma once
// The TCP connections of a network namespace, over sock_diag(7), and the end of single ones.
#include <linux/inet_diag.h>
#include <netinet/in.h>

#include "lab/base/err.h"
#include "lab/base/vec.h"

struct tcp_socket {
    struct in_addr local, remote; // IPv4, also of a socket that speaks it as ::ffff:a.b.c.d
    uint16_t local_port, remote_port;
    struct inet_diag_msg diag; // as the kernel tells it, with the cookie that makes it unique
};
typedef VEC(struct tcp_socket) tcp_socket_list;

// Connections that are established or being closed by one side (no listeners, no TIME_WAIT). Appends to out.
int tcp_sockets_list(int ns, tcp_socket_list *out, struct err *err);
// SOCK_DESTROY: the owner's next call says ECONNABORTED, and the peer is sent a RST. 0 also when it has ended by itself.
// Kernels without CONFIG_INET_DIAG_DESTROY: -EOPNOTSUPP.
int tcp_sockets_destroy(int ns, const tcp_socket_list *l, struct err *err);
