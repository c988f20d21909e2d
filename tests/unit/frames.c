// SPDX-License-Identifier: PostgreSQL
#include "tests/unit/frames.h"

#include <arpa/inet.h>
#include <string.h>

uint32_t frame_address(int host) {
    return htonl(0x0a000000u + (uint32_t)host);
}

static void put16(uint8_t *p, size_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void headers(uint8_t *f, int src, int dst, uint8_t protocol, size_t l4_len) {
    memset(f, 0, 34);
    put16(f + 12, 0x0800);
    f[14] = 0x45;
    put16(f + 16, 20 + l4_len);
    put16(f + 18, 100); // id
    f[22] = 64;
    f[23] = protocol;
    uint32_t a = frame_address(src), b = frame_address(dst);
    memcpy(f + 26, &a, 4);
    memcpy(f + 30, &b, 4);
    put16(f + 24, packet_checksum(f + 14, 20, 0));
}

static uint16_t l4_checksum(const uint8_t *f, size_t len) {
    uint8_t pseudo[12] = {0};
    memcpy(pseudo, f + 26, 8);
    pseudo[9] = f[23];
    put16(pseudo + 10, len - 34);
    return packet_checksum(f + 34, len - 34, (uint16_t)~packet_checksum(pseudo, sizeof pseudo, 0));
}

size_t frame_udp(uint8_t *f, int src, int dst, const void *payload, size_t len) {
    headers(f, src, dst, 17, 8 + len);
    put16(f + 34, 1111);
    put16(f + 36, 2222);
    put16(f + 38, 8 + len);
    put16(f + 40, 0);
    memcpy(f + 42, payload, len);
    put16(f + 40, l4_checksum(f, 42 + len));
    return 42 + len;
}

size_t frame_tcp(uint8_t *f, int src, int dst, uint16_t sport, uint16_t dport, uint32_t seq, uint8_t flags,
                 const void *payload, size_t len) {
    headers(f, src, dst, 6, 20 + len);
    memset(f + 34, 0, 20);
    put16(f + 34, sport);
    put16(f + 36, dport);
    put16(f + 38, seq >> 16);
    put16(f + 40, seq & 0xffff);
    f[46] = 0x50;
    f[47] = flags;
    memcpy(f + 54, payload, len);
    put16(f + 50, l4_checksum(f, 54 + len));
    return 54 + len;
}

bool frame_checksum_good(const uint8_t *f, size_t len) {
    return l4_checksum(f, len) == 0;
}
