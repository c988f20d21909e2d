// SPDX-License-Identifier: PostgreSQL
// One epoll loop: messages first, so that a rule is in force before the first frame meant for it; then frames; then what
// is due, in slices, so that a release of thousands does not keep us from the ring. It sleeps on a timer of absolute
// time with a slack of a nanosecond: 0.1 ms is the usual error of a delay then.
#include "injector/relay/relay.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lab/base/vec.h"

// To send 64 frames takes 1 to 10 ms, in which the ring must not overflow; it is emptied after each slice.
enum { SLICE = 64, HELD_MAX = 256 << 20 }; // bytes; a jam of a busy lab fills 20 MB in a minute
// After the last held frame: what the kernel had already redirected then has come by now, and was passed on in order.
static const uint64_t SETTLE_NS = 20 * 1000000;

struct ending {
    uint32_t fault;
    uint64_t at, empty_since; // ns; 0 = not empty yet
};
struct relay {
    struct relay_config *config;
    struct shape_core *core;
    int fd, timer, epoll;
    uint64_t now;
    VEC(struct ending) endings;
    bool backlog; // more is due than a slice
    bool over;
};

static uint64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void tell(struct relay *r, const struct relay_message *m) {
    // Never waits: a supervisor that does not read for 200 messages is gone, and we with it.
    if (send(r->fd, m, sizeof *m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
        r->over = true;
}

static void tell_stats(struct relay *r, enum relay_op op, uint32_t fault, uint64_t at) {
    struct relay_message m = {.op = op, .fault = fault, .at_us = at / 1000};
    struct tap *tap = &r->config->tap;
    tap_count(tap);
    m.ok = shape_core_stats(r->core, fault, &m.stats);
    m.lost = tap->lost;
    m.unsent = tap->unsent;
    m.why = tap->why;
    tell(r, &m);
}

static int port_of(const struct relay_config *c, uint32_t address) {
    for (size_t i = 0; i < c->n; i++)
        if (c->address[i] == address)
            return c->port[i];
    return 0;
}

static void send_due(struct relay *r, unsigned max) {
    struct shape_packet *p;
    for (unsigned i = 0; i < max && (p = shape_core_take(r->core, r->now)); i++) {
        size_t len;
        const uint8_t *frame = shape_packet_frame(p, &len);
        int port = port_of(r->config, shape_packet_dst(p));
        if (port)
            tap_send(&r->config->tap, port, shape_packet_vnet(p), frame, len);
        r->now = now_ns();
        shape_core_left(r->core, p, r->now);
    }
}

static void on_frame(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    struct relay *r = arg;
    r->now = now_ns();
    shape_core_put(r->core, r->now, vnet, frame, len);
    if (!r->backlog && shape_core_deadline(r->core) <= r->now)
        send_due(r, 1); // a frame that nothing holds goes straight on
}

static void on_message(struct relay *r, const struct relay_message *m) {
    switch (m->op) {
    case RELAY_RULE:
        shape_core_add(r->core, &m->rule);
        break;
    case RELAY_SYNC:
        tell(r, m);
        break;
    case RELAY_END:
        // What lies in the ring came before this: it is put behind what is held, before that is let go.
        (void)tap_read(&r->config->tap, TAP_FRAMES, on_frame, r);
        r->now = now_ns();
        shape_core_end(r->core, m->fault, r->now, m->discard);
        VEC_PUSH(&r->endings, ((struct ending){.fault = m->fault, .at = r->now}));
        break;
    case RELAY_ASK:
        tell_stats(r, RELAY_ASK, m->fault, r->now);
        break;
    case RELAY_HELLO:
        break;
    }
}

static void read_messages(struct relay *r) {
    struct relay_message m;
    ssize_t n;
    while ((n = recv(r->fd, &m, sizeof m, MSG_DONTWAIT)) == (ssize_t)sizeof m)
        on_message(r, &m);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        r->over = true;
}

// When the next ending may be told; UINT64_MAX = none.
static uint64_t finish_endings(struct relay *r) {
    uint64_t next = UINT64_MAX;
    size_t kept = 0;
    for (size_t i = 0; i < r->endings.n; i++) {
        struct ending e = r->endings.items[i];
        if (!e.empty_since && !shape_core_holds(r->core, e.fault))
            e.empty_since = r->now;
        if (e.empty_since && r->now >= e.empty_since + SETTLE_NS) {
            tell_stats(r, RELAY_END, e.fault, e.at);
            shape_core_forget(r->core, e.fault);
            continue;
        }
        if (e.empty_since && e.empty_since + SETTLE_NS < next)
            next = e.empty_since + SETTLE_NS;
        r->endings.items[kept++] = e;
    }
    r->endings.n = kept;
    return next;
}

static void sleep_until(struct relay *r, uint64_t next) {
    struct itimerspec at = {0};
    if (next != UINT64_MAX) {
        at.it_value.tv_sec = (time_t)(next / 1000000000u);
        at.it_value.tv_nsec = (long)(next % 1000000000u);
    }
    (void)timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void turn(struct relay *r) {
    r->now = now_ns();
    send_due(r, SLICE);
    r->backlog = shape_core_deadline(r->core) <= r->now;
    uint64_t next = finish_endings(r), due = shape_core_deadline(r->core);
    next = due < next ? due : next;
    bool at_once = next <= r->now;
    if (!at_once)
        sleep_until(r, next);
    struct epoll_event events[3];
    (void)epoll_wait(r->epoll, events, 3, at_once ? 0 : -1);
    read_messages(r);
    (void)tap_read(&r->config->tap, TAP_FRAMES, on_frame, r);
}

static int watch(const struct relay *r, int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e);
}

int relay_open(void *arg) {
    struct relay_config *c = arg;
    (void)tap_open(&c->tap, &c->sink, &c->failed); // relay_main tells
    return 0;
}

int relay_main(void *arg, int fd) {
    struct relay r = {.config = arg, .core = shape_core_new(HELD_MAX), .fd = fd};
    struct relay_message hello = {.op = RELAY_HELLO, .ok = r.config->failed.code == 0};
    (void)prctl(PR_SET_NAME, "bascule-relay");
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    STR_COPY(hello.text, r.config->failed.msg);
    r.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    tell(&r, &hello);
    if (!hello.ok || watch(&r, fd) < 0 || watch(&r, r.timer) < 0 || watch(&r, r.config->tap.rx) < 0)
        return 1;
    while (!r.over)
        turn(&r);
    return 0;
}
