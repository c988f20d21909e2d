// SPDX-License-Identifier: PostgreSQL
#pragma once
// Ethernet frames as a packet socket with PACKET_VNET_HDR gives them: super-packets that a network card would still cut
// into segments, and checksums that it would still fill in. Pure: bytes in, bytes out; any bytes are survived.
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKET_FRAME_MAX = 65536 + 14 };

struct packet_view {   // of an IPv4 frame
    uint32_t src, dst; // network order, as in the header
    uint8_t protocol;
    bool fragment;           // a part of a datagram: no ports, no checksum of its own
    bool ports;              // the two below are known (TCP or UDP, not a later fragment)
    uint16_t sport, dport;   // host order
    size_t l4, payload, end; // offsets in the frame: header of TCP/UDP, its payload, the end of the IP packet
};
// false: no IPv4, or the lengths in it contradict the frame.
bool packet_parse(const uint8_t *frame, size_t len, struct packet_view *ret);

typedef void (*packet_piece)(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len);
// Cuts it into its segments, as the card would: sequence numbers, lengths and IP ids go on, FIN and PSH stay on the last,
// CWR on the first, checksums are left to be finished (NEEDS_CSUM). false: it is none, or broken; nothing was given.
bool packet_split(const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len, packet_piece piece, void *arg);

// Fills in the checksum that was left to the card and says so in vnet. false: the offsets lie outside of the frame.
bool packet_finish_checksum(struct virtio_net_hdr *vnet, uint8_t *frame, size_t len);
// Flips one bit of the payload (which one: `random`), with the checksum finished before, so that the receiver's kernel
// must notice. false: nothing to flip (no payload, a fragment, a UDP datagram without checksum, a super-packet).
bool packet_corrupt(struct virtio_net_hdr *vnet, uint8_t *frame, size_t len, uint64_t random);
// RFC 1071: the ones' complement sum of `len` bytes upon `sum`, folded and complemented.
uint16_t packet_checksum(const uint8_t *data, size_t len, uint32_t sum);
