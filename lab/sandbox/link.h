// SPDX-License-Identifier: PostgreSQL
#pragma once
// Links and addresses over rtnetlink (libnl-3). Private to lab/sandbox and lab/node.
#include <netlink/netlink.h>
#include <stdbool.h>

#include "lab/base/err.h"

static inline void cleanup_nl_fn(struct nl_sock **sk) {
    nl_socket_free(*sk);
}
#define cleanup_nl __attribute__((cleanup(cleanup_nl_fn)))

int link_lo_up(struct err *err); // in the caller's network namespace

// Enters the network namespace `ns`; *ret_home brings the caller back through link_leave_ns. A thread that could not
// come back would build in the wrong place: link_leave_ns aborts then, which never happens for a namespace we just came
// from.
int link_enter_ns(int ns, int *ret_home, struct err *err);
void link_leave_ns(int home);

// A netlink socket of `protocol` (NETLINK_ROUTE for the calls below, NETLINK_NETFILTER, NETLINK_SOCK_DIAG). It stays in the network
// namespace where it was opened: no setns for later calls.
int link_open(int ns, int protocol, struct nl_sock **ret, struct err *err);

struct link_mac {
    unsigned char byte[6];
};
int link_add_bridge(struct nl_sock *sk, const char *name, const struct link_mac *mac, struct err *err);
// A veth pair: `host` as a port of `bridge`, up; `peer` in the namespace peer_ns, down.
struct link_veth {
    const char *host, *peer, *bridge;
    struct link_mac host_mac, peer_mac;
    int peer_ns;
};
int link_add_veth(struct nl_sock *sk, const struct link_veth *v, struct err *err);
int link_delete(struct nl_sock *sk, const char *name, struct err *err);
int link_set(struct nl_sock *sk, const char *name, bool up, struct err *err);
int link_get(struct nl_sock *sk, const char *name, bool *ret_up, struct err *err); // administratively up?
int link_add_address(struct nl_sock *sk, const char *name, const char *address, int prefix, struct err *err);
int link_add_neighbour(struct nl_sock *sk, const char *name, const char *address, const struct link_mac *mac,
                       struct err *err); // permanent; replaces
// Resets and forgets every TCP connection of the namespace that `ns` names (sock_diag's destroy). Kernels without
// CONFIG_INET_DIAG_DESTROY: -EOPNOTSUPP.
int link_forget_tcp(int ns, struct err *err);
