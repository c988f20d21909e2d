// SPDX-License-Identifier: PostgreSQL
// The happy path: a round sends one SYN per pair and reads each answer, which is there a few microseconds later. Then
// nothing happens until the next round, 2 s later.
//
// - No answer within 100 ms: a second SYN, and after another 100 ms the pair counts as not reachable. An answer to the
//   first that comes that late still counts.
// - Something is cut or off, or measured is not what is intended: a round every 250 ms.
// - A fault takes effect or is healed: what is under way is dropped (it straddles the change) and a round begins 20 ms
//   later, when frames that were in flight have arrived. When its own probes verify it, the pairs that it cuts count as not reachable at once.
// - A raw socket can't send (no carrier): the pair is not reachable.
// Emitting an event may call us back (matrix_on_event): events leave last, when the next timer is set.
#include "lab/reach/matrix.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "lab/reach/matrix_probe.h"

enum { TRIES = 2 };
static const usec_t TRY = 100 * MSEC, CALM = 2 * SEC, BUSY = 250 * MSEC, SOON = 20 * MSEC, REPEAT = 10 * SEC;

struct try {
    struct matrix_flow flow;
    usec_t sent;
};

struct pair {
    struct matrix_link link;
    struct try tries[TRIES];
    int n_tries; // sent and not answered; 0 = nothing under way
    usec_t told; // when the round that was last told began; 0 = never
    bool tell;
};

struct end { // a node's raw socket
    struct matrix *matrix;
    int fd;
    struct in_addr address;
    sd_event_source *readable;
};

struct matrix {
    struct reach reach;
    struct end ends[NODES_MAX];
    VEC(struct pair) pairs;
    usec_t began;     // the round, CLOCK_MONOTONIC
    size_t under_way; // pairs without an answer; 0 = between two rounds
    bool again;       // the next round is set for what has just happened
    uint16_t port;    // of the next probe, counted from MATRIX_PORT_FIRST
    sd_event_source *timer;
};

// ---- events

static void emit_link(struct matrix *m, struct pair *p) {
    const struct node_def *nodes = m->reach.topology->nodes.items;
    struct event ev = EVENT_NEW(LINK);
    STR_COPY(ev.u.LINK.from, nodes[p->link.from].name);
    STR_COPY(ev.u.LINK.to, nodes[p->link.to].name);
    ev.u.LINK.path = net_path_word(p->link.path);
    ev.u.LINK.intended = p->link.intended;
    ev.u.LINK.measured = p->link.measured;
    ev.u.LINK.rtt_us = (int64_t)p->link.rtt;
    p->tell = false;
    p->told = m->began;
    sink_emit(m->reach.sink, &ev);
}

static void tell_all(struct matrix *m) {
    for (size_t i = 0; i < m->pairs.n; i++)
        if (m->pairs.items[i].tell)
            emit_link(m, &m->pairs.items[i]);
}

// ---- rounds

static void wake_at(struct matrix *m, usec_t at) {
    (void)sd_event_source_set_time(m->timer, at);
    (void)sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
}

static bool all_open(const struct matrix *m) {
    for (size_t i = 0; i < m->pairs.n; i++)
        if (!m->pairs.items[i].link.intended || !m->pairs.items[i].link.measured)
            return false;
    return true;
}

static void end_round(struct matrix *m) {
    wake_at(m, m->began + (all_open(m) ? CALM : BUSY));
}

static void take_back(struct matrix *m, struct pair *p) {
    for (int i = 0; i < p->n_tries; i++)
        matrix_probe_rst(m->ends[p->link.from].fd, &p->tries[i].flow);
}

// Requests must arrive, and answers.
static bool intended(const struct matrix *m, const struct matrix_link *l) {
    struct net_flow request = {.from = l->from, .to = l->to, .side = SWITCH_TO_PORT, .port = net_path_port(l->path)};
    struct net_flow answer = {.from = l->to, .to = l->from, .side = SWITCH_FROM_PORT, .port = request.port};
    return m->reach.open(m->reach.arg, &request) && m->reach.open(m->reach.arg, &answer);
}

