// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the shaper does to one packet: rules and their decisions. Pure; random numbers come from each rule's own
// splitmix64, always SHAPE_DRAWS per packet that the rule matches: the n-th packet of a flow meets the same fate in every
// run of a seed, whatever the other rules do.
#include "injector/shaper/packet.h"

enum shape_kind { // in the order in which they work on a packet: as netem does it in one qdisc
    SHAPE_LOSS,
    SHAPE_CORRUPT,
    SHAPE_DUPLICATE,
    SHAPE_DELAY,
    SHAPE_REORDER,
    SHAPE_RATE,
    SHAPE_JAM,
    SHAPE_KINDS
};
enum shape_dist { SHAPE_UNIFORM, SHAPE_NORMAL, SHAPE_PARETO };
enum { SHAPE_DRAWS = 4 };
enum { SHAPE_FRAMING = 24 }; // bytes on a wire that no frame shows: preamble 8, checksum 4, gap 12 (IEEE 802.3)

struct shape_match {
    uint32_t src, dst; // network order
    uint8_t side;      // enum switch_side: 0 any packet, 1 TCP to the port, 2 TCP from it
    uint16_t port;     // host order
    uint16_t over;     // only IP packets of more than so many bytes; 0 = all
};

struct shape_rule { // as sent to the relay
    uint32_t fault; // whose it is
    enum shape_kind kind;
    struct shape_match match;
    uint64_t seed;
    double p;           // loss, corrupt, duplicate, reorder: share of packets, 0..1
    double burst;       // loss: mean length of a run of lost packets; 0 = each on its own
    uint64_t delay_ns;  // delay: mean; reorder: how much later
    uint64_t jitter_ns; // uniform: +- so much; normal, pareto: standard deviation
    enum shape_dist dist;
    bool free_order;     // delay: jitter may change the order
    uint64_t bits_per_s; // rate
    uint64_t queue_ns;   // rate: a packet that would wait longer is dropped
};

struct shape_draws {
    uint64_t u[SHAPE_DRAWS];
};
double shape_unit(uint64_t u); // 0 <= x < 1

bool shape_matches(const struct shape_match *m, const struct packet_view *v);
bool shape_per_packet(enum shape_kind kind); // decides packet by packet: super-packets are split for it

// Lost? `bad` is the state of Gilbert's model (1960): in the bad state every packet is lost, its mean length is burst,
// and p of all packets are lost: P(good->bad) = p / (burst * (1 - p)), P(bad->good) = 1 / burst.
bool shape_loses(const struct shape_rule *r, bool *bad, const struct shape_draws *d);
// How long to hold it. Never less than 0. Normal is cut at 3 deviations. Pareto has shape 3, moved and scaled to the mean
// and deviation asked for: its least is mean - 0.577 deviations, its tail is cut at 10.
uint64_t shape_delay(const struct shape_rule *r, const struct shape_draws *d);
// How far below the mean it can be, in deviations: 1, 3, 0.577.
double shape_reach(enum shape_dist dist);
