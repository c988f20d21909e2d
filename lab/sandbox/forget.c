// SPDX-License-Identifier: PostgreSQL
// A machine that loses power forgets its connections. Ours keeps its network namespace, in which the kernel would go on
// retransmitting the FINs of dead processes and send them the moment the link is back: the peers would see a tidy close
// that no power loss gives. So every TCP socket is destroyed (sock_diag(7), SOCK_DESTROY) while the link is down.
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "lab/base/vec.h"
#include "lab/sandbox/link.h"

typedef VEC(struct inet_diag_msg) diag_list;

static int collect(struct nl_msg *msg, void *arg) {
    const struct nlmsghdr *h = nlmsg_hdr(msg);
    if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY && nlmsg_datalen(h) >= (int)sizeof(struct inet_diag_msg))
        VEC_PUSH((diag_list *)arg, *(const struct inet_diag_msg *)nlmsg_data(h));
    return NL_OK;
}

static int send_request(struct nl_sock *sk, int type, int flags, struct inet_diag_req_v2 *req) {
    int r = nl_send_simple(sk, type, flags, req, sizeof *req);
    return r < 0 ? r : 0;
}

static int list_tcp(struct nl_sock *sk, int family, diag_list *list) {
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
    return r < 0 ? r : nl_wait_for_ack(sk);
}

static int forget_here(struct nl_sock *sk, struct err *err) {
    diag_list list = {0};
    int r = list_tcp(sk, AF_INET, &list);
    if (r >= 0)
        r = list_tcp(sk, AF_INET6, &list);
    for (size_t i = 0; r >= 0 && i < list.n; i++) {
        r = destroy(sk, &list.items[i]);
        if (-r == NLE_OBJ_NOTFOUND) // gone by itself meanwhile
            r = 0;
    }
    VEC_DONE(&list);
    if (r < 0)
        return err_set(err, -r == NLE_OPNOTSUPP ? EOPNOTSUPP : EIO, "forget TCP connections: %s", nl_geterror(r));
    return 0;
}

int link_forget_tcp(int ns, struct err *err) {
    cleanup_nl struct nl_sock *sk = nl_socket_alloc();
    if (!sk)
        return err_set(err, ENOMEM, "allocate a netlink socket");
    int home;
    int r = link_enter_ns(ns, &home, err);
    if (r < 0)
        return r;
    r = nl_connect(sk, NETLINK_SOCK_DIAG);
    link_leave_ns(home);
    if (r < 0)
        return err_set(err, EIO, "open a sock_diag socket: %s", nl_geterror(r));
    return forget_here(sk, err);
}
