// SPDX-License-Identifier: PostgreSQL
// A packet goes through the rules that match it, in the order of enum shape_kind; each may drop it, change it, or add to
// the time at which it is due, and leaves a note of what it added. A heap holds what is due some day; what a jam holds
// waits beside it, in the order in which it came.
#include "injector/shaper/core.h"

#include "injector/shaper/heap.h"
#include "injector/shaper/late.h"
#include "lab/base/random.h"
#include "lab/base/vec.h"

struct rule {
    struct shape_rule r;
    struct random random;
    bool bad, ended;
    uint64_t last_out; // delay: when the packet before is due, for order; rate: until when the line is busy
    struct shape_stats n;
    struct late late;
};

struct shape_core {
    VEC(struct rule *) rules; // by kind, then by age
    struct packet_heap due;
    VEC(struct shape_packet *) jammed; // oldest first
    uint64_t serial;
    size_t bytes, max_bytes;
};

struct shape_core *shape_core_new(size_t max_bytes) {
    struct shape_core *c = xcalloc(1, sizeof *c);
    c->max_bytes = max_bytes;
    return c;
}

void shape_core_free(struct shape_core *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->rules.n; i++)
        free(c->rules.items[i]);
    for (size_t i = 0; i < c->jammed.n; i++)
        free(c->jammed.items[i]);
    VEC_DONE(&c->rules);
    VEC_DONE(&c->jammed);
    packet_heap_done(&c->due);
    free(c);
}

void shape_core_add(struct shape_core *c, const struct shape_rule *r) {
    struct rule *new = xcalloc(1, sizeof *new);
    new->r = *r;
    new->random = (struct random){r->seed};
    VEC_PUSH(&c->rules, new);
    for (size_t i = c->rules.n - 1; i > 0 && c->rules.items[i - 1]->r.kind > r->kind; i--) {
        c->rules.items[i] = c->rules.items[i - 1];
        c->rules.items[i - 1] = new;
    }
}

// ---- one packet ----------------------------------------------------------------------------------------------------

static void release(struct shape_core *c, struct shape_packet *p) {
    for (size_t i = 0; i < p->n_by; i++)
        p->by[i].rule->n.held--;
    c->bytes -= p->len;
    free(p);
}

// Notes what the rule did, so that its end can be undone for this packet. No room for a note: the delay stays.
static void touch(struct shape_packet *p, struct rule *r, uint64_t add) {
    p->due += add;
    if (p->n_by == SHAPE_NOTES)
        return;
    p->by[p->n_by++] = (struct note){.rule = r, .add = add};
    if (++r->n.held > r->n.held_max)
        r->n.held_max = r->n.held;
}

static void delay(struct rule *r, struct shape_packet *p, const struct shape_draws *d) {
    uint64_t out = p->due + shape_delay(&r->r, d);
    if (!r->r.free_order && out < r->last_out)
        out = r->last_out;
    r->last_out = out;
    r->n.delayed++;
    touch(p, r, out - p->due);
}

static bool take_turn(struct rule *r, struct shape_packet *p) { // false: the queue is full
    uint64_t start = p->due > r->last_out ? p->due : r->last_out;
    if (start - p->due > r->r.queue_ns) {
        r->n.overflow++;
        return false;
    }
    double bits = (double)(p->len + SHAPE_FRAMING) * 8;
    r->last_out = start + (uint64_t)(bits * 1e9 / (double)r->r.bits_per_s);
    r->n.delayed++;
    touch(p, r, r->last_out - p->due);
    return true;
}

static bool chance(const struct rule *r, const struct shape_draws *d) {
    return shape_unit(d->u[0]) < r->r.p;
}

static struct shape_packet *packet_new(struct shape_core *c, uint64_t now, const struct virtio_net_hdr *vnet,
                                       const uint8_t *frame, size_t len) {
    struct shape_packet *p = xcalloc(1, sizeof *p + len);
    p->due = now;
    p->serial = c->serial++;
    p->vnet = *vnet;
    p->len = len;
    memcpy(p->frame, frame, len);
    c->bytes += len;
    return p;
}

static struct shape_packet *packet_copy(struct shape_core *c, const struct shape_packet *p) {
    struct shape_packet *copy = packet_new(c, p->due, &p->vnet, p->frame, p->len);
    copy->dst = p->dst;
    copy->src = p->src;
    return copy;
}

static void run_rules(struct shape_core *c, struct shape_packet *p, const struct packet_view *v, size_t from);

