// SPDX-License-Identifier: PostgreSQL
#include "lab/reach/segment.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lab/reach/probe_socket.h"

enum { PAYLOAD_MAX = 1400, HEADERS_MAX = 60 + sizeof(struct tcphdr), FLAGS_AT = 13, RST_ALONE = 0x04 };

// Kernels send RST with ACK, or without one a plain RST that carries no payload; ours are RST alone with one. The filter
// sees the packet from its IP header on and runs before anybody is woken.
static int only_ours(int fd) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),       // X = length of the IP header
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, FLAGS_AT), // A = TCP flags
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RST_ALONE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, HEADERS_MAX + 64), // our payloads tell what they are in less
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

int segment_open(const struct node *n, const char *address, struct err *err) {
    cleanup_close int fd = probe_socket_raw(n, IPPROTO_TCP, err);
    if (fd < 0)
        return fd;
    struct sockaddr_in a = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
        return err_set(err, EINVAL, "'%s' is not an address", address);
    int r = only_ours(fd);
    if (r < 0)
        return err_sys(err, -r, "filter of the raw socket on %s", node_name(n));
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
        return err_sys(err, errno, "bind a raw socket to %s on %s", address, node_name(n));
    return STEAL_FD(fd);
}

static uint32_t sum_words(uint32_t sum, const unsigned char *at, size_t len) {
    for (; len > 1; at += 2, len -= 2)
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it does not follow a struct into its bytes
        sum += (uint32_t)at[0] << 8 | at[1];
    return len ? sum + ((uint32_t)at[0] << 8) : sum;
}

uint16_t segment_checksum(struct in_addr from, struct in_addr to, const void *segment, size_t len) {
    struct {
        struct in_addr from, to;
        uint16_t protocol, length;
    } pseudo = {from, to, htons(IPPROTO_TCP), htons((uint16_t)len)};
    uint32_t sum = sum_words(sum_words(0, (const unsigned char *)&pseudo, sizeof pseudo), segment, len);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

void segment_send(int fd, struct in_addr from, struct in_addr to, uint16_t from_port, uint16_t to_port,
                  const void *payload, size_t len) {
    _Alignas(struct tcphdr) unsigned char packet[sizeof(struct tcphdr) + PAYLOAD_MAX];
    struct tcphdr tcp = {.source = htons(from_port), .dest = htons(to_port), .doff = sizeof tcp / 4, .rst = 1};
    if (len > PAYLOAD_MAX)
        return;
    memcpy(packet, &tcp, sizeof tcp);
    memcpy(packet + sizeof tcp, payload, len);
    tcp.check = segment_checksum(from, to, packet, sizeof tcp + len);
    memcpy(packet, &tcp, sizeof tcp);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = to};
    (void)sendto(fd, packet, sizeof tcp + len, MSG_DONTWAIT, (struct sockaddr *)&where, sizeof where);
}

ssize_t segment_read(int fd, void *payload, size_t size) {
    unsigned char packet[HEADERS_MAX + 64];
    ssize_t n = recv(fd, packet, sizeof packet, MSG_DONTWAIT);
    if (n < (ssize_t)sizeof(struct iphdr))
        return -1;
    size_t headers = (size_t)(packet[0] & 0x0f) * 4 + sizeof(struct tcphdr);
    size_t len = (size_t)n > headers ? (size_t)n - headers : 0;
    len = len < size ? len : size;
    memcpy(payload, packet + headers, len);
    return (ssize_t)len;
}
