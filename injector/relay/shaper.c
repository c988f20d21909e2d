// SPDX-License-Identifier: PostgreSQL
// The happy path: the first impose starts the relay, whose "hello" comes some 20 ms later; rules are sent, the relay
// answers "sync" when they are in force, then the kernel is told to redirect. The other way round for the end: the relay
// lets go what it holds, in order, and only then the redirect is taken away.
// Failure: the relay can't start: everybody who waits is told why. It dies: the redirects are deleted at once, and every
// fault with rules in force is told; the next impose starts a new one.
#include "injector/relay/shaper.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injector/relay/relay.h"
#include "lab/sandbox/sandbox.h"

struct imposed {
    struct net_flow flow;
    struct shape_rule rule;
};
struct shaper {
    const struct fault_world *world;
    enum { RELAY_OFF, RELAY_STARTING, RELAY_ON } state;
    struct relay_config config;
    pid_t pid;
    int pidfd, fd;
    sd_event_source *io, *exited;
    uint32_t last_fault;
    VEC(struct imposed) rules;
    VEC(struct shape_client *) clients;
    uint16_t users[NODES_MAX][NODES_MAX]; // rules that want from -> to redirected
};

static bool in_lab; // shaper_check_host

struct shaper *shaper_new(const struct fault_world *w) {
    struct shaper *s = xcalloc(1, sizeof *s);
    s->world = w;
    s->pidfd = s->fd = -1;
    in_lab = true;
    return s;
}

static struct shape_client *client_of(const struct shaper *s, uint32_t fault) {
    for (size_t i = 0; i < s->clients.n; i++)
        if (s->clients.items[i]->fault == fault)
            return s->clients.items[i];
    return NULL;
}

static const char *name_of(const struct shaper *s, int node) {
    return s->world->topology->nodes.items[node].name;
}

// ---- redirects -----------------------------------------------------------------------------------------------------

static int redirect(struct shaper *s, int from, int to, bool on, struct err *err) {
    return switch_redirect(s->world->sw, name_of(s, from), name_of(s, to), on, err);
}

static int add_redirects(struct shaper *s, uint32_t fault, struct err *err) {
    VEC_FOREACH (&s->rules, i) {
        if (i->rule.fault != fault || s->users[i->flow.from][i->flow.to]++)
            continue;
        int r = redirect(s, i->flow.from, i->flow.to, true, err);
        if (r < 0)
            return r;
    }
    return 0;
}

// Forgets the fault's rules, and takes the redirects away that nobody else needs.
static int drop_rules(struct shaper *s, uint32_t fault, bool wanted, struct err *err) {
    size_t kept = 0;
    int result = 0;
    for (size_t k = 0; k < s->rules.n; k++) {
        struct imposed i = s->rules.items[k];
        if (i.rule.fault != fault) {
            s->rules.items[kept++] = i;
            continue;
        }
        uint16_t *users = &s->users[i.flow.from][i.flow.to];
        if (!wanted || *users == 0 || --*users > 0)
            continue;
        int r = redirect(s, i.flow.from, i.flow.to, false, err);
        result = r < 0 ? r : result;
    }
    s->rules.n = kept;
    return result;
}

static void remove_all_redirects(struct shaper *s) {
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++) {
            if (s->users[i][j])
                (void)redirect(s, i, j, false, NULL);
            s->users[i][j] = 0;
        }
}

// ---- the relay's life ----------------------------------------------------------------------------------------------

static void forget_relay(struct shaper *s) {
    s->io = sd_event_source_disable_unref(s->io);
    s->exited = sd_event_source_disable_unref(s->exited);
    if (s->pidfd >= 0)
        (void)close(STEAL_FD(s->pidfd));
    if (s->fd >= 0)
        (void)close(STEAL_FD(s->fd));
    s->state = RELAY_OFF;
    s->pid = 0;
}

static void client_remove(struct shaper *s, const struct shape_client *c) {
    for (size_t i = 0; i < s->clients.n; i++)
        if (s->clients.items[i] == c) {
            s->clients.items[i] = s->clients.items[--s->clients.n];
            return;
        }
}

static void client_leave(struct shape_client *c) {
    client_remove(c->shaper, c);
    c->phase = SHAPE_IDLE;
    c->fault = 0;
}

