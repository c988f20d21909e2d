// SPDX-License-Identifier: PostgreSQL
// A UDP and a raw TCP socket per node, opened in its namespace. Times are CLOCK_REALTIME: that is what the kernel stamps
// arrivals with (SO_TIMESTAMPNS), before our loop has its turn.
#include "injector/link/train.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "injector/shaper/rule.h"
#include "lab/reach/probe_socket.h"
#include "lab/reach/segment.h"

struct carriage { // begins every payload; the rest is the pattern
    uint64_t cookie;
    uint64_t sent_ns;
    uint32_t number;
    uint16_t flow, check;
};
enum { PATTERN = 0x5a, FREE_PORT = 61000, SEEN_MAX = 8192 };

struct end {
    struct train *train;
    int udp, raw;
    struct sockaddr_in at;
    sd_event_source *io[2];
};
struct track {
    struct net_flow flow;
    struct train_result r;
    VEC(uint64_t) delays;
    uint8_t seen[SEEN_MAX / 8];
    uint32_t highest;
    uint64_t first_ns, last_ns, bytes; // bytes after the first arrival
};
struct train {
    const struct fault_world *world;
    uint64_t cookie;
    struct train_plan plan;
    struct end ends[NODES_MAX];
    VEC(struct track) tracks;
    unsigned sent;
    sd_event_source *timer;
    void (*done)(void *arg);
    void *arg;
};

static uint64_t wall_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint16_t sum_of(const struct carriage *c) { // tells a broken head; the kernel's checksum is what is being tried
    return (uint16_t)(c->number * 40503u ^ c->flow * 2654435761u ^ c->sent_ns ^ c->sent_ns >> 16 ^ c->cookie);
}

// ---- arrivals ------------------------------------------------------------------------------------------------------

static bool intact(const struct train *t, const struct carriage *c, const uint8_t *payload, size_t len) {
    if (c->cookie != t->cookie || c->check != sum_of(c) || c->flow >= t->tracks.n || c->number >= t->plan.packets)
        return false;
    for (size_t i = sizeof *c; i < len; i++)
        if (payload[i] != PATTERN)
            return false;
    return true;
}

static void arrived(struct train *t, int node, const uint8_t *payload, size_t len, uint64_t at) {
    struct carriage c;
    if (len < sizeof c)
        return;
    memcpy(&c, payload, sizeof c);
    bool whole = intact(t, &c, payload, len);
    if (c.flow >= t->tracks.n || t->tracks.items[c.flow].flow.to != node)
        return;
    struct track *k = &t->tracks.items[c.flow];
    uint64_t head = c.cookie ^ t->cookie;
    if (!whole) { // one bit flipped somewhere, the cookie's included: ours all the same; anything else is another train's
        k->r.broken += (head & (head - 1)) == 0;
        return;
    }
    bool again = k->seen[c.number / 8] >> (c.number % 8) & 1;
    k->seen[c.number / 8] |= (uint8_t)(1u << (c.number % 8));
    k->r.twice += again;
    if (again)
        return;
    k->r.arrived++;
    k->r.late += c.number < k->highest;
    k->highest = c.number > k->highest ? c.number : k->highest;
    VEC_PUSH(&k->delays, at > c.sent_ns ? at - c.sent_ns : 0);
    if (k->first_ns)
        k->bytes += t->plan.payload + (k->flow.side ? 54 : 42) + SHAPE_FRAMING;
    else
        k->first_ns = at;
    k->last_ns = at;
}

// One message with the kernel's stamp; its length or -1.
static ssize_t receive(int fd, uint8_t *buf, size_t size, uint64_t *ret_at) {
    union {
        struct cmsghdr align;
        char space[128];
    } control;
    struct iovec iov = {buf, size};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    *ret_at = wall_ns();
    for (struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL; c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            *ret_at = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
        }
    return n;
}

static void drain(struct end *e, int fd) {
    uint8_t buf[2048];
    uint64_t at;
    ssize_t n;
    int node = (int)(e - e->train->ends);
    while ((n = receive(fd, buf, sizeof buf, &at)) >= 0) {
        size_t skip = 0;
        if (fd == e->raw && n > 0) // from the IP header on
            skip = (size_t)(buf[0] & 15) * 4 + sizeof(struct tcphdr);
        if ((size_t)n > skip)
            arrived(e->train, node, buf + skip, (size_t)n - skip, at);
    }
}

static bool all_here(const struct train *t) {
    VEC_FOREACH (&t->tracks, k)
        if (k->r.arrived < t->plan.packets)
            return false;
    return true;
}

static void finish(struct train *t) {
    void (*done)(void *) = STEAL(t->done);
    (void)sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
    if (done)
        done(t->arg); // may free t
}

static int on_readable(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)revents;
    struct end *e = arg;
    struct train *t = e->train;
    drain(e, fd);
    if (t->plan.early && t->sent == t->plan.packets && all_here(t))
        finish(t);
    return 0;
}

// ---- departures ----------------------------------------------------------------------------------------------------