// What one rule does. false: the packet is gone.
static bool apply(struct shape_core *c, size_t i, struct shape_packet *p, const struct packet_view *v) {
    struct rule *r = c->rules.items[i];
    struct shape_draws d;
    for (int k = 0; k < SHAPE_DRAWS; k++)
        d.u[k] = random_next(&r->random);
    r->n.seen++;
    switch (r->r.kind) {
    case SHAPE_LOSS:
        if (!shape_loses(&r->r, &r->bad, &d))
            return true;
        r->n.dropped++;
        return false;
    case SHAPE_CORRUPT:
        if (chance(r, &d))
            r->n.corrupted += packet_corrupt(&p->vnet, p->frame, p->len, d.u[1]);
        return true;
    case SHAPE_DUPLICATE:
        if (chance(r, &d)) {
            r->n.duplicated++;
            run_rules(c, packet_copy(c, p), v, i + 1);
        }
        return true;
    case SHAPE_DELAY:
        delay(r, p, &d);
        return true;
    case SHAPE_REORDER:
        if (chance(r, &d)) {
            r->n.reordered++;
            p->out_of_order = true;
            touch(p, r, r->r.delay_ns);
        }
        return true;
    case SHAPE_RATE:
        return take_turn(r, p);
    case SHAPE_JAM:
        touch(p, r, 0);
        p->jams += p->n_by && p->by[p->n_by - 1].rule == r;
        return true;
    case SHAPE_KINDS:
        break;
    }
    return true;
}

static void run_rules(struct shape_core *c, struct shape_packet *p, const struct packet_view *v, size_t from) {
    for (size_t i = from; i < c->rules.n; i++) {
        const struct rule *r = c->rules.items[i];
        if (r->ended || !shape_matches(&r->r.match, v))
            continue;
        p->out_of_order = p->out_of_order || r->r.free_order;
        if (!apply(c, i, p, v)) {
            release(c, p);
            return;
        }
    }
    if (p->jams)
        VEC_PUSH(&c->jammed, p);
    else
        packet_heap_push(&c->due, p);
}

// ---- packets in ----------------------------------------------------------------------------------------------------

struct arrival {
    struct shape_core *c;
    uint64_t now;
};

static void put_one(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    const struct arrival *a = arg;
    struct packet_view v;
    struct shape_packet *p = packet_new(a->c, a->now, vnet, frame, len);
    if (!packet_parse(frame, len, &v)) {
        packet_heap_push(&a->c->due, p); // nothing of ours: straight on
        return;
    }
    p->dst = v.dst;
    p->src = v.src;
    run_rules(a->c, p, &v, 0);
}

static bool full(struct shape_core *c, const struct packet_view *v, size_t len) {
    if (c->bytes + len <= c->max_bytes)
        return false;
    for (size_t k = 0; k < c->rules.n; k++)
        if (!c->rules.items[k]->ended && shape_matches(&c->rules.items[k]->r.match, v))
            c->rules.items[k]->n.overflow++;
    return true;
}

void shape_core_put(struct shape_core *c, uint64_t now, const struct virtio_net_hdr *vnet, const uint8_t *frame,
                    size_t len) {
    struct arrival a = {.c = c, .now = now};
    struct packet_view v;
    bool split = false;
    if (packet_parse(frame, len, &v)) {
        if (full(c, &v, len))
            return;
        for (size_t k = 0; k < c->rules.n; k++)
            split = split || (!c->rules.items[k]->ended && shape_per_packet(c->rules.items[k]->r.kind) &&
                              shape_matches(&c->rules.items[k]->r.match, &v));
    }
    if (!split || !packet_split(vnet, frame, len, put_one, &a))
        put_one(&a, vnet, frame, len);
}

// ---- packets out ---------------------------------------------------------------------------------------------------

uint64_t shape_core_deadline(const struct shape_core *c) {
    return c->due.n ? c->due.items[0]->due : UINT64_MAX;
}

struct shape_packet *shape_core_take(struct shape_core *c, uint64_t now) {
    return c->due.n && c->due.items[0]->due <= now ? packet_heap_pop(&c->due) : NULL;
}

void shape_core_left(struct shape_core *c, struct shape_packet *p, uint64_t now) {
    for (size_t i = 0; i < p->n_by; i++)
        late_add(&p->by[i].rule->late, now > p->due ? now - p->due : 0);
    release(c, p);
}

struct virtio_net_hdr *shape_packet_vnet(struct shape_packet *p) {
    return &p->vnet;
}
uint8_t *shape_packet_frame(struct shape_packet *p, size_t *ret_len) {
    *ret_len = p->len;
    return p->frame;
}
uint32_t shape_packet_dst(const struct shape_packet *p) {
    return p->dst;
}

// ---- the end of a fault --------------------------------------------------------------------------------------------

