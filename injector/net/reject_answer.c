// SPDX-License-Identifier: PostgreSQL
#include "injector/net/reject_answer.h"

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

#include "lab/reach/segment.h"

enum { QUOTED = 8 }; // bytes after the IP header that an ICMP error brings back (RFC 792)

bool reject_frame_read(const unsigned char *bytes, size_t n, struct reject_frame *ret) {
    struct iphdr ip;
    if (n < sizeof(struct ether_header) + sizeof ip || bytes[12] != 0x08 || bytes[13] != 0x00)
        return false;
    memcpy(&ip, bytes + sizeof(struct ether_header), sizeof ip);
    size_t header = (size_t)ip.ihl * 4, total = ntohs(ip.tot_len);
    if (header < sizeof ip || total < header || n < sizeof(struct ether_header) + header + QUOTED ||
        ntohs(ip.frag_off) & IP_OFFMASK)
        return false;
    *ret = (struct reject_frame){.ethernet = bytes,
                                 .ip = bytes + sizeof(struct ether_header),
                                 .payload = bytes + sizeof(struct ether_header) + header,
                                 .ip_header = header,
                                 .seen = n - sizeof(struct ether_header) - header,
                                 .length = total - header,
                                 .from.s_addr = ip.saddr,
                                 .to.s_addr = ip.daddr,
                                 .tcp = ip.protocol == IPPROTO_TCP};
    if (ip.protocol == IPPROTO_ICMP)
        return ret->payload[0] == ICMP_ECHO;
    if (!ret->tcp)
        return true;
    struct tcphdr tcp;
    if (ret->seen < sizeof tcp)
        return false;
    memcpy(&tcp, ret->payload, sizeof tcp);
    ret->from_port = ntohs(tcp.source);
    ret->to_port = ntohs(tcp.dest);
    return !tcp.rst;
}

static uint16_t internet_checksum(const unsigned char *at, size_t len) {
    uint32_t sum = 0;
    for (; len > 1; at += 2, len -= 2)
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it does not follow a struct into its bytes
        sum += (uint32_t)at[0] << 8 | at[1];
    sum += len ? (uint32_t)at[0] << 8 : 0;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

// Ethernet and IP of the way back, around `len` bytes of payload.
static size_t wrap(const struct reject_frame *f, uint8_t protocol, size_t len, unsigned char *out) {
    struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol};
    ip.tot_len = htons((uint16_t)(sizeof ip + len));
    ip.frag_off = htons(IP_DF);
    ip.saddr = f->to.s_addr;
    ip.daddr = f->from.s_addr;
    ip.check = internet_checksum((const unsigned char *)&ip, sizeof ip);
    memcpy(out, f->ethernet + ETH_ALEN, ETH_ALEN);
    memcpy(out + ETH_ALEN, f->ethernet, ETH_ALEN);
    out[12] = 0x08;
    out[13] = 0x00;
    memcpy(out + sizeof(struct ether_header), &ip, sizeof ip);
    return sizeof(struct ether_header) + sizeof ip + len;
}

static unsigned char *inside(unsigned char *out) {
    return out + sizeof(struct ether_header) + sizeof(struct iphdr);
}

// RFC 9293, 3.10.7.1: a segment with ACK is answered with its acknowledgement number as sequence number (so that an
// established connection takes the reset), one without, a SYN, with RST and ACK of what it occupies.
static size_t make_reset(const struct reject_frame *f, unsigned char *out) {
    struct tcphdr seen, rst = {.source = htons(f->to_port), .dest = htons(f->from_port), .doff = sizeof rst / 4};
    memcpy(&seen, f->payload, sizeof seen);
    size_t data = f->length > (size_t)seen.doff * 4 ? f->length - (size_t)seen.doff * 4 : 0;
    rst.rst = 1;
    if (seen.ack) {
        rst.seq = seen.ack_seq;
    } else {
        rst.ack = 1;
        rst.ack_seq = htonl(ntohl(seen.seq) + seen.syn + seen.fin + (uint32_t)data);
    }
    rst.check = segment_checksum(f->to, f->from, &rst, sizeof rst);
    memcpy(inside(out), &rst, sizeof rst);
    return wrap(f, IPPROTO_TCP, sizeof rst, out);
}

static size_t make_icmp(const struct reject_frame *f, uint8_t code, unsigned char *out) {
    struct icmphdr icmp = {.type = ICMP_DEST_UNREACH, .code = code};
    unsigned char *body = inside(out);
    size_t quoted = f->ip_header + QUOTED, len = sizeof icmp + quoted;
    memcpy(body, &icmp, sizeof icmp);
    memcpy(body + sizeof icmp, f->ip, quoted);
    icmp.checksum = internet_checksum(body, len);
    memcpy(body, &icmp, sizeof icmp);
    return wrap(f, IPPROTO_ICMP, len, out);
}

size_t reject_answer_make(const struct reject_frame *f, enum net_answer answer, unsigned char *out) {
    switch (answer) {
    case NET_RESET:
        return f->tcp ? make_reset(f, out) : make_icmp(f, ICMP_PORT_UNREACH, out);
    case NET_ICMP_PORT:
        return make_icmp(f, ICMP_PORT_UNREACH, out);
    case NET_ICMP_HOST:
        return make_icmp(f, ICMP_HOST_UNREACH, out);
    case NET_ICMP_ADMIN:
        return make_icmp(f, ICMP_PKT_FILTERED, out); // 13, communication administratively prohibited (RFC 1812)
    case NET_SILENCE:
    case NET_ANSWERS:
        break;
    }
    return 0;
}
