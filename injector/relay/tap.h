// SPDX-License-Identifier: PostgreSQL
#pragma once
// Frames out of the switch's sink and into its ports, over packet sockets (packet(7)): received from a ring shared with
// the kernel, because a socket's own buffer is too small for bursts and may not be enlarged here; with the virtio header,
// because the links carry super-packets with unfinished checksums; and sent around the ports' queueing disciplines,
// because the filters that redirect to us sit there and would redirect for ever.
#include <linux/virtio_net.h>

#include "lab/base/err.h"
#include "lab/sandbox/redirect.h"

enum { TAP_FRAMES = 480 }; // of the ring
struct tap {
    int rx, tx;
    unsigned char *ring;
    unsigned next;   // frame of the ring
    uint64_t lost;   // frames for which the ring had no room, so far: loss that nobody asked for
    uint64_t unsent; // frames that no port took, but for ports that are down
    int why;         // errno of the last of them
};
// In the switch's network namespace, with CAP_NET_RAW. Tries the whole way: a frame sent the usual way must come back
// through the filter, one sent around it must not. Takes 10 ms.
int tap_open(struct tap *t, const struct switch_sink *sink, struct err *err);
void tap_close(struct tap *t);

typedef void (*tap_frame)(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len);
// What has come, at most `max` frames. Returns how many.
unsigned tap_read(struct tap *t, unsigned max, tap_frame frame, void *arg);
void tap_send(struct tap *t, int port, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len);
void tap_count(struct tap *t); // brings t->lost up to date
