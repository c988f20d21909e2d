// SPDX-License-Identifier: PostgreSQL
#include "injector/shaper/packet.h"

#include <netinet/in.h>
#include <string.h>

enum { ETH = 14, IP_MIN = 20, TCP_MIN = 20, UDP_LEN = 8 };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}
static void put16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static uint32_t get32(const uint8_t *p) {
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}
static void put32(uint8_t *p, uint32_t v) {
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

static uint32_t add_up(const uint8_t *data, size_t len, uint32_t sum) {
    uint64_t all = sum;
    for (; len > 1; data += 2, len -= 2)
        all += get16(data);
    if (len)
        all += (uint64_t)*data << 8;
    while (all >> 16)
        all = (all & 0xffff) + (all >> 16);
    return (uint32_t)all;
}

uint16_t packet_checksum(const uint8_t *data, size_t len, uint32_t sum) {
    return (uint16_t)~add_up(data, len, sum);
}

static bool parse_ports(const uint8_t *frame, struct packet_view *v) {
    size_t room = v->end - v->l4;
    size_t header = v->protocol == IPPROTO_UDP ? UDP_LEN : TCP_MIN;
    if (v->fragment || (v->protocol != IPPROTO_UDP && v->protocol != IPPROTO_TCP))
        return true;
    if (room < header)
        return false;
    if (v->protocol == IPPROTO_TCP)
        header = (size_t)(frame[v->l4 + 12] >> 4) * 4;
    if (header < (v->protocol == IPPROTO_UDP ? UDP_LEN : TCP_MIN) || room < header)
        return false;
    v->ports = true;
    v->sport = get16(frame + v->l4);
    v->dport = get16(frame + v->l4 + 2);
    v->payload = v->l4 + header;
    return true;
}

bool packet_parse(const uint8_t *frame, size_t len, struct packet_view *ret) {
    if (len < ETH + IP_MIN || get16(frame + 12) != 0x0800 || frame[ETH] >> 4 != 4)
        return false;
    size_t header = (size_t)(frame[ETH] & 15) * 4, total = get16(frame + ETH + 2);
    if (header < IP_MIN || total < header || ETH + total > len)
        return false;
    struct packet_view v = {.protocol = frame[ETH + 9], .l4 = ETH + header, .end = ETH + total};
    v.payload = v.l4;
    v.fragment = get16(frame + ETH + 6) & 0x3fff; // MF, or an offset
    memcpy(&v.src, frame + ETH + 12, 4);
    memcpy(&v.dst, frame + ETH + 16, 4);
    if (!parse_ports(frame, &v))
        return false;
    *ret = v;
    return true;
}

// A TCP/IPv4 super-packet?
static bool packet_is_super(const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    struct packet_view v;
    return (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4 && vnet->gso_size > 0 &&
           packet_parse(frame, len, &v) && v.protocol == IPPROTO_TCP && v.ports && v.end - v.payload > vnet->gso_size;
}

struct cut {
    const uint8_t *frame;
    struct packet_view v;
    size_t at, size; // of this piece's payload, from v.payload
    unsigned number;
    bool last;
};

// The pseudo header's sum, which is what NEEDS_CSUM expects in the field (include/linux/skbuff.h, "CHECKSUM_PARTIAL").
static uint16_t pseudo(const uint8_t *piece, size_t segment) {
    return (uint16_t)add_up(piece + ETH + 12, 8, (uint32_t)(IPPROTO_TCP + segment));
}

static void fill_piece(const struct cut *c, uint8_t *out) {
    const struct packet_view *v = &c->v;
    size_t headers = v->payload;
    memcpy(out, c->frame, headers);
    memcpy(out + headers, c->frame + headers + c->at, c->size);
    uint8_t *ip = out + ETH, *tcp = out + v->l4;
    put16(ip + 2, (uint16_t)(headers - ETH + c->size));
    put16(ip + 4, (uint16_t)(get16(ip + 4) + c->number));
    put16(ip + 10, 0);
    put16(ip + 10, packet_checksum(ip, v->l4 - ETH, 0));
    put32(tcp + 4, get32(tcp + 4) + (uint32_t)c->at);
    if (!c->last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (c->number)
        tcp[13] &= (uint8_t)~TCP_CWR;
    put16(tcp + 16, pseudo(out, headers - v->l4 + c->size));
}

bool packet_split(const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len, packet_piece piece, void *arg) {
    struct cut c = {.frame = frame};
    if (!packet_is_super(vnet, frame, len) || !packet_parse(frame, len, &c.v))
        return false;
    uint8_t out[PACKET_FRAME_MAX];
    size_t all = c.v.end - c.v.payload;
    struct virtio_net_hdr plain = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = (uint16_t)c.v.l4, .csum_offset = 16};
    for (; c.at < all; c.at += c.size, c.number++) {
        c.size = all - c.at < vnet->gso_size ? all - c.at : vnet->gso_size;
        c.last = c.at + c.size == all;
        fill_piece(&c, out);
        piece(arg, &plain, out, c.v.payload + c.size);
    }
    return true;
}

bool packet_finish_checksum(struct virtio_net_hdr *vnet, uint8_t *frame, size_t len) {
    if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return true;
    size_t start = vnet->csum_start, field = start + vnet->csum_offset;
    if (start >= len || field + 2 > len)
        return false;
    uint16_t sum = packet_checksum(frame + start, len - start, 0); // the field holds the pseudo header's sum
    put16(frame + field, sum ? sum : 0xffff);                      // 0 means "none" to UDP (RFC 768)
    vnet->flags &= (uint8_t)~VIRTIO_NET_HDR_F_NEEDS_CSUM;
    vnet->csum_start = vnet->csum_offset = 0;
    return true;
}

bool packet_corrupt(struct virtio_net_hdr *vnet, uint8_t *frame, size_t len, uint64_t random) {
    struct packet_view v;
    if ((vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_NONE || !packet_parse(frame, len, &v) ||
        !v.ports || v.end == v.payload)
        return false;
    bool partial = vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    if (!partial && v.protocol == IPPROTO_UDP && get16(frame + v.l4 + 6) == 0)
        return false; // no checksum: the flip would reach the application
    if (!packet_finish_checksum(vnet, frame, v.end))
        return false;
    uint64_t bit = random % ((uint64_t)(v.end - v.payload) * 8);
    frame[v.payload + bit / 8] ^= (uint8_t)(1u << (bit & 7));
    vnet->flags &= (uint8_t)~VIRTIO_NET_HDR_F_DATA_VALID; // "checked already" would wave it through
    return true;
}
