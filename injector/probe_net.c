// SPDX-License-Identifier: PostgreSQL
// The happy path: a socket per node, bound to its address; each round sends from every `from` socket to every `to`
// address; a readable socket is drained and what came is counted under (from, to) of the run it belongs to. A datagram
// of an earlier run or of the baseline that comes late is never counted for a later one: it only proves that the way
// was open then.
#include "injector/probe_net.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "injector/probe_socket.h"

struct datagram {
    uint64_t cookie; // of this probe: others use the same ports later
    uint32_t run;    // 0 = baseline
    uint16_t from, to;
};

struct probe_end {
    struct probe *probe;
    int fd;
    struct sockaddr_in address;
    sd_event_source *readable;
};

struct probe {
    sd_event *loop;
    uint64_t cookie;
    struct pair_set pairs;
    struct probe_end ends[NODES_MAX];
    uint16_t sent[NODES_MAX][NODES_MAX], arrived[NODES_MAX][NODES_MAX];
    struct pair_set baseline;
    uint32_t run;
    unsigned rounds_left;
    struct probe_plan plan;
    sd_event_source *timer;
    void (*done)(void *arg);
    void *arg;
};

static bool names(const struct pair_set *s, int node) {
    for (int j = 0; j < NODES_MAX; j++)
        if (pair_has(s, node, j) || pair_has(s, j, node))
            return true;
    return false;
}

static bool every_pair_heard(const struct probe *p) {
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(&p->pairs, i, j) && !p->arrived[i][j])
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
    if (d->cookie != p->cookie || d->to != at || d->from >= NODES_MAX || !pair_has(&p->pairs, d->from, at))
        return;
    if (d->run == 0)
        pair_add(&p->baseline, d->from, at);
    else if (d->run == p->run)
        p->arrived[d->from][at]++;
}

static void drain(struct probe_end *e) {
    struct datagram d;
    ssize_t n;
    while ((n = recv(e->fd, &d, sizeof d, MSG_DONTWAIT)) >= 0)
        if (n == (ssize_t)sizeof d)
            count(e->probe, (int)(e - e->probe->ends), &d);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg) {
    (void)s, (void)fd, (void)events;
    struct probe_end *e = arg;
    struct probe *p = e->probe;
    drain(e);
    if (p->done && p->plan.early && every_pair_heard(p))
        finish(p);
    return 0;
}

// A send that fails (no carrier, no route) is a datagram that does not arrive: the same finding.
static void send_over(struct probe *p, const struct pair_set *pairs, uint32_t run) {
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++) {
            if (!pair_has(pairs, i, j))
                continue;
            struct datagram d = {.cookie = p->cookie, .run = run, .from = (uint16_t)i, .to = (uint16_t)j};
            (void)sendto(p->ends[i].fd, &d, sizeof d, MSG_DONTWAIT, (struct sockaddr *)&p->ends[j].address,
                         sizeof p->ends[j].address);
            p->sent[i][j] += run != 0;
        }
}

// Waits up to a millisecond for any of the sockets, and reads what is there.
static void drain_soon(struct probe *p) {
    struct pollfd fds[NODES_MAX];
    nfds_t n = 0;
    for (int i = 0; i < NODES_MAX; i++)
        if (p->ends[i].fd >= 0)
            fds[n++] = (struct pollfd){.fd = p->ends[i].fd, .events = POLLIN};
    (void)poll(fds, n, 1);
    for (int i = 0; i < NODES_MAX; i++)
        if (p->ends[i].fd >= 0)
            drain(&p->ends[i]);
}

// A datagram usually arrives before sendto returns; on a busy machine the kernel delivers it a little later, and a cut
// that comes in between would swallow it: hence the look, and another try, before anybody cuts.
void probe_baseline(struct probe *p, const struct pair_set *pairs) {
    struct pair_set missing = *pairs;
    for (usec_t end = usec_now() + 5 * MSEC; pair_count(&missing) && usec_now() < end;) {
        send_over(p, &missing, 0);
        for (usec_t again = usec_now() + MSEC; pair_count(&missing) && usec_now() < again;) {
            drain_soon(p);
            for (int i = 0; i < NODES_MAX; i++)
                missing.to[i] = (uint16_t)(pairs->to[i] & ~p->baseline.to[i]);
        }
    }
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct probe *p = arg;
    if (p->rounds_left == 0) {
        for (int i = 0; i < NODES_MAX; i++) // what has come but was not dispatched yet counts
            if (p->ends[i].fd >= 0)
                drain(&p->ends[i]);
        finish(p);
        return 0;
    }
    p->rounds_left--;
    send_over(p, &p->pairs, p->run);
    (void)sd_event_source_set_time(s, usec_now() + (p->rounds_left ? p->plan.every : p->plan.linger));
    return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int probe_run(struct probe *p, const struct probe_plan *plan, void (*done)(void *arg), void *arg, struct err *err) {
    p->plan = *plan;
    p->rounds_left = plan->rounds;
    p->run++;
    p->done = done;
    p->arg = arg;
    memset(p->sent, 0, sizeof p->sent);
    memset(p->arrived, 0, sizeof p->arrived);
    sd_event_source_disable_unref(STEAL(p->timer));
    int r = sd_event_add_time(p->loop, &p->timer, CLOCK_MONOTONIC, usec_now(), 1, on_timer, p);
    return r < 0 ? err_sys(err, -r, "timer of a probe") : 0;
}

static int open_end(const struct fault_world *w, struct probe *p, int i, struct err *err) {
    struct probe_end *e = &p->ends[i];
    const char *address = w->topology->nodes.items[i].address;
    uint16_t port;
    e->fd = probe_udp(w->nodes[i], address, &port, err);
    if (e->fd < 0)
        return e->fd;
    e->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    (void)inet_pton(AF_INET, address, &e->address.sin_addr);
    int r = sd_event_add_io(w->loop, &e->readable, e->fd, EPOLLIN, on_readable, e);
    return r < 0 ? err_sys(err, -r, "watch a probe") : 0;
}

int probe_new(const struct fault_world *w, const struct pair_set *pairs, struct probe **ret, struct err *err) {
    struct probe *p = xcalloc(1, sizeof *p);
    p->loop = w->loop;
    p->pairs = *pairs;
    if (getrandom(&p->cookie, sizeof p->cookie, GRND_NONBLOCK) < 0)
        p->cookie = (__typeof__(p->cookie))usec_now(); // only tells our rounds apart
    for (int i = 0; i < NODES_MAX; i++) {
        p->ends[i].fd = -1;
        p->ends[i].probe = p;
    }
    for (int i = 0; i < (int)w->topology->nodes.n; i++) {
        int r = names(pairs, i) ? open_end(w, p, i, err) : 0;
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
        sd_event_source_disable_unref(p->ends[i].readable);
        if (p->ends[i].fd >= 0)
            (void)close(p->ends[i].fd);
    }
    free(p);
}

bool probe_had_baseline(const struct probe *p, int from, int to) {
    return pair_has(&p->baseline, from, to);
}
unsigned probe_sent(const struct probe *p, int from, int to) {
    return p->sent[from][to];
}
unsigned probe_arrived(const struct probe *p, int from, int to) {
    return p->arrived[from][to];
}
