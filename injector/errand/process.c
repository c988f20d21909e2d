// SPDX-License-Identifier: PostgreSQL
// One errand's process. The happy path: fork into the node -> it talks -> notes, then OK or NO as messages -> it exits, seen by its
// pidfd -> GONE.
// What goes wrong: it dies without an answer (its node lost power): PASS is said for it. It never answers: whoever has the deadline
// frees it, which kills it.
#include "injector/errand/process.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "injector/errand/wire.h"

struct errand {
    struct errand_order o;
    char at[NODE_NAME_MAX], node[NODE_NAME_MAX], target[NODE_NAME_MAX];
    struct errand_io io; // the process has a copy
    pid_t pid;
    int pidfd, fd;
    sd_event_source *messages, *exited, *killer;
    bool answered, gone;
    bool inside, dropped; // in a callback of ours; freed in there: the memory goes when it returns
};

static int run(void *arg, int fd) {
    struct errand *e = arg;
    e->io.fd = fd;
    (void)prctl(PR_SET_NAME, "bascule-errand");
    e->o.fn(&e->io);
    if (!e->io.told)
        errand_no(&e->io, "it ended without an answer");
    return 0;
}

static void say(struct errand *e, enum errand_word word, usec_t t, const char *key, const char *text) {
    if (word == ERRAND_OK || word == ERRAND_NO || word == ERRAND_PASS)
        e->answered = true;
    e->o.said(e->o.arg, e, word, t, key, text);
}

static bool take(struct errand *e) {
    static struct errand_message m;
    ssize_t n = e->dropped ? 0 : recv(e->fd, &m, sizeof m, MSG_DONTWAIT);
    if (n < (ssize_t)offsetof(struct errand_message, text) + 1)
        return false;
    m.text[(size_t)n - offsetof(struct errand_message, text) - 1] = '\0';
    m.key[sizeof m.key - 1] = '\0';
    usec_t base = e->o.world->sink->base;
    say(e, (enum errand_word)m.word, m.t > base ? m.t - base : 0, m.key, m.text);
    return true;
}

static void leave(struct errand *e) {
    e->inside = false;
    if (e->dropped)
        free(e);
}

static int on_message(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)fd;
    struct errand *e = arg;
    e->inside = true;
    if (!(revents & EPOLLIN) && (revents & (EPOLLHUP | EPOLLERR)))
        e->messages = sd_event_source_disable_unref(e->messages); // the pidfd tells the rest
    else
        (void)take(e);
    leave(e);
    return 0;
}

static void quiet(struct errand *e) {
    e->messages = sd_event_source_disable_unref(e->messages);
    e->exited = sd_event_source_disable_unref(e->exited);
    e->killer = sd_event_source_disable_unref(e->killer);
}

static int on_exit_seen(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)fd, (void)revents;
    struct errand *e = arg;
    int status;
    e->inside = true;
    while (take(e))
        ;
    (void)waitpid(e->pid, &status, WNOHANG); // the supervisor, being pid 1, may have reaped it
    e->gone = true;
    quiet(e);
    if (!e->dropped && !e->answered)
        say(e, ERRAND_PASS, 0, "", "the process of ours ended before it had an answer (did its node lose power?)");
    if (!e->dropped)
        say(e, ERRAND_GONE, 0, "", "");
    leave(e);
    return 0;
}

static void kill_it(const struct errand *e) {
    if (!e->gone && e->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, e->pidfd, SIGKILL, NULL, 0);
}

static int on_killer(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    kill_it(arg);
    return 0;
}

void errand_stop(struct errand *e) {
    static const usec_t GRACE = 5 * SEC; // to cancel a statement and to close its sessions
    if (e->gone || e->killer)
        return;
    (void)shutdown(e->fd, SHUT_WR);
    if (sd_event_add_time(e->o.world->loop, &e->killer, CLOCK_MONOTONIC, usec_now() + GRACE, 1, on_killer, e) < 0)
        kill_it(e);
}

bool errand_over(const struct errand *e) {
    return e->gone;
}

void errand_free(struct errand *e) {
    if (!e)
        return;
    quiet(e);
    kill_it(e);
    if (e->pidfd >= 0)
        (void)close(e->pidfd);
    if (e->fd >= 0)
        (void)close(e->fd);
    e->dropped = true;
    if (!e->inside)
        free(e);
}

static int watch(struct errand *e, struct err *err) {
    e->pidfd = (int)syscall(SYS_pidfd_open, e->pid, 0);
    int r = e->pidfd < 0 ? -errno : 0;
    if (r >= 0)
        r = sd_event_add_io(e->o.world->loop, &e->messages, e->fd, EPOLLIN, on_message, e);
    if (r >= 0)
        r = sd_event_add_io(e->o.world->loop, &e->exited, e->pidfd, EPOLLIN, on_exit_seen, e);
    return r < 0 ? err_sys(err, -r, "watch a process on node '%s'", e->at) : 0;
}

int errand_start(const struct errand_order *o, struct errand **ret, struct err *err) {
    struct node *n = fault_world_node(o->world, o->at);
    if (!n)
        return err_set(err, ENOENT, "there is no node '%s'", o->at);
    struct errand *e = xcalloc(1, sizeof *e);
    *e = (struct errand){.o = *o, .pidfd = -1, .fd = -1};
    STR_COPY(e->at, o->at);
    STR_COPY(e->node, o->node);
    STR_COPY(e->target, o->target);
    e->io = (struct errand_io){.world = o->world,
                               .about = o->about,
                               .node = e->node,
                               .target = e->target,
                               .params = o->params,
                               .notes = o->notes};
    int r = node_run_function(n, run, e, &e->pid, &e->fd, err);
    if (r >= 0)
        r = watch(e, err);
    if (r < 0) {
        errand_free(e);
        return r;
    }
    *ret = e;
    return 0;
}
