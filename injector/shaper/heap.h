// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the core: packets by the time at which they are due; equal times leave in the order in which they came.
#include "injector/shaper/rule.h"

enum { SHAPE_NOTES = 8 }; // rules of one packet whose delay can be given back; more than eight on one pair: nobody does
struct rule;
struct note {
    struct rule *rule;
    uint64_t add; // ns
};
struct shape_packet {
    uint64_t due, serial;
    uint32_t src, dst;
    bool out_of_order; // a rule put it out of order on purpose
    unsigned jams;     // rules that hold it until they end
    size_t n_by;
    struct note by[SHAPE_NOTES];
    struct virtio_net_hdr vnet;
    size_t len;
    uint8_t frame[];
};

struct packet_heap { // the least is items[0]
    struct shape_packet **items;
    size_t n, cap;
};
void packet_heap_push(struct packet_heap *h, struct shape_packet *p);
struct shape_packet *packet_heap_pop(struct packet_heap *h); // not when empty
void packet_heap_by_serial(struct packet_heap *h);           // no heap any more until ...
void packet_heap_repair(struct packet_heap *h);              // ... this, also after times were changed
void packet_heap_done(struct packet_heap *h);                // frees the packets too
