// SPDX-License-Identifier: PostgreSQL
// Frames: known checksums, super-packets cut into segments, flips that a receiver notices, and bytes that make no sense.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/shaper/rule.h"
#include "lab/base/random.h"
#include "lab/base/str.h"
#include "tests/unit/frames.h"

static void a_checksum_is_that_of_the_book(void **state) {
    (void)state;
    static const uint8_t rfc1071[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}; // RFC 1071, section 3: ddf2
    assert_int_equal((uint16_t)~0xddf2, packet_checksum(rfc1071, sizeof rfc1071, 0));
    // An IPv4 header from Wikipedia's "IPv4 header checksum" (b861), checksum field 0.
    static const uint8_t ip[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                 0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    assert_int_equal(0xb861, packet_checksum(ip, sizeof ip, 0));
    static const uint8_t odd[] = {0x12, 0x34, 0x56};
    assert_int_equal((uint16_t) ~(0x1234 + 0x5600), packet_checksum(odd, sizeof odd, 0));
}

static void a_frame_is_read(void **state) {
    (void)state;
    uint8_t f[256];
    struct packet_view v;
    size_t len = frame_tcp(f, 1, 2, 5432, 40000, 7, 0x18, "hello", 5);
    assert_true(packet_parse(f, len, &v));
    assert_true(v.src == frame_address(1) && v.dst == frame_address(2) && v.ports);
    assert_int_equal(5432, v.sport);
    assert_int_equal(40000, v.dport);
    assert_int_equal(54, v.payload);
    assert_int_equal(59, v.end);
    f[20] = 0x20; // more fragments
    assert_true(packet_parse(f, len, &v) && v.fragment && !v.ports);
}

struct pieces {
    size_t n;
    uint8_t frame[64][2000];
    size_t len[64];
    struct virtio_net_hdr vnet[64];
};
static void collect(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    struct pieces *p = arg;
    assert_true(p->n < 64 && len <= sizeof p->frame[0]);
    memcpy(p->frame[p->n], frame, len);
    p->vnet[p->n] = *vnet;
    p->len[p->n++] = len;
}

static void a_super_packet_becomes_the_segments_a_card_would_send(void **state) {
    (void)state;
    uint8_t f[70000], data[10000];
    static struct pieces p;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    uint32_t seq = UINT32_MAX - 3000; // wraps on the way
    size_t len = frame_tcp(f, 1, 2, 5432, 40000, seq, 0x80 | 0x18 | 0x01, data, sizeof data);
    struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                  .gso_size = 1448,
                                  .csum_start = 34,
                                  .csum_offset = 16};
    p.n = 0;
    assert_true(packet_split(&vnet, f, len, collect, &p));
    assert_int_equal(7, p.n);
    size_t at = 0;
    for (size_t i = 0; i < p.n; i++) {
        struct packet_view v;
        assert_true(packet_finish_checksum(&p.vnet[i], p.frame[i], p.len[i]));
        assert_true(packet_parse(p.frame[i], p.len[i], &v));
        assert_true(frame_checksum_good(p.frame[i], p.len[i]));
        assert_int_equal(0, packet_checksum(p.frame[i] + 14, 20, 0));
        const uint8_t *tcp = p.frame[i] + 34;
        uint32_t its = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
        assert_int_equal(seq + (uint32_t)at, its);
        assert_int_equal(100 + i, p.frame[i][18] << 8 | p.frame[i][19]);
        assert_memory_equal(data + at, p.frame[i] + v.payload, v.end - v.payload);
        assert_int_equal(i + 1 == p.n, (tcp[13] & 0x01) != 0); // FIN on the last
        assert_int_equal(i + 1 == p.n, (tcp[13] & 0x08) != 0); // PSH on the last
        assert_int_equal(i == 0, (tcp[13] & 0x80) != 0);       // CWR on the first
        at += v.end - v.payload;
    }
    assert_int_equal(sizeof data, at);
    vnet.gso_size = 0;
    assert_false(packet_split(&vnet, f, len, collect, &p));
}