static bool rejected(const struct matrix *m, const struct matrix_link *l) {
    struct net_flow request = {.from = l->from, .to = l->to, .side = SWITCH_TO_PORT, .port = net_path_port(l->path)};
    return m->reach.resets(m->reach.arg, &request);
}

static void set_result(struct matrix *m, struct pair *p, const struct matrix_link *found) {
    const struct matrix_link *was = &p->link;
    struct matrix_link now = *found;
    usec_t t = sink_now(m->reach.sink);
    now.known = true;
    now.intended = intended(m, &now);
    now.differs = now.intended == now.measured ? 0 : was->differs ? was->differs : t;
    p->tell = p->tell || !was->known || was->intended != now.intended || was->measured != now.measured ||
              m->began - p->told >= REPEAT;
    p->link = now;
    p->n_tries = 0;
    m->under_way--;
}

static void on_no_answer(struct matrix *m, struct pair *p) {
    struct matrix_link found = p->link;
    take_back(m, p);
    found.measured = found.refused = false;
    found.rtt = 0;
    set_result(m, p, &found);
}

static void on_answer(struct matrix *m, struct pair *p, const struct try *t, bool refused) {
    struct matrix_link found = p->link;
    found.measured = !(refused && rejected(m, &p->link)); // that answer was the switch's, not the host's
    found.refused = refused;
    found.rtt = usec_now() - t->sent;
    set_result(m, p, &found);
}

static void match_answer(struct matrix *m, int from, const struct matrix_answer *a) {
    for (size_t i = 0; i < m->pairs.n; i++) {
        struct pair *p = &m->pairs.items[i];
        for (int k = 0; p->link.from == from && k < p->n_tries; k++)
            if (matrix_probe_answers(a, &p->tries[k].flow)) {
                on_answer(m, p, &p->tries[k], a->refused);
                return;
            }
    }
}

static void drain(struct matrix *m, int node) {
    struct matrix_answer a;
    while (matrix_probe_read(m->ends[node].fd, &a))
        match_answer(m, node, &a);
}

static void send_try(struct matrix *m, struct pair *p) {
    struct try *t = &p->tries[p->n_tries++];
    t->flow = (struct matrix_flow){.from = m->ends[p->link.from].address,
                                   .to = m->ends[p->link.to].address,
                                   .from_port = (uint16_t)(MATRIX_PORT_FIRST + m->port++ % MATRIX_PORT_COUNT),
                                   .to_port = net_path_port(p->link.path)};
    (void)!getrandom(&t->flow.seq, sizeof t->flow.seq, GRND_NONBLOCK);
    t->sent = usec_now();
    matrix_probe_syn(m->ends[p->link.from].fd, &t->flow);
    drain(m, p->link.from); // mostly there already: veth pairs deliver within the send, so the loop is not even woken
}

static void begin_round(struct matrix *m) {
    m->began = usec_now();
    m->again = false;
    m->under_way = m->pairs.n;
    for (size_t i = 0; i < m->pairs.n; i++)
        send_try(m, &m->pairs.items[i]);
}

static void next_try(struct matrix *m) {
    for (int i = 0; i < NODES_MAX; i++)
        if (m->ends[i].fd >= 0)
            drain(m, i); // what has come but was not dispatched yet counts
    for (size_t i = 0; i < m->pairs.n; i++) {
        struct pair *p = &m->pairs.items[i];
        if (p->n_tries == TRIES)
            on_no_answer(m, p);
        else if (p->n_tries) {
            take_back(m, p);
            send_try(m, p);
        }
    }
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    struct matrix *m = arg;
    if (m->under_way)
        next_try(m);
    else
        begin_round(m);
    if (m->under_way)
        wake_at(m, usec_now() + TRY);
    else
        end_round(m);
    tell_all(m);
    return 0;
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg) {
    (void)s, (void)fd, (void)events;
    struct end *e = arg;
    struct matrix *m = e->matrix;
    bool waiting = m->under_way;
    drain(m, (int)(e - m->ends));
    if (waiting && !m->under_way)
        end_round(m);
    tell_all(m);
    return 0;
}

