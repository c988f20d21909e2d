// SPDX-License-Identifier: PostgreSQL
// HAProxy's view of its servers: "show stat" on its admin socket once a second; each server's state on change, else every 5 s.
// What goes wrong: no socket, no answer within a second: asked again at the next beat; the silence of a proxy shows in the client.
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lab/node/places.h"
#include "lab/observe/internal.h"
#include "lab/observe/proxy_csv.h"

#define PROXY_PERIOD SEC
#define PROXY_HURRY  (250 * MSEC)
#define PROXY_REPEAT (5 * SEC)
enum { ANSWER_MAX = 256 * 1024 };

struct seen {
    struct proxy_server server;
    usec_t told;
};

struct proxy {
    struct watched *w;
    int fd;
    sd_event_source *io;
    struct strbuf answer;
    usec_t asked, next;
    VEC(struct seen) seen;
};

static void hang_up(struct proxy *p) {
    p->io = sd_event_source_disable_unref(p->io);
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    strbuf_clear(&p->answer);
}

static struct seen *find(struct proxy *p, const struct proxy_server *s) {
    VEC_FOREACH (&p->seen, k)
        if (str_eq(k->server.backend, s->backend) && str_eq(k->server.server, s->server))
            return k;
    struct seen *k = VEC_ADD(&p->seen);
    STR_COPY(k->server.backend, s->backend);
    STR_COPY(k->server.server, s->server);
    return k;
}

static void take(void *arg, const struct proxy_server *s) {
    struct proxy *p = arg;
    usec_t now = observer_now(p->w->o);
    struct seen *k = find(p, s);
    if (k->told && str_eq(k->server.state, s->state) && now - k->told < PROXY_REPEAT)
        return;
    k->server = *s;
    k->told = now;
    struct event ev = EVENT_NEW(PROXY);
    STR_COPY(ev.u.PROXY.node, p->w->def->name);
    STR_COPY(ev.u.PROXY.backend, s->backend);
    STR_COPY(ev.u.PROXY.server, s->server);
    STR_COPY(ev.u.PROXY.state, s->state);
    sink_emit(p->w->o->sink, &ev);
}

static int on_answer(sd_event_source *src, int fd, uint32_t revents, void *arg) {
    (void)src, (void)revents;
    struct proxy *p = arg;
    char buf[8192];
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0 && p->answer.len < ANSWER_MAX) {
        strbuf_addn(&p->answer, buf, (size_t)n);
        return 0;
    }
    if (n == 0 && p->answer.len)
        proxy_csv_read(p->answer.data, take, p);
    hang_up(p);
    return 0;
}

static void ask(struct proxy *p) {
    static const char question[] = "show stat -1 4 -1\n"; // servers only
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "/proc/%d/root" STACK_HAPROXY_STATS, (int)node_init_pid(p->w->node));
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool asked = p->fd >= 0 && connect(p->fd, (struct sockaddr *)&a, sizeof a) == 0 &&
                 send(p->fd, question, sizeof question - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 &&
                 sd_event_add_io(p->w->o->loop, &p->io, p->fd, EPOLLIN, on_answer, p) >= 0;
    if (!asked)
        hang_up(p);
}

void proxy_turn(void *probe) {
    struct proxy *p = probe;
    usec_t now = observer_now(p->w->o);
    bool on = watched_on(p->w);
    if (p->fd >= 0 && (!on || now - p->asked >= SEC))
        hang_up(p);
    if (!on || p->fd >= 0 || now < p->next)
        return;
    p->asked = now;
    p->next = now + (observer_hurry(p->w->o) ? PROXY_HURRY : PROXY_PERIOD);
    ask(p);
}

int proxy_open(struct watched *w, void **ret, struct err *err) {
    (void)err;
    struct proxy *p = xcalloc(1, sizeof *p);
    p->w = w;
    p->fd = -1;
    *ret = p;
    return 0;
}

void proxy_close(void *probe) {
    struct proxy *p = probe;
    if (!p)
        return;
    hang_up(p);
    strbuf_done(&p->answer);
    VEC_DONE(&p->seen);
    free(p);
}
