// SPDX-License-Identifier: PostgreSQL
#include "injector/shaper/heap.h"

#include "lab/base/vec.h"

static bool before(const struct shape_packet *a, const struct shape_packet *b) {
    return a->due != b->due ? a->due < b->due : a->serial < b->serial;
}

static void swap(struct packet_heap *h, size_t a, size_t b) {
    struct shape_packet *p = h->items[a];
    h->items[a] = h->items[b];
    h->items[b] = p;
}

static void sink(struct packet_heap *h, size_t i) {
    for (;;) {
        size_t least = i, left = 2 * i + 1, right = left + 1;
        if (left < h->n && before(h->items[left], h->items[least]))
            least = left;
        if (right < h->n && before(h->items[right], h->items[least]))
            least = right;
        if (least == i)
            return;
        swap(h, i, least);
        i = least;
    }
}

void packet_heap_push(struct packet_heap *h, struct shape_packet *p) {
    VEC_PUSH(h, p);
    for (size_t i = h->n - 1; i > 0 && before(h->items[i], h->items[(i - 1) / 2]); i = (i - 1) / 2)
        swap(h, i, (i - 1) / 2);
}

struct shape_packet *packet_heap_pop(struct packet_heap *h) {
    struct shape_packet *p = h->items[0];
    h->items[0] = h->items[--h->n];
    sink(h, 0);
    return p;
}

static int by_serial(const void *a, const void *b) {
    const struct shape_packet *const *p = a, *const *q = b;
    return (*p)->serial < (*q)->serial ? -1 : (*p)->serial > (*q)->serial;
}

void packet_heap_by_serial(struct packet_heap *h) {
    if (h->n)
        qsort(h->items, h->n, sizeof *h->items, by_serial);
}

void packet_heap_repair(struct packet_heap *h) {
    for (size_t i = h->n / 2; i-- > 0;)
        sink(h, i);
}

void packet_heap_done(struct packet_heap *h) {
    for (size_t i = 0; i < h->n; i++)
        free(h->items[i]);
    VEC_DONE(h);
}
