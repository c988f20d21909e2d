// SPDX-License-Identifier: PostgreSQL
// The happy path: one buffer with BATCH_BEGIN, a flush of every set, the elements, BATCH_END; one sendto, in which the
// kernel does all of it; then its answers, which are there already. Any error among them means that nothing was changed
// (net/netfilter/nfnetlink.c, nfnetlink_rcv_batch). The layout of messages and keys is that of nft 1.0.6 (nft
// --debug=mnl): a concatenation is its fields, each padded to 4 bytes (net/netfilter/nf_tables_api.c and nft's
// netlink_gen_concat_key).
#include "lab/sandbox/cut_sets.h"

#include <linux/netfilter.h> // NFPROTO_BRIDGE
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#define TABLE "bascule"
enum { PER_MESSAGE = 256, MESSAGE_MAX = 32 * 1024 }; // an element takes at most 52 bytes; an attribute at most 64 kB

// ARP frames of a pair that is cut altogether are dropped too: a cut is a cut, whether permanent neighbours are set or
// not. The last three sets hold ranges of ip length: packets that are larger than some size.
static const char table_text[] =
    "table bridge " TABLE " {\n"
    "  set cuts { type ipv4_addr . ipv4_addr; }\n"
    "  set cuts_to_port { type ipv4_addr . ipv4_addr . inet_service; }\n"
    "  set cuts_from_port { type ipv4_addr . ipv4_addr . inet_service; }\n"
    "  set cuts_over { typeof ip saddr . ip daddr . ip length; flags interval; }\n"
    "  set cuts_over_to_port { typeof ip saddr . ip daddr . tcp dport . ip length; flags interval; }\n"
    "  set cuts_over_from_port { typeof ip saddr . ip daddr . tcp sport . ip length; flags interval; }\n"
    "  chain frames {\n"
    "    type filter hook forward priority 0; policy accept;\n"
    "    ip saddr . ip daddr @cuts counter drop\n"
    "    arp saddr ip . arp daddr ip @cuts counter drop\n"
    "    ip saddr . ip daddr . tcp dport @cuts_to_port counter drop\n"
    "    ip saddr . ip daddr . tcp sport @cuts_from_port counter drop\n"
    "    ip saddr . ip daddr . ip length @cuts_over counter drop\n"
    "    ip saddr . ip daddr . tcp dport . ip length @cuts_over_to_port counter drop\n"
    "    ip saddr . ip daddr . tcp sport . ip length @cuts_over_from_port counter drop\n"
    "  }\n"
    "}\n";

static const char *const sets[] = {"cuts",      "cuts_to_port",      "cuts_from_port",
                                   "cuts_over", "cuts_over_to_port", "cuts_over_from_port"};

const char *cut_sets_table(void) {
    return table_text;
}

static size_t set_of(const struct cut_element *c) {
    return (size_t)c->side + (c->over ? 3 : 0);
}

// ---- building the batch

struct batch {
    struct strbuf bytes;
    uint32_t seq;
};

static void cleanup_msg_fn(struct nl_msg **m) {
    nlmsg_free(*m);
}
#define cleanup_msg __attribute__((cleanup(cleanup_msg_fn)))

static struct nl_msg *message(struct batch *b, int type, int flags, uint8_t family, uint16_t res_id) {
    struct nl_msg *m = nlmsg_alloc_size(MESSAGE_MAX);
    const struct nfgenmsg head = {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(res_id)};
    if (!m || !nlmsg_put(m, NL_AUTO_PID, b->seq++, type, 0, NLM_F_REQUEST | flags) ||
        nlmsg_append(m, (void *)&head, sizeof head, NLMSG_ALIGNTO) < 0)
        abort(); // out of memory
    return m;
}

static void add(struct batch *b, struct nl_msg *m) {
    strbuf_addn(&b->bytes, (const char *)nlmsg_hdr(m), NLMSG_ALIGN(nlmsg_hdr(m)->nlmsg_len));
}

