// SPDX-License-Identifier: PostgreSQL
#pragma once
// Frames made by hand, for the tests of the link shaper.
#include "injector/shaper/packet.h"

// Ethernet + IPv4 from 10.0.0.`src` to 10.0.0.`dst`, with a correct IP checksum. Returns its length.
size_t frame_udp(uint8_t *out, int src, int dst, const void *payload, size_t len);
size_t frame_tcp(uint8_t *out, int src, int dst, uint16_t sport, uint16_t dport, uint32_t seq, uint8_t flags,
                 const void *payload, size_t len);
uint32_t frame_address(int host);                           // network order
bool frame_checksum_good(const uint8_t *frame, size_t len); // TCP or UDP, over the pseudo header
