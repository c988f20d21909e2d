// SPDX-License-Identifier: PostgreSQL
// One network namespace, one bridge, one port per node. The namespace is kept by a descriptor and by the netlink
// sockets opened in it; nothing here has a process of its own. Cuts are elements of nft sets (directed pairs of
// addresses, perhaps with a port or a size): a whole partition is one transaction, and so bites between two frames.
#include "lab/sandbox/switch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lab/base/fs.h"
#include "lab/sandbox/cut_sets.h"
#include "lab/sandbox/cuts.h"
#include "lab/sandbox/link.h"
#include "lab/sandbox/switch_port.h"
#include "lab/sandbox/tc.h"

#define BRIDGE "br0"

struct port {
    char node[NODE_NAME_MAX];
    char address[ADDRESS_MAX];
    char host[IFNAMSIZ];    // its name in the switch
    struct link_mac mac;    // of eth0 in the node
    struct nl_sock *inside; // netlink in the node's namespace
};

struct switch_net {
    int ns;
    struct nl_sock *sk;               // netlink in the switch's namespace
    struct port ports[NODES_MAX + 1]; // one more: a management port may come
    size_t n;
    struct nl_sock *rules; // netfilter in the switch's namespace
    bool table;            // our nft table exists
};

// IPv6 stays off on what we create from here on (the lab is IPv4), but not on lo: ::1 is there on any server.
static void no_ipv6(void) {
    (void)fs_write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", 1, 0644, NULL); // absent = no IPv6 at all: fine
}

static int new_namespace(struct err *err) {
    cleanup_close int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return err_sys(err, errno, "open our network namespace");
    if (unshare(CLONE_NEWNET) < 0)
        return err_sys(err, errno, "make the switch's network namespace");
    int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int code = errno;
    no_ipv6();
    link_leave_ns(STEAL_FD(home));
    return ns < 0 ? err_sys(err, code, "open the switch's network namespace") : ns;
}

int switch_new(struct switch_net **ret, struct err *err) {
    struct switch_net *sw = xcalloc(1, sizeof *sw);
    static const struct link_mac mac = {{0x02, 0x00, 0x00, 0x00, 0x00, 0x01}};
    int r = sw->ns = new_namespace(err);
    if (r >= 0)
        r = link_open(sw->ns, NETLINK_ROUTE, &sw->sk, err);
    if (r >= 0)
        r = link_add_bridge(sw->sk, BRIDGE, &mac, err);
    if (r < 0) {
        switch_free(sw);
        return err_wrap(err, "make the switch");
    }
    *ret = sw;
    return 0;
}

void switch_free(struct switch_net *sw) {
    if (!sw)
        return;
    for (size_t i = 0; i < sw->n; i++)
        nl_socket_free(sw->ports[i].inside);
    nl_socket_free(sw->sk);
    nl_socket_free(sw->rules);
    if (sw->ns >= 0)
        (void)close(sw->ns);
    free(sw);
}

int switch_ns(const struct switch_net *sw) {
    return sw->ns;
}

static struct port *port_of(const struct switch_net *sw, const char *node) {
    for (size_t i = 0; i < sw->n; i++)
        if (str_eq(sw->ports[i].node, node))
            return (struct port *)&sw->ports[i];
    return NULL;
}

static int need_port(const struct switch_net *sw, const char *node, struct port **ret, struct err *err) {
    *ret = port_of(sw, node);
    return *ret ? 0 : err_set(err, ENOENT, "no node '%s' on the switch", node);
}

int switch_port_view(const struct switch_net *sw, const char *node, struct switch_port_view *ret, struct err *err) {
    struct port *p;
    int r = need_port(sw, node, &p, err);
    if (r == 0)
        *ret = (struct switch_port_view){.link = p->host, .address = p->address, .number = (int)(p - sw->ports)};
    return r;
}

struct nl_sock *switch_netlink(const struct switch_net *sw) {
    return sw->sk;
}

