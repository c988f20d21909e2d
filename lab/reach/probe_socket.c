// SPDX-License-Identifier: PostgreSQL
#include "lab/reach/probe_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int socket_in(const struct node *n, int family, int type, int protocol, struct err *err) {
    cleanup_close int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return err_sys(err, errno, "open our own network namespace");
    if (setns(node_ns(n, NODE_NS_NET), CLONE_NEWNET) < 0)
        return err_sys(err, errno, "enter the network of %s", node_name(n));
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    int code = errno;
    if (setns(home, CLONE_NEWNET) < 0)
        abort(); // every later socket of this program would be opened in the wrong place
    return fd < 0 ? err_sys(err, code, "socket on %s", node_name(n)) : fd;
}

int probe_socket(const struct node *n, int family, int type, struct err *err) {
    return socket_in(n, family, type, 0, err);
}

int probe_socket_raw(const struct node *n, int protocol, struct err *err) {
    return socket_in(n, AF_INET, SOCK_RAW, protocol, err);
}

int probe_udp(const struct node *n, const char *address, uint16_t *ret_port, struct err *err) {
    cleanup_close int fd = probe_socket(n, AF_INET, SOCK_DGRAM, err);
    if (fd < 0)
        return fd;
    struct sockaddr_in a = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
        return err_set(err, EINVAL, "'%s' is not an address", address);
    socklen_t len = sizeof a;
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return err_sys(err, errno, "bind a probe to %s on %s", address, node_name(n));
    *ret_port = ntohs(a.sin_port);
    return STEAL_FD(fd);
}

int probe_carrier(const struct node *n, bool *ret, struct err *err) {
    cleanup_close int fd = probe_socket(n, AF_INET, SOCK_DGRAM, err);
    if (fd < 0)
        return fd;
    // ETHTOOL_GLINK reads the carrier itself; the IFF_RUNNING flag follows it up to a second later (linkwatch).
    struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
    struct ifreq ifr = {.ifr_name = "eth0", .ifr_data = (void *)&value};
    if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
        return err_sys(err, errno, "read the carrier of eth0 on %s", node_name(n));
    *ret = value.data != 0;
    return 0;
}
