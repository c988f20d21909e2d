// SPDX-License-Identifier: PostgreSQL
#pragma once
// The heart of the link shaper: packets and rules in, the same packets out, later, fewer or more. Pure: it has no clock and
// no socket, times are given in nanoseconds.
//
// Order: packets that no rule puts out of order leave in the order in which they came, at heal too. A rule that ends
// gives its share of every held packet's delay back; what is due then leaves at once, in order.
#include "injector/shaper/rule.h"

struct shape_stats { // of one fault: all its rules together
    uint64_t seen;   // packets (segments, where super-packets are split) that its rules matched
    uint64_t dropped, corrupted, duplicated, reordered, delayed;
    uint64_t overflow; // dropped because the queue of a rate, or the shaper's memory, was full
    uint64_t held;     // now
    uint64_t held_max; // at one time
    uint64_t late_p50_us, late_p99_us, late_max_us; // how much later than meant packets left: the machine's share
    uint64_t late_n;
};

struct shape_packet; // opaque but for what a sender needs
struct virtio_net_hdr *shape_packet_vnet(struct shape_packet *p);
uint8_t *shape_packet_frame(struct shape_packet *p, size_t *ret_len);
uint32_t shape_packet_dst(const struct shape_packet *p); // network order; 0 = no IPv4

struct shape_core;
struct shape_core *shape_core_new(size_t max_bytes); // of packets held at one time
void shape_core_free(struct shape_core *c);

void shape_core_add(struct shape_core *c, const struct shape_rule *r);
// Its rules match nothing any more; what they hold is due. discard: what they hold is dropped (somebody cut the way).
void shape_core_end(struct shape_core *c, uint32_t fault, uint64_t now, bool discard);
bool shape_core_holds(const struct shape_core *c, uint32_t fault); // a packet it touched has not left yet
bool shape_core_stats(const struct shape_core *c, uint32_t fault, struct shape_stats *ret); // false: unknown
void shape_core_forget(struct shape_core *c, uint32_t fault);                               // after its end

// A packet has come. Copies it.
void shape_core_put(struct shape_core *c, uint64_t now, const struct virtio_net_hdr *vnet, const uint8_t *frame,
                    size_t len);
uint64_t shape_core_deadline(const struct shape_core *c); // when the next is due; UINT64_MAX = none
// The next packet that is due, or NULL. The caller sends it and gives it back with the time at which it had left.
struct shape_packet *shape_core_take(struct shape_core *c, uint64_t now);
void shape_core_left(struct shape_core *c, struct shape_packet *p, uint64_t now);