// Link names end at 15 characters: a long node name keeps its start and gets a hash of the whole (FNV-1a).
static void port_link_name(char host[static IFNAMSIZ], const char *node) {
    uint32_t hash = 2166136261U;
    for (const char *c = node; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    if (strlen(node) <= IFNAMSIZ - 3)
        (void)snprintf(host, IFNAMSIZ, "h-%s", node);
    else
        (void)snprintf(host, IFNAMSIZ, "h-%.6s-%06x", node, hash & 0xffffff);
}

// MACs say whose they are: 02:00 + address in the node, 02:01 + address on the switch's side.
static int port_init(struct port *p, const char *node, const char *address, struct link_mac *ret_host_mac,
                     struct err *err) {
    struct in_addr in;
    if (inet_pton(AF_INET, address, &in) != 1)
        return err_set(err, EINVAL, "'%s' is not an IPv4 address", address);
    if (!STR_COPY(p->node, node) || !STR_COPY(p->address, address))
        return err_set(err, ENAMETOOLONG, "the name '%s' is too long", node);
    port_link_name(p->host, node);
    p->mac = (struct link_mac){{0x02, 0x00}};
    memcpy(p->mac.byte + 2, &in, 4);
    *ret_host_mac = p->mac;
    ret_host_mac->byte[1] = 0x01;
    return 0;
}

static int prepare_node_ns(int net_ns, struct err *err) {
    int home;
    int r = link_enter_ns(net_ns, &home, err);
    if (r < 0)
        return r;
    no_ipv6();
    r = link_lo_up(err);
    link_leave_ns(home);
    return r;
}

static int connect_node(struct switch_net *sw, struct port *p, const struct link_mac *host_mac, int net_ns,
                        struct err *err) {
    struct link_veth veth = {.host = p->host,
                             .peer = "eth0",
                             .bridge = BRIDGE,
                             .host_mac = *host_mac,
                             .peer_mac = p->mac,
                             .peer_ns = net_ns};
    int r = prepare_node_ns(net_ns, err);
    if (r == 0)
        r = link_open(net_ns, NETLINK_ROUTE, &p->inside, err);
    if (r == 0)
        r = link_add_veth(sw->sk, &veth, err);
    // Before any traffic: adding it later would lose what is under way. A kernel without it can't shape, and says so when
    // somebody asks for that (redirect.h).
    if (r == 0)
        (void)tc_add_clsact(sw->sk, p->host, NULL);
    if (r == 0)
        r = link_add_address(p->inside, "eth0", p->address, 24, err);
    return r < 0 ? r : link_set(p->inside, "eth0", true, err);
}

int switch_attach(struct switch_net *sw, const char *node, const char *address, int net_ns, struct err *err) {
    if (sw->n == ARRAY_SIZE(sw->ports))
        return err_set(err, ENOSPC, "the switch has %zu ports, all taken", sw->n);
    if (port_of(sw, node))
        return err_set(err, EEXIST, "node '%s' is on the switch already", node);
    struct port *p = &sw->ports[sw->n];
    struct link_mac host_mac;
    *p = (struct port){0};
    int r = port_init(p, node, address, &host_mac, err);
    if (r == 0)
        r = connect_node(sw, p, &host_mac, net_ns, err);
    if (r < 0) {
        nl_socket_free(STEAL(p->inside));
        return err_wrap(err, "connect node '%s'", node);
    }
    sw->n++;
    return 0;
}

int switch_neighbours(struct switch_net *sw, struct err *err) {
    for (size_t i = 0; i < sw->n; i++)
        for (size_t j = 0; j < sw->n; j++) {
            const struct port *at = &sw->ports[i], *other = &sw->ports[j];
            int r = i == j ? 0 : link_add_neighbour(at->inside, "eth0", other->address, &other->mac, err);
            if (r < 0)
                return err_wrap(err, "neighbours of node '%s'", at->node);
        }
    return 0;
}

int switch_port_set(struct switch_net *sw, const char *node, bool up, struct err *err) {
    struct port *p;
    int r = need_port(sw, node, &p, err);
    if (r == 0)
        r = link_set(sw->sk, p->host, up, err);
    // A bridge port forwards once the kernel's link watch has seen the carrier, a moment after the call above. Reading
    // a link makes that happen now (net/core/rtnetlink.c, rtnl_getlink), on both ends; older kernels take up to a
    // second.
    bool seen;
    if (r == 0 && up)
        r = link_get(sw->sk, p->host, &seen, err);
    if (r == 0 && up)
        r = link_get(p->inside, "eth0", &seen, err);
    return r;
}

int switch_port_get(struct switch_net *sw, const char *node, bool *ret_up, struct err *err) {
    struct port *p;
    int r = need_port(sw, node, &p, err);
    return r < 0 ? r : link_get(sw->sk, p->host, ret_up, err);
}

// ---- taps

int switch_port_tap(struct switch_net *sw, const char *node, struct err *err) {
    struct port *p;
    int home, r = need_port(sw, node, &p, err);
    if (r >= 0)
        r = link_enter_ns(sw->ns, &home, err);
    if (r < 0)
        return r;
    cleanup_close int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int code = errno;
    link_leave_ns(home);
    if (fd < 0)
        return err_sys(err, code, "packet socket on the port of %s", node);
    const int on = 1;
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
        return err_sys(err, errno, "packet socket that ignores what is sent (Linux 4.20)");
    return STEAL_FD(fd);
}

int switch_port_tap_start(struct switch_net *sw, const char *node, int fd, struct err *err) {
    struct port *p;
    int r = need_port(sw, node, &p, err);
    if (r < 0)
        return r;
    struct ifreq ifr = {0};
    (void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", p->host);
    if (ioctl(fd, SIOCGIFINDEX, &ifr) < 0) // of the namespace in which the socket was opened
        return err_sys(err, errno, "look for the port of %s", node);
    const struct sockaddr_ll where = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifr.ifr_ifindex};
    if (bind(fd, (const struct sockaddr *)&where, sizeof where) < 0)
        return err_sys(err, errno, "bind a packet socket to the port of %s", node);
    return 0;
}

// ---- cuts

int switch_prepare(struct switch_net *sw, struct err *err) {
    cleanup_strbuf struct strbuf text = {0};
    strbuf_addf(&text, "add table bridge bascule\ndelete table bridge bascule\n%s", cut_sets_table());
    int r = sw->rules ? 0 : link_open(sw->ns, NETLINK_NETFILTER, &sw->rules, err);
    if (r == 0)
        r = nft_apply(sw->ns, &text, err);
    if (r < 0)
        return err_wrap(err, "prepare the switch's rules");
    sw->table = true;
    return 0;
}

static int cut_element(const struct switch_net *sw, const struct switch_cut *cut, struct cut_element *ret,
                       struct err *err) {
    struct port *from, *to;
    int r = need_port(sw, cut->from, &from, err);
    if (r >= 0)
        r = need_port(sw, cut->to, &to, err);
    if (r < 0)
        return r;
    *ret = (struct cut_element){.side = cut->side, .port = cut->port, .over = cut->over};
    (void)inet_pton(AF_INET, from->address, &ret->from);
    (void)inet_pton(AF_INET, to->address, &ret->to);
    return 0;
}

static int replace_cuts(struct switch_net *sw, const cut_list *list, struct err *err) {
    int r = sw->table ? 0 : switch_prepare(sw, err);
    if (r == 0)
        r = cut_sets_replace(sw->rules, list, err);
    if (r == -ENOENT && (r = switch_prepare(sw, err)) == 0) // somebody has taken our table away
        r = cut_sets_replace(sw->rules, list, err);
    return r;
}

int switch_set_cuts(struct switch_net *sw, const struct switch_cut *cuts, size_t n, struct err *err) {
    if (n == 0 && !sw->table)
        return 0; // nothing was ever cut
    cut_list list = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = cut_element(sw, &cuts[i], VEC_ADD(&list), err);
    if (r == 0)
        r = replace_cuts(sw, &list, err);
    VEC_DONE(&list);
    return r < 0 ? err_wrap(err, "cut the network") : 0;
}