static void send_one(struct train *t, struct track *k, uint16_t flow) {
    uint8_t payload[TRAIN_PAYLOAD_MAX];
    const struct end *from = &t->ends[k->flow.from], *to = &t->ends[k->flow.to];
    struct carriage c = {.cookie = t->cookie, .number = t->sent, .flow = flow};
    memset(payload, PATTERN, t->plan.payload);
    k->r.sent++;
    c.sent_ns = wall_ns();
    c.check = sum_of(&c);
    memcpy(payload, &c, sizeof c);
    if (k->flow.side == SWITCH_ANY_PORT)
        (void)sendto(from->udp, payload, t->plan.payload, MSG_DONTWAIT, (const struct sockaddr *)&to->at,
                     sizeof to->at);
    else
        segment_send(from->raw, from->at.sin_addr, to->at.sin_addr,
                     k->flow.side == SWITCH_TO_PORT ? FREE_PORT : k->flow.port,
                     k->flow.side == SWITCH_TO_PORT ? k->flow.port : FREE_PORT, payload, t->plan.payload);
}

static int on_timer(sd_event_source *s, uint64_t due, void *arg) {
    struct train *t = arg;
    if (t->sent == t->plan.packets) {
        for (int i = 0; i < NODES_MAX; i++) // what has come but was not dispatched yet counts
            for (int k = 0; k < 2; k++)
                if (t->ends[i].io[k])
                    drain(&t->ends[i], k ? t->ends[i].raw : t->ends[i].udp);
        finish(t);
        return 0;
    }
    usec_t now = usec_now();
    do {
        for (size_t i = 0; i < t->tracks.n; i++)
            send_one(t, &t->tracks.items[i], (uint16_t)i);
        t->sent++;
        due += t->plan.every;
    } while (t->sent < t->plan.packets && due <= now && t->plan.every == 0);
    (void)sd_event_source_set_time(s, t->sent == t->plan.packets ? usec_now() + t->plan.linger : now + t->plan.every);
    return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

// ---- life ----------------------------------------------------------------------------------------------------------

static int watch(struct train *t, struct end *e, int fd, sd_event_source **ret, struct err *err) {
    int on = 1, size = 1 << 20;
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); // as far as this host lets us
    int r = sd_event_add_io(t->world->loop, ret, fd, EPOLLIN, on_readable, e);
    return r < 0 ? err_sys(err, -r, "watch a probe") : 0;
}

static int open_end(struct train *t, int i, bool tcp, struct err *err) {
    struct end *e = &t->ends[i];
    const char *address = t->world->topology->nodes.items[i].address;
    uint16_t port = 0;
    int *fd = tcp ? &e->raw : &e->udp;
    if (*fd >= 0)
        return 0;
    *fd = tcp ? segment_open(t->world->nodes[i], address, err) : probe_udp(t->world->nodes[i], address, &port, err);
    if (*fd < 0)
        return *fd;
    e->at.sin_family = AF_INET;
    (void)inet_pton(AF_INET, address, &e->at.sin_addr);
    if (!tcp)
        e->at.sin_port = htons(port);
    return watch(t, e, *fd, &e->io[tcp], err);
}

int train_run(const struct fault_world *w, const flow_list *flows, const struct train_plan *plan,
              void (*done)(void *arg), void *arg, struct train **ret, struct err *err) {
    struct train *t = xcalloc(1, sizeof *t);
    *t = (struct train){.world = w, .plan = *plan, .done = done, .arg = arg};
    if (getrandom(&t->cookie, sizeof t->cookie, GRND_NONBLOCK) < 0)
        t->cookie = usec_now(); // only tells our trains apart
    if (t->plan.packets > SEEN_MAX)
        t->plan.packets = SEEN_MAX;
    for (int i = 0; i < NODES_MAX; i++)
        t->ends[i] = (struct end){.train = t, .udp = -1, .raw = -1};
    int r = 0;
    VEC_FOREACH (flows, f) {
        VEC_ADD(&t->tracks)->flow = *f;
        for (int k = 0; r >= 0 && k < 2; k++)
            r = open_end(t, k ? f->to : f->from, f->side != SWITCH_ANY_PORT, err);
    }
    if (r >= 0 && (r = sd_event_add_time(w->loop, &t->timer, CLOCK_MONOTONIC, usec_now(), 1, on_timer, t)) < 0)
        (void)err_sys(err, -r, "timer of a probe");
    if (r < 0) {
        train_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

void train_free(struct train *t) {
    if (!t)
        return;
    sd_event_source_disable_unref(t->timer);
    for (int i = 0; i < NODES_MAX; i++) {
        sd_event_source_disable_unref(t->ends[i].io[0]);
        sd_event_source_disable_unref(t->ends[i].io[1]);
        if (t->ends[i].udp >= 0)
            (void)close(t->ends[i].udp);
        if (t->ends[i].raw >= 0)
            (void)close(t->ends[i].raw);
    }
    VEC_FOREACH (&t->tracks, k)
        VEC_DONE(&k->delays);
    VEC_DONE(&t->tracks);
    free(t);
}

static int by_size(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

const struct train_result *train_result(struct train *t, size_t flow) {
    struct track *k = &t->tracks.items[flow];
    if (k->delays.n) {
        qsort(k->delays.items, k->delays.n, sizeof *k->delays.items, by_size);
        k->r.least_ns = k->delays.items[0];
        k->r.median_ns = k->delays.items[k->delays.n / 2];
        k->r.most_ns = k->delays.items[k->delays.n - 1];
    }
    if (k->last_ns > k->first_ns)
        k->r.bits_per_s = (double)k->bytes * 8e9 / (double)(k->last_ns - k->first_ns);
    return &k->r;
}