static void mark(struct batch *b, int type) {
    cleanup_msg struct nl_msg *m = message(b, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    add(b, m);
}

static struct nl_msg *element_message(struct batch *b, int type, int flags, size_t set) {
    struct nl_msg *m = message(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_BRIDGE, 0);
    if (nla_put_string(m, NFTA_SET_ELEM_LIST_TABLE, TABLE) < 0 ||
        nla_put_string(m, NFTA_SET_ELEM_LIST_SET, sets[set]) < 0)
        abort(); // out of memory
    return m;
}

// DELSETELEM without elements flushes the set. The acknowledgement of the last message tells that the kernel has read
// them all.
static void add_flush(struct batch *b, size_t set, bool last) {
    cleanup_msg struct nl_msg *m = element_message(b, NFT_MSG_DELSETELEM, last ? NLM_F_ACK : 0, set);
    add(b, m);
}

static int put_key(struct nl_msg *m, int attr, const struct cut_element *c, uint16_t length) {
    unsigned char key[16] = {0};
    size_t at = 0;
    memcpy(key, &c->from, 4);
    memcpy(key + 4, &c->to, 4);
    at = 8;
    if (c->side != SWITCH_ANY_PORT) {
        const uint16_t port = htons(c->port);
        memcpy(key + at, &port, sizeof port);
        at += 4;
    }
    if (c->over) {
        const uint16_t n = htons(length);
        memcpy(key + at, &n, sizeof n);
        at += 4;
    }
    struct nlattr *data = nla_nest_start(m, attr);
    if (!data || nla_put(m, NFTA_DATA_VALUE, (int)at, key) < 0)
        return -1;
    return nla_nest_end(m, data);
}

static void put_element(struct nl_msg *m, const struct cut_element *c) {
    struct nlattr *element = nla_nest_start(m, NFTA_LIST_ELEM);
    if (!element || put_key(m, NFTA_SET_ELEM_KEY, c, (uint16_t)(c->over + 1)) < 0 ||
        (c->over && put_key(m, NFTA_SET_ELEM_KEY_END, c, UINT16_MAX) < 0) || nla_nest_end(m, element) < 0)
        abort(); // MESSAGE_MAX is too small for PER_MESSAGE elements
}

static size_t add_some(struct batch *b, size_t set, const cut_list *cuts, size_t from) {
    cleanup_msg struct nl_msg *m = element_message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set);
    struct nlattr *list = nla_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
    size_t n = 0;
    for (; list && from < cuts->n && n < PER_MESSAGE; from++)
        if (set_of(&cuts->items[from]) == set) {
            put_element(m, &cuts->items[from]);
            n++;
        }
    (void)nla_nest_end(m, list);
    if (n)
        add(b, m);
    return from;
}

// ---- sending it

static int answer_of(const struct nlmsghdr *h, bool *ret_acked) {
    if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return 0;
    int error = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
    *ret_acked = *ret_acked || error == 0;
    return error;
}

// The first error among the answers that are there, 0, or -ENODATA when there is no acknowledgement.
static int read_answers(int fd) {
    _Alignas(struct nlmsghdr) char buf[8192];
    int error = 0;
    bool acked = false;
    for (;;) {
        ssize_t got = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        if (got <= 0)
            return error ? error : acked ? 0 : -ENODATA;
        int left = (int)got;
        for (const struct nlmsghdr *h = (const void *)buf; nlmsg_ok(h, left); h = nlmsg_next((void *)h, &left)) {
            int r = answer_of(h, &acked);
            error = error ? error : r;
        }
    }
}

int cut_sets_replace(struct nl_sock *sk, const cut_list *cuts, struct err *err) {
    struct batch b = {.seq = 1};
    mark(&b, NFNL_MSG_BATCH_BEGIN);
    for (size_t set = 0; set < ARRAY_SIZE(sets); set++)
        add_flush(&b, set, set + 1 == ARRAY_SIZE(sets));
    for (size_t set = 0; set < ARRAY_SIZE(sets); set++)
        for (size_t from = 0; from < cuts->n;)
            from = add_some(&b, set, cuts, from);
    mark(&b, NFNL_MSG_BATCH_END);
    (void)read_answers(nl_socket_get_fd(sk)); // nothing of an earlier batch may be taken for ours
    int r = nl_sendto(sk, b.bytes.data, b.bytes.len);
    strbuf_done(&b.bytes);
    if (r < 0)
        return err_set(err, EIO, "send rules to the kernel: %s", nl_geterror(r));
    r = read_answers(nl_socket_get_fd(sk));
    if (r == -ENODATA)
        return err_set(err, EIO, "the kernel did not confirm the rules of the switch");
    return r < 0 ? err_sys(err, -r, "change the rules of the switch") : 0;
}
