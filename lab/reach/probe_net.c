// SPDX-License-Identifier: PostgreSQL
// The happy path: a UDP socket per node, bound to its address, and a raw one where a flow names a port; each round sends
// one packet per flow; a readable socket is drained and what came is counted for its flow in the run it belongs to. A
// packet of an earlier run or of the baseline that comes late is never counted for a later one: it only proves that the
// way was open then.
#include "lab/reach/probe_net.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lab/reach/matrix_probe.h"
#include "lab/reach/probe_socket.h"
#include "lab/reach/segment.h"

enum { IP_AND_UDP = 28, IP_AND_TCP = 40 }; // bytes of headers

struct datagram {
    uint64_t cookie; // of this probe: others use the same ports later
    uint32_t run;    // 0 = baseline
    uint32_t flow;
};

struct probe_end {
    struct probe *probe;
    int udp, raw; // -1 = no flow needs it
    struct sockaddr_in address;
    sd_event_source *udp_readable, *raw_readable;
};

struct probe {
    sd_event *loop;
    uint64_t cookie;
    flow_list flows;
    struct probe_end ends[NODES_MAX];
    unsigned *sent, *arrived; // per flow, of the last run
    bool *baseline;
    uint32_t run;
    unsigned rounds_left;
    struct probe_plan plan;
    sd_event_source *timer;
    void (*done)(void *arg);
    void *arg;
};

static bool every_flow_heard(const struct probe *p) {
    for (size_t i = 0; i < p->flows.n; i++)
        if (!p->arrived[i])
            return false;
    return true;
}

static void finish(struct probe *p) {
    void (*done)(void *) = STEAL(p->done);
    (void)sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
    if (done)
        done(p->arg); // may free p
}

static void count(struct probe *p, int at, const struct datagram *d) {
    if (d->cookie != p->cookie || d->flow >= p->flows.n || p->flows.items[d->flow].to != at)
        return;
    if (d->run == 0)
        p->baseline[d->flow] = true;
    else if (d->run == p->run)
        p->arrived[d->flow]++;
}

static void drain(struct probe_end *e) {
    struct datagram d;
    int at = (int)(e - e->probe->ends);
    ssize_t n;
    while (e->udp >= 0 && (n = recv(e->udp, &d, sizeof d, MSG_DONTWAIT)) >= 0)
        if (n == (ssize_t)sizeof d)
            count(e->probe, at, &d);
    while (e->raw >= 0 && (n = segment_read(e->raw, &d, sizeof d)) >= 0)
        if (n == (ssize_t)sizeof d)
            count(e->probe, at, &d);
}

static void drain_all(struct probe *p) {
    for (int i = 0; i < NODES_MAX; i++)
        drain(&p->ends[i]);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg) {
    (void)s, (void)fd, (void)events;
    struct probe_end *e = arg;
    struct probe *p = e->probe;
    drain(e);
    if (p->done && p->plan.early && every_flow_heard(p))
        finish(p);
    return 0;
}

// A send that fails (no carrier, no route) is a packet that does not arrive: the same finding.
static void send_one(struct probe *p, size_t i, uint32_t run) {
    const struct net_flow *f = &p->flows.items[i];
    const struct probe_end *from = &p->ends[f->from], *to = &p->ends[f->to];
    const struct datagram d = {.cookie = p->cookie, .run = run, .flow = (uint32_t)i};
    unsigned char packet[PROBE_OVER_MAX] = {0}; // zeroes up to the size that is asked for
    uint16_t other = (uint16_t)(MATRIX_PORT_FIRST + i % MATRIX_PORT_COUNT);
    bool request = f->side == SWITCH_TO_PORT;
    size_t headers = f->side == SWITCH_ANY_PORT ? IP_AND_UDP : IP_AND_TCP, len = sizeof d;
    if (f->over && f->over + 1U > headers + len)
        len = f->over + 1U - headers;
    memcpy(packet, &d, sizeof d);
    if (f->side == SWITCH_ANY_PORT)
        (void)sendto(from->udp, packet, len, MSG_DONTWAIT, (const struct sockaddr *)&to->address, sizeof to->address);
    else
        segment_send(from->raw, from->address.sin_addr, to->address.sin_addr, request ? other : f->port,
                     request ? f->port : other, packet, len);
    p->sent[i] += run != 0;
}

// Waits up to a millisecond for any of the sockets, and reads what is there.
static void drain_soon(struct probe *p) {
    struct pollfd fds[NODES_MAX * 2];
    nfds_t n = 0;
    for (int i = 0; i < NODES_MAX; i++) {
        if (p->ends[i].udp >= 0)
            fds[n++] = (struct pollfd){.fd = p->ends[i].udp, .events = POLLIN};
        if (p->ends[i].raw >= 0)
            fds[n++] = (struct pollfd){.fd = p->ends[i].raw, .events = POLLIN};
    }
    (void)poll(fds, n, 1);
    drain_all(p);
}

static size_t send_missing(struct probe *p, const bool *wanted, bool send) {
    size_t missing = 0;
    for (size_t i = 0; i < p->flows.n; i++) {
        if (!wanted[i] || p->baseline[i])
            continue;
        missing++;
        if (send)
            send_one(p, i, 0);
    }
    return missing;
}

