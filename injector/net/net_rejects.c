// SPDX-License-Identifier: PostgreSQL
// The happy path: a rejected frame comes in at its sender's port; the socket there, filtered to the flows in question,
// wakes the loop; the answer goes out of that port a moment later. The switch's rules drop the frame meanwhile.
//
// - Many frames at once: at most BURST are read per wake, so that the loop is not held; the queue of the socket drops
//   what is too much, which is then silent, as a rate-limited firewall is.
// - A RST, a fragment or an ICMP error is never answered (RFC 9293, 3.10.7; RFC 1122, 3.2.2).
#include "injector/net/net_rejects.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "injector/net/reject_answer.h"

enum { BURST = 128, SEEN_MAX = 256, FILTER_MAX = 2048 };

struct tap {
    struct net_rejects *rejects;
    int node, fd; // -1 = nothing of this node is rejected
    sd_event_source *readable;
    uint64_t answered;
};

struct net_rejects {
    const struct fault_world *world;
    struct tap taps[NODES_MAX];
};

static bool rejected(const struct net_cut *cut) {
    for (int a = NET_RESET; a < NET_ANSWERS; a++)
        if (cut->faults[a])
            return true;
    return false;
}

// ---- the filter: which frames wake us. Offsets from the Ethernet header on.

typedef VEC(struct sock_filter) program;
enum { TYPE_AT = 12, IP_AT = 14, PROTOCOL_AT = 23, DESTINATION_AT = 30 };

static void add_instruction(program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
    VEC_PUSH(p, ((struct sock_filter){.code = code, .k = k, .jt = yes, .jf = no}));
}

static void match_flow(program *p, const struct net_flow *f, uint32_t destination) {
    bool port = f->side != SWITCH_ANY_PORT;
    add_instruction(p, BPF_LD | BPF_W | BPF_ABS, DESTINATION_AT, 0, 0);
    add_instruction(p, BPF_JMP | BPF_JEQ | BPF_K, destination, 0, port ? 5 : 1);
    if (port) {
        add_instruction(p, BPF_LD | BPF_B | BPF_ABS, PROTOCOL_AT, 0, 0);
        add_instruction(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3);
        add_instruction(p, BPF_LD | BPF_H | BPF_IND, IP_AT + (f->side == SWITCH_TO_PORT ? 2 : 0), 0,
                        0); // X: the IP header
        add_instruction(p, BPF_JMP | BPF_JEQ | BPF_K, f->port, 0, 1);
    }
    add_instruction(p, BPF_RET | BPF_K, SEEN_MAX, 0, 0);
}

static void make_filter(const struct fault_world *w, int from, program *p) {
    add_instruction(p, BPF_LD | BPF_H | BPF_ABS, TYPE_AT, 0, 0);
    add_instruction(p, BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 1, 0);
    add_instruction(p, BPF_RET | BPF_K, 0, 0, 0);
    add_instruction(p, BPF_LDX | BPF_B | BPF_MSH, IP_AT, 0, 0);
    VEC_FOREACH (&w->cuts->cuts, cut) {
        struct in_addr to;
        if (cut->flow.from != from || !rejected(cut) || p->n > FILTER_MAX ||
            inet_pton(AF_INET, w->topology->nodes.items[cut->flow.to].address, &to) != 1)
            continue;
        match_flow(p, &cut->flow, ntohl(to.s_addr));
    }
    add_instruction(p, BPF_RET | BPF_K, 0, 0, 0);
}

static int set_filter(const struct fault_world *w, const struct tap *t, struct err *err) {
    program p = {0};
    make_filter(w, t->node, &p);
    struct sock_fprog all = {.len = (unsigned short)p.n, .filter = p.items};
    int r = setsockopt(t->fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all) < 0 ? errno : 0;
    VEC_DONE(&p);
    return r ? err_sys(err, r, "filter of the packet socket of %s", w->topology->nodes.items[t->node].name) : 0;
}