// Nobody is left with anything in force. Callbacks may impose again: each client has left before it is told.
static void tell_everybody_it_is_gone(struct shaper *s, const char *text) {
    while (s->clients.n) {
        struct shape_client *c = s->clients.items[0];
        int phase = c->phase;
        (void)drop_rules(s, c->fault, false, NULL);
        client_leave(c);
        if (phase == SHAPE_IMPOSING)
            c->imposed(c->arg, false, 0, text);
        else if (phase == SHAPE_LIFTING)
            c->lifted(c->arg, true, sink_now(s->world->sink), NULL, text);
        else
            c->broken(c->arg, text);
    }
}

static void relay_gone(struct shaper *s, const char *text) {
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, text);
    remove_all_redirects(s); // first: until then the flows are in a black hole
    forget_relay(s);
    tell_everybody_it_is_gone(s, copy);
}

static int on_exit_seen(sd_event_source *src, int fd, uint32_t revents, void *arg) {
    (void)src, (void)fd, (void)revents;
    struct shaper *s = arg;
    pid_t pid = s->pid;
    relay_gone(s, "the link shaper's relay died; its redirects were taken away, frames go straight again");
    (void)waitpid(pid, NULL, WNOHANG); // if the lab's reaper has not been here before
    return 0;
}

static void send_rules(struct shape_client *c) {
    struct shaper *s = c->shaper;
    struct relay_message m = {.op = RELAY_RULE, .fault = c->fault};
    bool ok = true;
    VEC_FOREACH (&s->rules, i) {
        m.rule = i->rule;
        if (i->rule.fault == c->fault)
            ok = ok && send(s->fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof m;
    }
    m.op = RELAY_SYNC;
    ok = ok && send(s->fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof m;
    if (ok)
        return;
    (void)drop_rules(s, c->fault, false, NULL); // the relay may keep a rule that nothing is redirected to
    client_leave(c);
    c->imposed(c->arg, false, 0, "the relay does not take rules (its socket is full or closed)");
}

static void on_hello(struct shaper *s, const struct relay_message *m) {
    if (!m->ok) {
        relay_gone(s, m->text);
        return;
    }
    s->state = RELAY_ON;
    for (size_t i = s->clients.n; i-- > 0;)
        if (i < s->clients.n && s->clients.items[i]->phase == SHAPE_IMPOSING)
            send_rules(s->clients.items[i]);
}

static void on_sync(struct shaper *s, struct shape_client *c) {
    struct err err = {0};
    if (c->phase != SHAPE_IMPOSING)
        return;
    if (add_redirects(s, c->fault, &err) < 0) {
        (void)drop_rules(s, c->fault, true, NULL);
        client_leave(c);
        c->imposed(c->arg, false, 0, err.msg);
        return;
    }
    c->phase = SHAPE_IMPOSED;
    c->imposed(c->arg, true, sink_now(s->world->sink), "");
}

static void on_ended(struct shaper *s, struct shape_client *c, const struct relay_message *m) {
    struct shape_counts counts = {.stats = m->stats, .lost = m->lost, .unsent = m->unsent, .why = m->why};
    struct err err = {0};
    usec_t at = m->at_us > s->world->sink->base ? m->at_us - s->world->sink->base : 0;
    int r = drop_rules(s, c->fault, true, &err);
    client_leave(c);
    c->lifted(c->arg, r >= 0, at, &counts, r < 0 ? err.msg : "");
}

static void on_relay(struct shaper *s, const struct relay_message *m) {
    struct shape_client *c = client_of(s, m->fault);
    struct shape_counts counts = {.stats = m->stats, .lost = m->lost, .unsent = m->unsent, .why = m->why};
    if (m->op == RELAY_HELLO)
        on_hello(s, m);
    else if (c && m->op == RELAY_SYNC)
        on_sync(s, c);
    else if (c && m->op == RELAY_END && c->phase == SHAPE_LIFTING)
        on_ended(s, c, m);
    else if (c && m->op == RELAY_ASK && c->counted)
        c->counted(c->arg, &counts);
}

static int on_message(sd_event_source *src, int fd, uint32_t revents, void *arg) {
    (void)src, (void)fd, (void)revents;
    struct shaper *s = arg;
    struct relay_message m;
    while (s->fd >= 0 && recv(s->fd, &m, sizeof m, MSG_DONTWAIT) == (ssize_t)sizeof m)
        on_relay(s, &m);
    if (s->io && revents & (EPOLLHUP | EPOLLERR))
        s->io = sd_event_source_disable_unref(s->io); // the pidfd tells the rest
    return 0;
}

static int fill_config(struct shaper *s, struct err *err) {
    const struct topology *t = s->world->topology;
    s->config = (struct relay_config){.n = t->nodes.n};
    for (size_t i = 0; i < t->nodes.n; i++) {
        int port = switch_port_index(s->world->sw, t->nodes.items[i].name, err);
        if (port < 0)
            return port;
        s->config.port[i] = port;
        (void)inet_pton(AF_INET, t->nodes.items[i].address, &s->config.address[i]);
    }
    return switch_sink(s->world->sw, &s->config.sink, err);
}

static int relay_start(struct shaper *s, struct err *err) {
    int r = fill_config(s, err);
    if (r >= 0)
        r = switch_run_function(s->world->sw, relay_open, relay_main, &s->config, &s->pid, &s->pidfd, &s->fd, err);
    if (r < 0)
        return err_wrap(err, "start the link shaper's relay");
    r = sd_event_add_io(s->world->loop, &s->io, s->fd, EPOLLIN, on_message, s);
    if (r >= 0)
        r = sd_event_add_io(s->world->loop, &s->exited, s->pidfd, EPOLLIN, on_exit_seen, s);
    if (r >= 0) // its last words before its end
        r = sd_event_source_set_priority(s->io, SD_EVENT_PRIORITY_NORMAL - 1);
    s->state = RELAY_STARTING;
    return r < 0 ? err_sys(err, -r, "watch the link shaper's relay") : 0;
}

void shaper_free(struct shaper *s) {
    if (!s)
        return;
    remove_all_redirects(s);
    if (s->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0); // pid 1 reaps it
    forget_relay(s);
    VEC_DONE(&s->rules);
    VEC_DONE(&s->clients);
    free(s);
}

pid_t shaper_relay_pid(const struct shaper *s) {
    return s->pid;
}

// ---- faults --------------------------------------------------------------------------------------------------------

static uint64_t seed_of(const struct shaper *s, const char *id, size_t rule) {
    uint64_t h = UINT64_C(14695981039346656037) ^ s->world->seed; // FNV-1a
    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return (h ^ rule) * UINT64_C(1099511628211);
}

void shaper_impose(struct shaper *s, struct shape_client *c, const struct shape_rule *r, const flow_list *flows,
                   const char *id) {
    const struct topology *t = s->world->topology;
    struct err err = {0};
    c->shaper = s;
    c->fault = ++s->last_fault;
    c->phase = SHAPE_IMPOSING;
    VEC_PUSH(&s->clients, c);
    size_t n = 0;
    VEC_FOREACH (flows, f) {
        struct imposed *i = VEC_ADD(&s->rules);
        *i = (struct imposed){.flow = *f, .rule = *r};
        i->rule.fault = c->fault;
        i->rule.seed = seed_of(s, id, n++);
        i->rule.match = (struct shape_match){.side = (uint8_t)f->side, .port = f->port, .over = f->over};
        (void)inet_pton(AF_INET, t->nodes.items[f->from].address, &i->rule.match.src);
        (void)inet_pton(AF_INET, t->nodes.items[f->to].address, &i->rule.match.dst);
    }
    if (s->state == RELAY_OFF && relay_start(s, &err) < 0)
        relay_gone(s, err.msg);
    else if (s->state == RELAY_ON)
        send_rules(c);
}

void shaper_lift(struct shape_client *c, bool discard) {
    struct shaper *s = c->shaper;
    if (c->phase == SHAPE_IDLE || c->phase == SHAPE_IMPOSING) {
        if (c->phase == SHAPE_IMPOSING) {
            struct relay_message end = {.op = RELAY_END, .fault = c->fault};
            (void)drop_rules(s, c->fault, false, NULL);
            if (s->state == RELAY_ON)
                (void)send(s->fd, &end, sizeof end, MSG_NOSIGNAL | MSG_DONTWAIT);
            client_leave(c);
        }
        c->lifted(c->arg, true, 0, NULL, "nothing was in force");
        return;
    }
    struct relay_message m = {.op = RELAY_END, .fault = c->fault, .discard = discard};
    c->phase = SHAPE_LIFTING;
    if (send(s->fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof m)
        return;
    c->phase = SHAPE_IMPOSED;
    c->lifted(c->arg, false, 0, NULL, "the relay does not take messages");
}

void shaper_count(struct shape_client *c) {
    struct relay_message m = {.op = RELAY_ASK, .fault = c->fault};
    if (c->phase != SHAPE_IMPOSED ||
        send(c->shaper->fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof m)
        c->counted(c->arg, NULL);
}

void shaper_drop_client(struct shape_client *c) {
    struct shaper *s = c->shaper;
    if (!s || c->phase == SHAPE_IDLE)
        return;
    struct relay_message m = {.op = RELAY_END, .fault = c->fault};
    if (s->state == RELAY_ON)
        (void)send(s->fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)drop_rules(s, c->fault, c->phase != SHAPE_IMPOSING, NULL);
    client_leave(c);
}

// ---- what is to be expected ----------------------------------------------------------------------------------------

static void add_delay(const struct shape_rule *r, struct shape_expected *e) {
    uint64_t down = (uint64_t)((double)r->jitter_ns * shape_reach(r->dist));
    e->delay_ns += r->delay_ns;
    e->least_ns += r->delay_ns > down ? r->delay_ns - down : 0;
    e->most_ns += r->delay_ns + r->jitter_ns * (r->dist == SHAPE_UNIFORM ? 1 : 3);
}

void shaper_expect(const struct shaper *s, const struct net_flow *flow, struct shape_expected *ret) {
    struct shape_expected e = {.arrives = 1};
    VEC_FOREACH (&s->rules, i) {
        const struct shape_rule *r = &i->rule;
        const struct shape_client *c = client_of(s, r->fault);
        if (!flow_covers(&i->flow, flow) || !c || c->phase != SHAPE_IMPOSED)
            continue;
        if (r->kind == SHAPE_LOSS || r->kind == SHAPE_CORRUPT)
            e.arrives *= 1 - r->p;
        if (r->kind == SHAPE_LOSS && r->burst > 0)
            e.bursts = true;
        if (r->kind == SHAPE_DUPLICATE)
            e.twice = 1 - (1 - e.twice) * (1 - r->p);
        if (r->kind == SHAPE_REORDER)
            e.late = 1 - (1 - e.late) * (1 - r->p);
        if (r->kind == SHAPE_DELAY)
            add_delay(r, &e);
        if (r->kind == SHAPE_RATE && (!e.bits_per_s || r->bits_per_s < e.bits_per_s))
            e.bits_per_s = r->bits_per_s;
        e.jammed = e.jammed || r->kind == SHAPE_JAM;
    }
    *ret = e;
}

bool shaper_jams(const struct shaper *s, const struct net_flow *flow) {
    struct shape_expected e = {0};
    if (s)
        shaper_expect(s, flow, &e);
    return e.jammed;
}

bool shaper_touches(const struct shaper *s, const struct net_flow *flow) {
    for (size_t i = 0; s && i < s->rules.n; i++)
        if (flow_covers(&s->rules.items[i].flow, flow))
            return true;
    return false;
}

// ---- the host ------------------------------------------------------------------------------------------------------

static int try_here(const char *arg, struct err *err) {
    (void)arg;
    struct switch_net *sw = NULL;
    struct switch_sink sink;
    struct tap tap = {.rx = -1, .tx = -1};
    int r = switch_new(&sw, err);
    if (r >= 0)
        r = switch_sink(sw, &sink, err);
    if (r >= 0)
        r = switch_enter(sw, err);
    if (r >= 0)
        r = tap_open(&tap, &sink, err);
    tap_close(&tap);
    return r;
}

int shaper_check_host(struct err *err) {
    static bool known;
    static struct err found;
    if (in_lab)
        return 0;
    if (!known && sandbox_probe(try_here, &found) >= 0)
        found = (struct err){0};
    known = true;
    return found.code ? err_set(err, found.code, "the link shaper can't work on this host: %s", found.msg) : 0;
}
