// SPDX-License-Identifier: PostgreSQL
#pragma once
// From a frame that is rejected to the frame that says so. Pure: bytes in, bytes out.
#include <netinet/in.h>

#include "injector/net/net_cuts.h"

enum { REJECT_ANSWER_MAX = 128 };

struct reject_frame { // borrowed from the bytes that were read
    const unsigned char *ethernet, *ip, *payload;
    size_t ip_header, seen; // length of the IP header; bytes of payload that were seen
    size_t length;          // of the payload, as the IP header says
    struct in_addr from, to;
    bool tcp;
    uint16_t from_port, to_port; // host order
};
// An Ethernet frame with IPv4 in it that may be answered: no fragment but the first, no RST, no ICMP error.
bool reject_frame_read(const unsigned char *bytes, size_t n, struct reject_frame *ret);
// The frame to send back, into out[REJECT_ANSWER_MAX]; its length, 0 = none. What is no TCP can't be reset: it is answered
// with "port unreachable".
size_t reject_answer_make(const struct reject_frame *f, enum net_answer answer, unsigned char *out);