static void look_again(struct matrix *m) {
    if (m->again)
        return;
    for (size_t i = 0; i < m->pairs.n; i++) {
        take_back(m, &m->pairs.items[i]);
        m->pairs.items[i].n_tries = 0;
    }
    m->under_way = 0;
    m->again = true;
    wake_at(m, usec_now() + SOON);
}

// A fault's own probes have just found that what it cuts lets nothing through, while ours may still wait for an answer: nobody who asks after the
// verification is told that such a pair is open. The round that is under way finds out more, should it be.
static void take_verified(struct matrix *m) {
    for (size_t i = 0; i < m->pairs.n; i++) {
        struct pair *p = &m->pairs.items[i];
        if (!p->link.known || !p->link.intended || intended(m, &p->link))
            continue;
        p->link.intended = p->link.measured = p->link.refused = false;
        p->link.rtt = p->link.differs = 0;
        p->tell = true;
    }
    tell_all(m);
}

void matrix_on_event(struct matrix *m, const struct event *ev) {
    if (ev->kind == EVENT_FAULT && ev->u.FAULT.phase == FAULT_PHASE_VERIFIED)
        take_verified(m);
    if (ev->kind == EVENT_NODE_POWER || (ev->kind == EVENT_FAULT && (ev->u.FAULT.phase == FAULT_PHASE_EFFECTIVE ||
                                                                     ev->u.FAULT.phase == FAULT_PHASE_HEALED)))
        look_again(m);
}

// ---- life

static int open_end(struct matrix *m, int i, struct err *err) {
    struct end *e = &m->ends[i];
    const struct node_def *def = &m->reach.topology->nodes.items[i];
    e->fd = matrix_probe_open(m->reach.nodes[i], def->address, err);
    if (e->fd < 0)
        return e->fd;
    (void)inet_pton(AF_INET, def->address, &e->address);
    int r = sd_event_add_io(m->reach.loop, &e->readable, e->fd, EPOLLIN, on_readable, e);
    return r < 0 ? err_sys(err, -r, "watch the raw socket on %s", def->name) : 0;
}

static void add_pairs(struct matrix *m) {
    const struct topology *t = m->reach.topology;
    for (int path = 0; path < NET_PATH_COUNT; path++)
        for (int i = 0; i < (int)t->nodes.n; i++)
            for (int j = 0; j < (int)t->nodes.n; j++)
                if (net_path_joins(t, (enum net_path)path, i, j))
                    VEC_ADD(&m->pairs)->link = (struct matrix_link){.from = i, .to = j, .path = (enum net_path)path};
}

static int start(struct matrix *m, struct err *err) {
    for (int i = 0; i < (int)m->reach.topology->nodes.n; i++) {
        int r = open_end(m, i, err);
        if (r < 0)
            return r;
    }
    add_pairs(m);
    int r = sd_event_add_time(m->reach.loop, &m->timer, CLOCK_MONOTONIC, usec_now() + SOON, 1, on_timer, m);
    return r < 0 ? err_sys(err, -r, "timer of the connectivity matrix") : 0;
}

int matrix_new(const struct reach *reach, struct matrix **ret, struct err *err) {
    struct matrix *m = xcalloc(1, sizeof *m);
    m->reach = *reach;
    for (int i = 0; i < NODES_MAX; i++)
        m->ends[i] = (struct end){.matrix = m, .fd = -1};
    int r = start(m, err);
    if (r < 0) {
        matrix_free(m);
        return err_wrap(err, "connectivity matrix");
    }
    *ret = m;
    return 0;
}

void matrix_free(struct matrix *m) {
    if (!m)
        return;
    sd_event_source_disable_unref(m->timer);
    for (int i = 0; i < NODES_MAX; i++) {
        sd_event_source_disable_unref(m->ends[i].readable);
        if (m->ends[i].fd >= 0)
            (void)close(m->ends[i].fd);
    }
    VEC_DONE(&m->pairs);
    free(m);
}

const struct matrix_link *matrix_link(const struct matrix *m, size_t i) {
    return m && i < m->pairs.n ? &m->pairs.items[i].link : NULL;
}
