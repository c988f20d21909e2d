// SPDX-License-Identifier: PostgreSQL
#include "lab/reach/matrix_probe.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lab/reach/probe_socket.h"
#include "lab/reach/segment.h"

// A raw TCP socket is offered every segment that its namespace receives. The filter, run before anything is queued or
// anybody is woken, keeps those to a probe's port. It sees the packet from its IP header on.
static int only_answers(int fd) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), // X = length of the IP header
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),  // A = TCP destination port
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, MATRIX_PORT_FIRST, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 128), // IP header with options and TCP header without
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

int matrix_probe_open(const struct node *n, const char *address, struct err *err) {
    cleanup_close int fd = probe_socket_raw(n, IPPROTO_TCP, err);
    if (fd < 0)
        return fd;
    int r = only_answers(fd);
    if (r < 0)
        return err_sys(err, -r, "filter of the raw socket on %s", node_name(n));
    struct sockaddr_in a = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
        return err_set(err, EINVAL, "'%s' is not an address", address);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
        return err_sys(err, errno, "bind a raw socket to %s on %s", address, node_name(n));
    return STEAL_FD(fd);
}

static void send_segment(int fd, const struct matrix_flow *f, struct tcphdr *tcp) {
    tcp->source = htons(f->from_port);
    tcp->dest = htons(f->to_port);
    tcp->doff = sizeof *tcp / 4;
    tcp->check = segment_checksum(f->from, f->to, tcp, sizeof *tcp);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = f->to};
    (void)sendto(fd, tcp, sizeof *tcp, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

void matrix_probe_syn(int fd, const struct matrix_flow *flow) {
    struct tcphdr tcp = {.seq = htonl(flow->seq), .syn = 1, .window = htons(65535)};
    send_segment(fd, flow, &tcp);
}

void matrix_probe_rst(int fd, const struct matrix_flow *flow) {
    struct tcphdr tcp = {.seq = htonl(flow->seq + 1), .rst = 1};
    send_segment(fd, flow, &tcp);
}

static bool parse(const unsigned char *packet, size_t len, struct matrix_answer *ret) {
    struct iphdr ip;
    struct tcphdr tcp;
    if (len < sizeof ip)
        return false;
    memcpy(&ip, packet, sizeof ip);
    if (len < (size_t)ip.ihl * 4 + sizeof tcp)
        return false;
    memcpy(&tcp, packet + (size_t)ip.ihl * 4, sizeof tcp);
    if (!tcp.ack || !(tcp.syn || tcp.rst))
        return false;
    *ret = (struct matrix_answer){.from.s_addr = ip.saddr,
                                  .from_port = ntohs(tcp.source),
                                  .to_port = ntohs(tcp.dest),
                                  .ack = ntohl(tcp.ack_seq),
                                  .refused = tcp.rst};
    return true;
}

bool matrix_probe_read(int fd, struct matrix_answer *ret) {
    unsigned char packet[128];
    for (;;) {
        ssize_t n = recv(fd, packet, sizeof packet, MSG_DONTWAIT);
        if (n < 0)
            return false;
        if (parse(packet, (size_t)n, ret))
            return true;
    }
}
