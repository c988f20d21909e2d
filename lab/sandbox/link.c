// SPDX-License-Identifier: PostgreSQL
// Each function is one request over rtnetlink, answered by the kernel at once. libnl's error becomes an errno with a message that names
// the link. New links are made with their MAC address and in the namespace where they belong, so that none is ever half configured.
#include "lab/sandbox/link.h"

#include <fcntl.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lab/base/str.h"
#include "lab/sandbox/explain.h"

static void cleanup_link_fn(struct rtnl_link **l) {
    rtnl_link_put(*l);
}
static void cleanup_nladdr_fn(struct nl_addr **a) {
    nl_addr_put(*a);
}
#define cleanup_link   __attribute__((cleanup(cleanup_link_fn)))
#define cleanup_nladdr __attribute__((cleanup(cleanup_nladdr_fn)))

// libnl has its own error numbers; these are the ones a caller or a person can act on.
static int link_err(struct err *err, int nl, const char *fmt, const char *name) {
    int code = -nl == NLE_PERM        ? EPERM
               : -nl == NLE_EXIST     ? EEXIST
               : -nl == NLE_NODEV     ? ENODEV
               : -nl == NLE_OPNOTSUPP ? EOPNOTSUPP
                                      : EIO;
    cleanup_free char *what = xasprintf("%s '%s'", fmt, name);
    if (code == EOPNOTSUPP)
        return err_set(err, code, "%s: this kernel can't (modules veth, bridge); as root: modprobe -a veth bridge",
                       what);
    return err_set(err, code, "%s: %s", what, nl_geterror(nl));
}

int link_lo_up(struct err *err) {
    cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
        return explain_refusal(err, errno, "bring up the loopback interface");
    return 0;
}

int link_enter_ns(int ns, int *ret_home, struct err *err) {
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return err_sys(err, errno, "open our network namespace");
    if (setns(ns, CLONE_NEWNET) < 0) {
        int code = errno;
        (void)close(home);
        return err_sys(err, code, "enter a network namespace");
    }
    *ret_home = home;
    return 0;
}

void link_leave_ns(int home) {
    if (setns(home, CLONE_NEWNET) < 0)
        abort();
    (void)close(home);
}

int link_open(int ns, int protocol, struct nl_sock **ret, struct err *err) {
    cleanup_nl struct nl_sock *sk = nl_socket_alloc();
    if (!sk)
        return err_set(err, ENOMEM, "allocate a netlink socket");
    int home = -1;
    int r = link_enter_ns(ns, &home, err);
    if (r < 0)
        return r;
    r = nl_connect(sk, protocol); // opens it close-on-exec
    link_leave_ns(home);
    if (r < 0)
        return err_set(err, EIO, "open a netlink socket: %s", nl_geterror(r));
    *ret = STEAL(sk);
    return 0;
}

static int set_mac(struct rtnl_link *l, const struct link_mac *mac) {
    cleanup_nladdr struct nl_addr *a = nl_addr_build(AF_LLC, mac->byte, sizeof mac->byte);
    if (!a)
        return -NLE_NOMEM;
    rtnl_link_set_addr(l, a); // takes its own reference
    return 0;
}

int link_add_bridge(struct nl_sock *sk, const char *name, const struct link_mac *mac, struct err *err) {
    // A new bridge has spanning tree off, and then its ports forward at once (net/bridge/br_stp_if.c,
    // br_stp_enable_port).
    cleanup_link struct rtnl_link *l = rtnl_link_alloc();
    int r = l ? rtnl_link_set_type(l, "bridge") : -NLE_NOMEM;
    if (r == 0)
        r = set_mac(l, mac);
    if (r == 0) {
        rtnl_link_set_name(l, name);
        rtnl_link_set_flags(l, IFF_UP);
        r = rtnl_link_add(sk, l, NLM_F_CREATE | NLM_F_EXCL);
    }
    return r < 0 ? link_err(err, r, "make bridge", name) : 0;
}

static int find(struct nl_sock *sk, const char *name, struct rtnl_link **ret, struct err *err) {
    int r = rtnl_link_get_kernel(sk, 0, name, ret);
    return r < 0 ? link_err(err, r, "find link", name) : 0;
}

static int index_of(struct nl_sock *sk, const char *name, struct err *err) {
    cleanup_link struct rtnl_link *l = NULL;
    int r = find(sk, name, &l, err);
    return r < 0 ? r : rtnl_link_get_ifindex(l);
}