// The receiver's test of a frame: the sum over pseudo header and segment.
static void a_flip_is_always_noticed(void **state) {
    (void)state;
    struct random random = {1};
    for (int i = 0; i < 2000; i++) {
        uint8_t f[512], data[200] = {0}, before[512];
        size_t n = 1 + random_next(&random) % sizeof data;
        size_t len = i & 1 ? frame_udp(f, 1, 2, data, n) : frame_tcp(f, 1, 2, 1, 2, 3, 0x10, data, n);
        struct virtio_net_hdr vnet = {0};
        if (i & 2) { // checksum left to the card: the field holds the pseudo header's sum
            uint8_t pseudo[12] = {0};
            memcpy(pseudo, f + 26, 8);
            pseudo[9] = f[23];
            pseudo[10] = (uint8_t)((len - 34) >> 8);
            pseudo[11] = (uint8_t)(len - 34);
            uint16_t sum = (uint16_t)~packet_checksum(pseudo, sizeof pseudo, 0);
            vnet = (struct virtio_net_hdr){
                .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = i & 1 ? 6 : 16};
            f[34 + vnet.csum_offset] = (uint8_t)(sum >> 8);
            f[35 + vnet.csum_offset] = (uint8_t)sum;
        }
        memcpy(before, f, len);
        assert_true(packet_corrupt(&vnet, f, len, random_next(&random)));
        assert_false(vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
        assert_false(frame_checksum_good(f, len));
        size_t bits = 0, payload = i & 1 ? 42 : 54;
        for (size_t k = payload; k < len; k++)
            bits += (size_t)__builtin_popcount((unsigned)(f[k] ^ before[k]));
        assert_int_equal(1, bits);
    }
}

static void what_could_reach_the_application_is_not_flipped(void **state) {
    (void)state;
    uint8_t f[256];
    struct virtio_net_hdr vnet = {0};
    size_t len = frame_udp(f, 1, 2, "abc", 3);
    f[40] = f[41] = 0; // a datagram without checksum
    assert_false(packet_corrupt(&vnet, f, len, 5));
    len = frame_tcp(f, 1, 2, 1, 2, 3, 0x10, "", 0);
    assert_false(packet_corrupt(&vnet, f, len, 5)); // a bare ACK has no payload
    len = frame_udp(f, 1, 2, "abc", 3);
    f[20] = 0x20; // two flips in two fragments of one datagram could cancel each other
    assert_false(packet_corrupt(&vnet, f, len, 5));
}

static void a_sum_of_zero_is_written_as_ffff(void **state) {
    (void)state;
    uint8_t f[64] = {0};
    struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 0, .csum_offset = 2};
    f[0] = f[1] = 0xff;
    assert_true(packet_finish_checksum(&vnet, f, 4));
    assert_int_equal(0xff, f[2]);
    assert_int_equal(0xff, f[3]);
    vnet = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 3, .csum_offset = 2};
    assert_false(packet_finish_checksum(&vnet, f, 4));
}

static void ignore(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    (void)vnet, (void)frame;
    *(size_t *)arg += len;
}

static void any_bytes_are_survived(void **state) {
    (void)state;
    struct random random = {42};
    for (int i = 0; i < 200000; i++) {
        uint8_t f[300], data[128] = {0};
        size_t total = 0, len = frame_tcp(f, 1, 2, 5432, 2, 3, 0x18, data, random_next(&random) % 129);
        struct virtio_net_hdr vnet;
        uint64_t u = random_next(&random);
        memcpy(&vnet, &u, sizeof u);
        if (i & 1)
            vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        for (int k = 0; k < 3; k++)
            f[random_next(&random) % len] = (uint8_t)random_next(&random);
        len = random_next(&random) % (len + 1);
        (void)packet_split(&vnet, f, len, ignore, &total);
        (void)packet_corrupt(&vnet, f, len, random_next(&random));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checksum_is_that_of_the_book),
        cmocka_unit_test(a_frame_is_read),
        cmocka_unit_test(a_super_packet_becomes_the_segments_a_card_would_send),
        cmocka_unit_test(a_flip_is_always_noticed),
        cmocka_unit_test(what_could_reach_the_application_is_not_flipped),
        cmocka_unit_test(a_sum_of_zero_is_written_as_ffff),
        cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests_name("frames of the shaper", tests, NULL, NULL);
}