// A packet usually arrives before sendto returns; on a busy machine the kernel delivers it a little later, and a cut that
// comes in between would swallow it: hence the look, and another try, before anybody cuts.
void probe_baseline(struct probe *p, const bool *wanted) {
    for (usec_t end = usec_now() + 5 * MSEC; usec_now() < end && send_missing(p, wanted, true);) {
        drain_all(p);
        for (usec_t again = usec_now() + MSEC; usec_now() < again && send_missing(p, wanted, false);)
            drain_soon(p);
    }
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct probe *p = arg;
    if (p->rounds_left == 0) {
        drain_all(p); // what has come but was not dispatched yet counts
        finish(p);
        return 0;
    }
    p->rounds_left--;
    for (size_t i = 0; i < p->flows.n; i++)
        send_one(p, i, p->run);
    (void)sd_event_source_set_time(s, usec_now() + (p->rounds_left ? p->plan.every : p->plan.linger));
    return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int probe_run(struct probe *p, const struct probe_plan *plan, void (*done)(void *arg), void *arg, struct err *err) {
    p->plan = *plan;
    p->rounds_left = plan->rounds;
    p->run++;
    p->done = done;
    p->arg = arg;
    memset(p->sent, 0, p->flows.n * sizeof *p->sent);
    memset(p->arrived, 0, p->flows.n * sizeof *p->arrived);
    sd_event_source_disable_unref(STEAL(p->timer));
    int r = sd_event_add_time(p->loop, &p->timer, CLOCK_MONOTONIC, usec_now(), 1, on_timer, p);
    return r < 0 ? err_sys(err, -r, "timer of a probe") : 0;
}

static int watch(const struct reach *net, int fd, struct probe_end *e, sd_event_source **ret, struct err *err) {
    int r = sd_event_add_io(net->loop, ret, fd, EPOLLIN, on_readable, e);
    return r < 0 ? err_sys(err, -r, "watch a probe") : 0;
}

static int open_udp(const struct reach *net, struct probe_end *e, int i, struct err *err) {
    uint16_t port;
    e->udp = probe_udp(net->nodes[i], net->topology->nodes.items[i].address, &port, err);
    if (e->udp < 0)
        return e->udp;
    e->address.sin_port = htons(port);
    return watch(net, e->udp, e, &e->udp_readable, err);
}

static int open_raw(const struct reach *net, struct probe_end *e, int i, struct err *err) {
    e->raw = segment_open(net->nodes[i], net->topology->nodes.items[i].address, err);
    return e->raw < 0 ? e->raw : watch(net, e->raw, e, &e->raw_readable, err);
}

static int open_end(const struct reach *net, struct probe *p, int i, struct err *err) {
    struct probe_end *e = &p->ends[i];
    bool udp = false, raw = false;
    VEC_FOREACH (&p->flows, f)
        if (f->from == i || f->to == i) {
            udp = udp || f->side == SWITCH_ANY_PORT;
            raw = raw || f->side != SWITCH_ANY_PORT;
        }
    e->address.sin_family = AF_INET;
    (void)inet_pton(AF_INET, net->topology->nodes.items[i].address, &e->address.sin_addr);
    int r = udp ? open_udp(net, e, i, err) : 0;
    return r < 0 || !raw ? r : open_raw(net, e, i, err);
}

static struct probe *make(const struct reach *net, const flow_list *flows) {
    struct probe *p = xcalloc(1, sizeof *p);
    p->loop = net->loop;
    VEC_FOREACH (flows, f)
        VEC_PUSH(&p->flows, *f);
    p->sent = xcalloc(flows->n + 1, sizeof *p->sent);
    p->arrived = xcalloc(flows->n + 1, sizeof *p->arrived);
    p->baseline = xcalloc(flows->n + 1, sizeof *p->baseline);
    if (getrandom(&p->cookie, sizeof p->cookie, GRND_NONBLOCK) < 0)
        p->cookie = (__typeof__(p->cookie))usec_now(); // only tells our rounds apart
    for (int i = 0; i < NODES_MAX; i++)
        p->ends[i] = (struct probe_end){.probe = p, .udp = -1, .raw = -1};
    return p;
}

int probe_new(const struct reach *net, const flow_list *flows, struct probe **ret, struct err *err) {
    struct probe *p = make(net, flows);
    for (int i = 0; i < (int)net->topology->nodes.n; i++) {
        int r = open_end(net, p, i, err);
        if (r < 0) {
            probe_free(p);
            return r;
        }
    }
    *ret = p;
    return 0;
}

void probe_free(struct probe *p) {
    if (!p)
        return;
    sd_event_source_disable_unref(p->timer);
    for (int i = 0; i < NODES_MAX; i++) {
        sd_event_source_disable_unref(p->ends[i].udp_readable);
        sd_event_source_disable_unref(p->ends[i].raw_readable);
        if (p->ends[i].udp >= 0)
            (void)close(p->ends[i].udp);
        if (p->ends[i].raw >= 0)
            (void)close(p->ends[i].raw);
    }
    VEC_DONE(&p->flows);
    free(p->sent);
    free(p->arrived);
    free(p->baseline);
    free(p);
}

bool probe_had_baseline(const struct probe *p, size_t flow) {
    return p->baseline[flow];
}
unsigned probe_sent(const struct probe *p, size_t flow) {
    return p->sent[flow];
}
unsigned probe_arrived(const struct probe *p, size_t flow) {
    return p->arrived[flow];
}
