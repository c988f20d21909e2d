// SPDX-License-Identifier: PostgreSQL
#pragma once
// The sets of the switch's nft table, filled over raw nfnetlink: one batch, which the kernel takes whole or not at all.
// A child `nft -f -` would need 3 to 19 ms for the same. Private to lab/sandbox.
#include <netinet/in.h>
#include <netlink/netlink.h>

#include "lab/base/vec.h"
#include "lab/sandbox/switch.h"

struct cut_element {
    struct in_addr from, to;
    enum switch_side side;
    uint16_t port; // host order; 0 without a side
    uint16_t over; // 0 = packets of any size
};
typedef VEC(struct cut_element) cut_list;

// The table with its sets, still empty, as text for nft.
const char *cut_sets_table(void);
// Makes the sets hold exactly these, in one transaction. sk: a NETLINK_NETFILTER socket of the switch's namespace (link_open). -ENOENT: the table is not there. Elements must differ from each
// other; two of the same frames may differ in `over` only if the ranges would be the same.
int cut_sets_replace(struct nl_sock *sk, const cut_list *cuts, struct err *err);
