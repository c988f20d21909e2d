// SPDX-License-Identifier: PostgreSQL
// libFuzzer target: any bytes are a virtio header and a frame that meets every kind of rule. No crash, and what comes out
// is what went in or a piece of it.
#include <stdlib.h>
#include <string.h>

#include "injector/shaper/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct virtio_net_hdr vnet;
    struct packet_view v = {0};
    if (size < sizeof vnet || size > sizeof vnet + PACKET_FRAME_MAX)
        return 0;
    memcpy(&vnet, data, sizeof vnet);
    data += sizeof vnet;
    size -= sizeof vnet;
    (void)packet_parse(data, size, &v);
    struct shape_core *c = shape_core_new(1 << 24);
    for (int kind = 0; kind < SHAPE_JAM; kind++) {
        struct shape_rule r = {.kind = (enum shape_kind)kind, .fault = 1, .seed = 3, .p = 0.5, .delay_ns = 1000};
        r.match = (struct shape_match){.src = v.src, .dst = v.dst};
        r.bits_per_s = 1000000;
        r.queue_ns = UINT64_MAX / 4;
        shape_core_add(c, &r);
    }
    for (int i = 0; i < 4; i++)
        shape_core_put(c, 1000, &vnet, data, size);
    shape_core_end(c, 1, 1000, false);
    for (struct shape_packet *p; (p = shape_core_take(c, UINT64_MAX));) {
        size_t len;
        (void)shape_packet_frame(p, &len);
        if (len > size)
            abort();
        shape_core_left(c, p, 1000);
    }
    if (shape_core_holds(c, 1))
        abort();
    shape_core_free(c);
    return 0;
}