int link_add_veth(struct nl_sock *sk, const struct link_veth *v, struct err *err) {
    int bridge = index_of(sk, v->bridge, err);
    if (bridge < 0)
        return bridge;
    cleanup_link struct rtnl_link *host = rtnl_link_veth_alloc();
    struct rtnl_link *peer = host ? rtnl_link_veth_get_peer(host) : NULL; // with a reference of its own
    int r = peer ? 0 : -NLE_NOMEM;
    if (r == 0)
        r = set_mac(host, &v->host_mac);
    if (r == 0)
        r = set_mac(peer, &v->peer_mac);
    if (r == 0) {
        rtnl_link_set_name(host, v->host);
        rtnl_link_set_master(host, bridge);
        rtnl_link_set_flags(host, IFF_UP);
        rtnl_link_set_name(peer, v->peer);
        rtnl_link_set_ns_fd(peer, v->peer_ns);
        r = rtnl_link_add(sk, host, NLM_F_CREATE | NLM_F_EXCL);
    }
    rtnl_link_put(peer);
    return r < 0 ? link_err(err, r, "make link", v->host) : 0;
}

int link_delete(struct nl_sock *sk, const char *name, struct err *err) {
    cleanup_link struct rtnl_link *l = NULL;
    int r = find(sk, name, &l, err);
    if (r < 0)
        return r;
    r = rtnl_link_delete(sk, l);
    return r < 0 ? link_err(err, r, "remove link", name) : 0;
}

int link_set(struct nl_sock *sk, const char *name, bool up, struct err *err) {
    cleanup_link struct rtnl_link *l = NULL;
    int r = find(sk, name, &l, err);
    if (r < 0)
        return r;
    cleanup_link struct rtnl_link *change = rtnl_link_alloc();
    if (!change)
        return err_set(err, ENOMEM, "change link '%s'", name);
    if (up)
        rtnl_link_set_flags(change, IFF_UP);
    else
        rtnl_link_unset_flags(change, IFF_UP);
    r = rtnl_link_change(sk, l, change, 0);
    return r < 0 ? link_err(err, r, up ? "bring up link" : "take down link", name) : 0;
}

int link_get(struct nl_sock *sk, const char *name, bool *ret_up, struct err *err) {
    cleanup_link struct rtnl_link *l = NULL;
    int r = find(sk, name, &l, err);
    if (r == 0)
        *ret_up = rtnl_link_get_flags(l) & IFF_UP;
    return r;
}

int link_add_address(struct nl_sock *sk, const char *name, const char *address, int prefix, struct err *err) {
    int index = index_of(sk, name, err);
    if (index < 0)
        return index;
    cleanup_nladdr struct nl_addr *local = NULL;
    int r = nl_addr_parse(address, AF_INET, &local);
    struct rtnl_addr *a = rtnl_addr_alloc();
    if (r == 0 && a) {
        nl_addr_set_prefixlen(local, prefix);
        rtnl_addr_set_ifindex(a, index);
        r = rtnl_addr_set_local(a, local);
        if (r == 0)
            r = rtnl_addr_add(sk, a, 0);
    }
    rtnl_addr_put(a);
    return r < 0 ? link_err(err, r, "set address", address) : 0;
}

int link_add_neighbour(struct nl_sock *sk, const char *name, const char *address, const struct link_mac *mac,
                       struct err *err) {
    int index = index_of(sk, name, err);
    if (index < 0)
        return index;
    cleanup_nladdr struct nl_addr *ip = NULL;
    cleanup_nladdr struct nl_addr *ll = nl_addr_build(AF_LLC, mac->byte, sizeof mac->byte);
    int r = nl_addr_parse(address, AF_INET, &ip);
    struct rtnl_neigh *n = rtnl_neigh_alloc();
    if (r == 0 && n && ll) {
        rtnl_neigh_set_ifindex(n, index);
        rtnl_neigh_set_state(n, NUD_PERMANENT);
        rtnl_neigh_set_lladdr(n, ll);
        r = rtnl_neigh_set_dst(n, ip);
        if (r == 0)
            r = rtnl_neigh_add(sk, n, NLM_F_CREATE | NLM_F_REPLACE);
    }
    rtnl_neigh_put(n);
    return r < 0 ? link_err(err, r, "set the permanent neighbour", address) : 0;
}