static bool touched_by(const struct shape_packet *p, uint32_t fault) {
    for (size_t i = 0; i < p->n_by; i++)
        if (p->by[i].rule->r.fault == fault)
            return true;
    return false;
}

// Gives the delay of the fault's rules back. The notes stay: they tell who still holds the packet.
static void give_back(struct shape_packet *p, uint32_t fault, uint64_t now) {
    bool touched = false;
    for (size_t i = 0; i < p->n_by; i++) {
        struct note *n = &p->by[i];
        if (n->rule->r.fault != fault)
            continue;
        touched = true;
        p->jams -= n->rule->r.kind == SHAPE_JAM && p->jams;
        p->out_of_order = p->out_of_order && n->rule->r.kind != SHAPE_REORDER && !n->rule->r.free_order;
        p->due -= n->add;
        n->add = 0;
    }
    if (touched && p->due < now)
        p->due = now;
}

// Those the fault has touched may now be due before others that came earlier: each waits for the one before it.
static void keep_order(struct shape_core *c, uint32_t fault) {
    struct shape_packet **p = c->due.items;
    packet_heap_by_serial(&c->due);
    for (size_t i = 0; i < c->due.n; i++) {
        if (p[i]->out_of_order || !touched_by(p[i], fault))
            continue;
        for (size_t k = i; k-- > 0;) // the one before, on the same way
            if (p[k]->src == p[i]->src && p[k]->dst == p[i]->dst && !p[k]->out_of_order && touched_by(p[k], fault)) {
                p[i]->due = p[i]->due < p[k]->due ? p[k]->due : p[i]->due;
                break;
            }
    }
    packet_heap_repair(&c->due);
}

static void let_jammed_go(struct shape_core *c, uint32_t fault, uint64_t now, bool discard) {
    size_t kept = 0;
    for (size_t i = 0; i < c->jammed.n; i++) {
        struct shape_packet *p = c->jammed.items[i];
        bool mine = touched_by(p, fault);
        give_back(p, fault, now);
        if (p->jams)
            c->jammed.items[kept++] = p;
        else if (mine && discard)
            release(c, p);
        else
            packet_heap_push(&c->due, p);
    }
    c->jammed.n = kept;
}

static void discard_due(struct shape_core *c, uint32_t fault) {
    size_t kept = 0;
    for (size_t i = 0; i < c->due.n; i++)
        if (touched_by(c->due.items[i], fault))
            release(c, c->due.items[i]);
        else
            c->due.items[kept++] = c->due.items[i];
    c->due.n = kept;
    packet_heap_repair(&c->due);
}

void shape_core_end(struct shape_core *c, uint32_t fault, uint64_t now, bool discard) {
    for (size_t k = 0; k < c->rules.n; k++)
        c->rules.items[k]->ended = c->rules.items[k]->ended || c->rules.items[k]->r.fault == fault;
    if (discard)
        discard_due(c, fault);
    for (size_t i = 0; i < c->due.n; i++)
        give_back(c->due.items[i], fault, now);
    let_jammed_go(c, fault, now, discard);
    keep_order(c, fault);
}

bool shape_core_holds(const struct shape_core *c, uint32_t fault) {
    for (size_t k = 0; k < c->rules.n; k++)
        if (c->rules.items[k]->r.fault == fault && c->rules.items[k]->n.held)
            return true;
    return false;
}

bool shape_core_stats(const struct shape_core *c, uint32_t fault, struct shape_stats *ret) {
    struct shape_stats all = {0};
    struct late late = {0};
    bool known = false;
    for (size_t k = 0; k < c->rules.n; k++) {
        const struct rule *r = c->rules.items[k];
        if (r->r.fault != fault)
            continue;
        known = true;
        all.seen += r->n.seen;
        all.dropped += r->n.dropped;
        all.corrupted += r->n.corrupted;
        all.duplicated += r->n.duplicated;
        all.reordered += r->n.reordered;
        all.delayed += r->n.delayed;
        all.overflow += r->n.overflow;
        all.held += r->n.held;
        all.held_max += r->n.held_max;
        late_merge(&late, &r->late);
    }
    all.late_n = late.n;
    all.late_p50_us = late_quantile_us(&late, 0.5);
    all.late_p99_us = late_quantile_us(&late, 0.99);
    all.late_max_us = late.max_ns / 1000;
    *ret = all;
    return known;
}

void shape_core_forget(struct shape_core *c, uint32_t fault) {
    size_t kept = 0;
    for (size_t i = 0; i < c->rules.n; i++) {
        struct rule *r = c->rules.items[i];
        if (r->r.fault == fault && r->ended && !r->n.held)
            free(r);
        else
            c->rules.items[kept++] = r;
    }
    c->rules.n = kept;
}
