// SPDX-License-Identifier: PostgreSQL
// Happy path: dump, choose, destroy one by one with an acknowledgement each.
#include "lab/sandbox/tcp_sockets.h"

#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "lab/sandbox/link.h"

// ::ffff:a.b.c.d
static bool is_mapped(const uint32_t *address) {
    return address[0] == 0 && address[1] == 0 && address[2] == htonl(0xffff);
}

static struct tcp_socket read_socket(const struct inet_diag_msg *m) {
    bool mapped = m->idiag_family == AF_INET6;
    return (struct tcp_socket){.local.s_addr = m->id.idiag_src[mapped ? 3 : 0],
                               .remote.s_addr = m->id.idiag_dst[mapped ? 3 : 0],
                               .local_port = ntohs(m->id.idiag_sport),
                               .remote_port = ntohs(m->id.idiag_dport),
                               .diag = *m};
}

static int collect(struct nl_msg *msg, void *arg) {
    const struct nlmsghdr *h = nlmsg_hdr(msg);
    if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY && nlmsg_datalen(h) >= (int)sizeof(struct inet_diag_msg))
        VEC_PUSH((tcp_socket_list *)arg, read_socket(nlmsg_data(h)));
    return NL_OK;
}

static int send_request(struct nl_sock *sk, int type, int flags, struct inet_diag_req_v2 *req) {
    int r = nl_send_simple(sk, type, flags, req, sizeof *req);
    return r < 0 ? r : 0;
}

static int list_family(struct nl_sock *sk, int family, tcp_socket_list *list) {
    // Listening sockets and TIME_WAIT stay out: the first die with their process, the second say nothing any more.
    struct inet_diag_req_v2 req = {.sdiag_family = (unsigned char)family,
                                   .sdiag_protocol = IPPROTO_TCP,
                                   .idiag_states = ~((1U << TCP_LISTEN) | (1U << TCP_TIME_WAIT) | (1U << TCP_CLOSE))};
    int r = nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, collect, list);
    if (r == 0)
        r = send_request(sk, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req);
    return r < 0 ? r : nl_recvmsgs_default(sk);
}

static int destroy(struct nl_sock *sk, const struct inet_diag_msg *m) {
    struct inet_diag_req_v2 req = {.sdiag_family = m->idiag_family, .sdiag_protocol = IPPROTO_TCP, .id = m->id};
    int r = send_request(sk, SOCK_DESTROY, NLM_F_ACK, &req);
    r = r < 0 ? r : nl_wait_for_ack(sk);
    return -r == NLE_OBJ_NOTFOUND ? 0 : r; // gone by itself meanwhile
}

static int list_all(int ns, tcp_socket_list *out, struct err *err) {
    cleanup_nl struct nl_sock *sk = NULL;
    int r = link_open(ns, NETLINK_SOCK_DIAG, &sk, err);
    if (r < 0)
        return r;
    r = list_family(sk, AF_INET, out);
    if (r >= 0)
        r = list_family(sk, AF_INET6, out);
    return r < 0 ? err_set(err, EIO, "list TCP connections: %s", nl_geterror(r)) : 0;
}

int tcp_sockets_list(int ns, tcp_socket_list *out, struct err *err) {
    size_t kept = out->n, before = out->n;
    int r = list_all(ns, out, err);
    for (size_t i = before; i < out->n; i++)
        if (out->items[i].diag.idiag_family == AF_INET || is_mapped(out->items[i].diag.id.idiag_src))
            out->items[kept++] = out->items[i];
    out->n = kept;
    return r;
}

int tcp_sockets_destroy(int ns, const tcp_socket_list *l, struct err *err) {
    cleanup_nl struct nl_sock *sk = NULL;
    int r = l->n ? link_open(ns, NETLINK_SOCK_DIAG, &sk, err) : 0;
    if (r < 0 || !l->n)
        return r;
    for (size_t i = 0; r >= 0 && i < l->n; i++)
        r = destroy(sk, &l->items[i].diag);
    if (r < 0)
        return err_set(err, -r == NLE_OPNOTSUPP ? EOPNOTSUPP : EIO, "end TCP connections: %s", nl_geterror(r));
    return 0;
}

// A machine that loses power forgets its connections. Ours keeps its network namespace, in which the kernel would go on
// retransmitting the FINs of dead processes and send them the moment the link is back: the peers would see a tidy close
// that no power loss gives. So every TCP socket is destroyed while the link is down.
int link_forget_tcp(int ns, struct err *err) {
    tcp_socket_list all = {0};
    int r = list_all(ns, &all, err);
    if (r >= 0)
        r = tcp_sockets_destroy(ns, &all, err);
    VEC_DONE(&all);
    return r < 0 ? err_wrap(err, "forget TCP connections") : 0;
}