// ---- answering

static int node_at(const struct fault_world *w, struct in_addr address) {
    char text[INET_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET, &address, text, sizeof text);
    for (size_t i = 0; i < w->topology->nodes.n; i++)
        if (str_eq(w->topology->nodes.items[i].address, text))
            return (int)i;
    return -1;
}

// What the sender is to be told; the ports of a TCP segment decide, either side.
static enum net_answer answer_for(const struct tap *t, const struct reject_frame *frame) {
    const struct fault_world *w = t->rejects->world;
    struct net_flow f = {.from = t->node, .to = node_at(w, frame->to), .side = SWITCH_ANY_PORT};
    enum net_answer a = f.to < 0 ? NET_SILENCE : net_cuts_answer(w->cuts, &f);
    if (f.to < 0 || !frame->tcp)
        return a;
    f.side = SWITCH_TO_PORT;
    f.port = frame->to_port;
    a = a ? a : net_cuts_answer(w->cuts, &f);
    f.side = SWITCH_FROM_PORT;
    f.port = frame->from_port;
    return a ? a : net_cuts_answer(w->cuts, &f);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg) {
    (void)s, (void)events;
    struct tap *t = arg;
    unsigned char seen[SEEN_MAX], out[REJECT_ANSWER_MAX];
    for (int i = 0; i < BURST; i++) {
        struct reject_frame frame;
        ssize_t n = recv(fd, seen, sizeof seen, MSG_DONTWAIT);
        if (n < 0)
            break;
        if (!reject_frame_read(seen, (size_t)n, &frame))
            continue;
        size_t len = reject_answer_make(&frame, answer_for(t, &frame), out);
        if (len && send(fd, out, len, MSG_DONTWAIT) >= 0)
            t->answered++;
    }
    return 0;
}

// ---- following the cuts

static bool node_rejects(const struct fault_world *w, int node) {
    VEC_FOREACH (&w->cuts->cuts, cut)
        if (cut->flow.from == node && rejected(cut))
            return true;
    return false;
}

static void tap_close(struct tap *t) {
    sd_event_source_disable_unref(STEAL(t->readable));
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
}

static int tap_open(const struct fault_world *w, struct tap *t, struct err *err) {
    t->fd = switch_port_tap(w->sw, w->topology->nodes.items[t->node].name, err);
    if (t->fd < 0)
        return t->fd;
    int r = set_filter(w, t, err);
    if (r >= 0)
        r = switch_port_tap_start(w->sw, w->topology->nodes.items[t->node].name, t->fd, err);
    if (r < 0)
        return r;
    r = sd_event_add_io(w->loop, &t->readable, t->fd, EPOLLIN, on_readable, t);
    return r < 0 ? err_sys(err, -r, "watch a packet socket") : 0;
}

static struct net_rejects *make(const struct fault_world *w) {
    struct net_rejects *r = xcalloc(1, sizeof *r);
    r->world = w;
    for (int i = 0; i < NODES_MAX; i++)
        r->taps[i] = (struct tap){.rejects = r, .node = i, .fd = -1};
    return r;
}

int net_rejects_commit(const struct fault_world *w, struct err *err) {
    int r = 0;
    for (int i = 0; r >= 0 && i < (int)w->topology->nodes.n; i++) {
        bool want = node_rejects(w, i);
        if (want && !w->cuts->rejects)
            w->cuts->rejects = make(w);
        struct tap *t = w->cuts->rejects ? &w->cuts->rejects->taps[i] : NULL;
        if (t && t->fd >= 0 && want)
            r = set_filter(w, t, err);
        else if (t && want)
            r = tap_open(w, t, err);
        else if (t)
            tap_close(t);
        if (r < 0)
            tap_close(t);
    }
    return r;
}

void net_rejects_free(struct net_rejects *r) {
    for (int i = 0; r && i < NODES_MAX; i++)
        tap_close(&r->taps[i]);
    free(r);
}
