// SPDX-License-Identifier: PostgreSQL
#include "injector/net/tcp_flows.h"

#include <arpa/inet.h>

int tcp_flows_node(const struct topology *t, struct in_addr address) {
    char text[INET_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET, &address, text, sizeof text);
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].address, text))
            return (int)i;
    return -1;
}

static bool belongs(const struct topology *t, const flow_list *flows, int at, const struct tcp_socket *s) {
    struct net_flow f = {
        .from = at, .to = tcp_flows_node(t, s->remote), .side = SWITCH_TO_PORT, .port = s->remote_port};
    if (f.to < 0)
        return false; // loopback
    if (flows_cover(flows, &f))
        return true;
    f.side = SWITCH_FROM_PORT;
    f.port = s->local_port;
    return flows_cover(flows, &f);
}

int tcp_flows_find(const struct fault_world *w, const flow_list *flows, int at, tcp_socket_list *out, struct err *err) {
    tcp_socket_list all = {0};
    int r = tcp_sockets_list(node_ns(w->nodes[at], NODE_NS_NET), &all, err);
    VEC_FOREACH (&all, s)
        if (belongs(w->topology, flows, at, s))
            VEC_PUSH(out, *s);
    VEC_DONE(&all);
    return r < 0 ? err_wrap(err, "connections of %s", w->topology->nodes.items[at].name) : 0;
}
