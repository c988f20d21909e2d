// SPDX-License-Identifier: PostgreSQL
#include "lab/sandbox/tc.h"

#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/qdisc.h>

#include "lab/base/str.h"

enum { EGRESS = 0xfffffff3 }; // TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), linux/pkt_sched.h

static int tc_err(struct err *err, int nl, const char *what, const char *link) {
    return err_set(err,
                   -nl == NLE_PERM    ? EPERM
                   : -nl == NLE_NODEV ? ENODEV
                                      : EIO,
                   "%s on '%s': %s", what, link, nl_geterror(nl));
}

int tc_link_index(struct nl_sock *sk, const char *name, struct err *err) {
    struct rtnl_link *l = NULL;
    int r = rtnl_link_get_kernel(sk, 0, name, &l);
    if (r < 0)
        return tc_err(err, r, "find the link", name);
    r = rtnl_link_get_ifindex(l);
    rtnl_link_put(l);
    return r;
}

int tc_add_pair(struct nl_sock *sk, const char *a, const char *b, struct err *err) {
    struct rtnl_link *one = rtnl_link_veth_alloc();
    struct rtnl_link *other = one ? rtnl_link_veth_get_peer(one) : NULL; // with a reference of its own
    int r = other ? 0 : -NLE_NOMEM;
    if (r == 0) {
        rtnl_link_set_name(one, a);
        rtnl_link_set_flags(one, IFF_UP);
        rtnl_link_set_name(other, b);
        r = rtnl_link_add(sk, one, NLM_F_CREATE | NLM_F_EXCL);
    }
    rtnl_link_put(other);
    rtnl_link_put(one);
    if (r < 0)
        return tc_err(err, r, "make a pair of links", a);
    return link_set(sk, b, true, err);
}

int tc_add_clsact(struct nl_sock *sk, const char *link, struct err *err) {
    int index = tc_link_index(sk, link, err);
    if (index < 0)
        return index;
    struct rtnl_qdisc *q = rtnl_qdisc_alloc();
    int r = q ? 0 : -NLE_NOMEM;
    if (r == 0) {
        rtnl_tc_set_ifindex(TC_CAST(q), index);
        rtnl_tc_set_parent(TC_CAST(q), TC_H_CLSACT);
        rtnl_tc_set_handle(TC_CAST(q), TC_H_MAKE(TC_H_CLSACT, 0));
        r = rtnl_tc_set_kind(TC_CAST(q), "clsact");
    }
    if (r == 0)
        r = rtnl_qdisc_add(sk, q, NLM_F_CREATE | NLM_F_EXCL);
    rtnl_qdisc_put(q);
    if (r == -NLE_OBJ_NOTFOUND)
        return err_set(err, EOPNOTSUPP,
                       "this kernel has no clsact (module sch_ingress); as root: modprobe sch_ingress");
    return r < 0 && r != -NLE_EXIST ? tc_err(err, r, "add clsact", link) : 0;
}

static struct rtnl_cls *filter_new(int index, uint16_t pref) {
    struct rtnl_cls *c = rtnl_cls_alloc();
    if (!c)
        return NULL;
    rtnl_tc_set_ifindex(TC_CAST(c), index);
    rtnl_tc_set_parent(TC_CAST(c), EGRESS);
    rtnl_cls_set_prio(c, pref);
    rtnl_cls_set_protocol(c, ETH_P_IP);
    if (rtnl_tc_set_kind(TC_CAST(c), "u32") == 0)
        return c;
    rtnl_cls_put(c);
    return NULL;
}

static int add_mirred(struct rtnl_cls *c, int into) {
    struct rtnl_act *act = rtnl_act_alloc();
    int r = act ? rtnl_tc_set_kind(TC_CAST(act), "mirred") : -NLE_NOMEM;
    if (r == 0)
        r = rtnl_mirred_set_action(act, TCA_EGRESS_REDIR);
    if (r == 0)
        r = rtnl_mirred_set_ifindex(act, (uint32_t)into);
    if (r == 0)
        r = rtnl_mirred_set_policy(act, TC_ACT_STOLEN);
    if (r == 0)
        r = rtnl_u32_add_action(c, act); // takes a reference of its own
    rtnl_act_put(act);
    return r;
}

static int add_filter(struct nl_sock *sk, int index, const struct tc_redirect *r, bool redirect) {
    enum { SRC_AT = 12, DST_AT = 16 }; // in the IPv4 header
    struct rtnl_cls *c = filter_new(index, r->pref);
    int k = c ? rtnl_u32_add_key_in_addr(c, &r->src, 32, SRC_AT, 0) : -NLE_NOMEM;
    if (k == 0 && r->dst.s_addr)
        k = rtnl_u32_add_key_in_addr(c, &r->dst, 32, DST_AT, 0);
    if (k == 0)
        k = rtnl_u32_set_cls_terminal(c);
    if (k == 0 && redirect)
        k = add_mirred(c, r->into);
    if (k == 0)
        k = rtnl_cls_add(sk, c, NLM_F_CREATE | NLM_F_EXCL);
    rtnl_cls_put(c);
    return k;
}

int tc_redirect_add(struct nl_sock *sk, const struct tc_redirect *r, struct err *err) {
    int index = tc_link_index(sk, r->link, err);
    if (index < 0)
        return index;
    int k = add_filter(sk, index, r, true);
    if (k != -NLE_OBJ_NOTFOUND)
        return k < 0 ? tc_err(err, k, "add a filter", r->link) : 0;
    // Which of the two is missing? A filter without an action needs cls_u32 alone.
    bool u32 = add_filter(sk, index, r, false) == 0;
    if (u32)
        (void)tc_redirect_delete(sk, r, NULL);
    return err_set(err, EOPNOTSUPP, "this kernel has no %s (module %s); as root: modprobe %s",
                   u32 ? "redirection of frames" : "u32 filter", u32 ? "act_mirred" : "cls_u32",
                   u32 ? "act_mirred" : "cls_u32");
}

int tc_redirect_delete(struct nl_sock *sk, const struct tc_redirect *r, struct err *err) {
    int index = tc_link_index(sk, r->link, err);
    if (index < 0)
        return index;
    struct rtnl_cls *c = filter_new(index, r->pref);
    int k = c ? rtnl_cls_delete(sk, c, 0) : -NLE_NOMEM;
    rtnl_cls_put(c);
    return k < 0 && k != -NLE_OBJ_NOTFOUND ? tc_err(err, k, "remove a filter", r->link) : 0;
}
