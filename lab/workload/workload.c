// SPDX-License-Identifier: PostgreSQL
// The supervisor's side of the application. The happy path:
//   create the ledger -> fork into the application's node -> hand the ledger over -> its events go to the sink as they come
//   -> stop -> the end mark, end of file -> reap -> done
// What goes wrong:
//   the process dies (its node lost power, a bug)   end of file without the end mark: told as client.error "process"
//   it hangs (stopped, no memory)                   told to stop it does not end: killed at its deadline, and that is told the same way
#include "lab/workload/workload.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lab/sandbox/spawn.h"
#include "lab/workload/app.h"
#include "lab/workload/message.h"

// Told to stop, the process gives what waits in its queue the deadline of an operation, and what it sent last once more as long; this is
// for everything else, on a slow machine.
static const usec_t STOP_SLACK = 5 * SEC;
// After SIGKILL only the kernel has work to do. A process that it can't end (uninterruptible sleep) is left to the lab's end.
static const usec_t KILL_SLACK = 2 * SEC;

struct workload {
    sd_event *loop;
    const struct event_sink *sink;
    struct app_config config; // the child has a copy of this memory
    char *conninfo;
    pid_t pid;
    int pidfd, fd;
    sd_event_source *io, *exited, *limit;
    usec_t stop_asked; // 0 = not yet
    bool end_seen, gone, killed;
    void (*done)(void *arg);
    void *done_arg;
};

static int run(void *arg, int fd) {
    return app_main(arg, fd);
}

static void tell_death(struct workload *w, int status) {
    struct event ev = EVENT_NEW(CLIENT_ERROR);
    ev.u.CLIENT_ERROR.phase = CLIENT_PHASE_PROCESS;
    double waited = (double)(usec_now() - w->stop_asked) / 1e6;
    if (w->killed)
        (void)snprintf(ev.u.CLIENT_ERROR.text, sizeof ev.u.CLIENT_ERROR.text,
                       "the application's process did not end within %.1f s of being told to stop and was killed; what "
                       "it did since its last report is not known",
                       waited);
    else if (WIFSIGNALED(status))
        (void)snprintf(ev.u.CLIENT_ERROR.text, sizeof ev.u.CLIENT_ERROR.text,
                       "the application's process was killed by signal %d before it had reported everything",
                       WTERMSIG(status));
    else
        (void)snprintf(ev.u.CLIENT_ERROR.text, sizeof ev.u.CLIENT_ERROR.text,
                       "the application's process ended with status %d before it had reported everything",
                       WEXITSTATUS(status));
    sink_emit(w->sink, &ev);
}

static void call_done(struct workload *w) {
    void (*done)(void *) = w->done;
    w->done = NULL;
    if (done)
        done(w->done_arg);
}

// Its own exit, seen through the pidfd: everything it wrote is in the socket already, so drain that first.
static bool take_message(struct workload *w) {
    struct event ev = {0};
    ssize_t n = recv(w->fd, &ev, sizeof ev, MSG_DONTWAIT);
    if (n < (ssize_t)offsetof(struct event, u) || ev.kind < 0 || ev.kind >= EVENT_KIND_COUNT ||
        n < (ssize_t)message_size(ev.kind))
        return false;
    if (ev.kind == EVENT_TICK)
        w->end_seen = true;
    else
        sink_emit(w->sink, &ev);
    return true;
}

static int on_message(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)fd;
    struct workload *w = arg;
    if (!take_message(w) && (revents & (EPOLLHUP | EPOLLERR)))
        w->io = sd_event_source_disable_unref(w->io); // the pidfd tells the rest
    return 0;
}

static int on_exit_seen(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)fd, (void)revents;
    struct workload *w = arg;
    int status = 0;
    while (take_message(w))
        ;
    w->io = sd_event_source_disable_unref(w->io);
    w->exited = sd_event_source_disable_unref(w->exited);
    w->limit = sd_event_source_disable_unref(w->limit);
    w->gone = true;
    // The supervisor, being pid 1, may have reaped it as it reaps every orphan: then the status is lost, the fact is not.
    (void)waitpid(w->pid, &status, WNOHANG);
    if (!w->end_seen)
        tell_death(w, status);
    call_done(w);
    return 0;
}

static int on_unkillable(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    struct workload *w = arg;
    if (!w->end_seen)
        tell_death(w, 0);
    w->end_seen = true; // once: the kernel may end it after all
    call_done(w);
    return 0;
}

static int set_limit(struct workload *w, usec_t in, sd_event_time_handler_t handler) {
    w->limit = sd_event_source_disable_unref(w->limit);
    return sd_event_add_time(w->loop, &w->limit, CLOCK_MONOTONIC, usec_now() + in, 1, handler, w);
}

static int on_stop_limit(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    struct workload *w = arg;
    w->killed = true;
    (void)spawn_pidfd_kill(w->pidfd, SIGKILL);
    if (set_limit(w, KILL_SLACK, on_unkillable) < 0)
        call_done(w);
    return 0;
}

static int send_to_app(int sock, struct message_to_app message, int fd, struct err *err) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {&message, sizeof message};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return err_sys(err, errno, "talk to the application's process");
    return 0;
}

static int watch(struct workload *w, sd_event *loop, struct err *err) {
    w->pidfd = spawn_pidfd_open(w->pid);
    if (w->pidfd < 0)
        return err_sys(err, -w->pidfd, "watch the application's process");
    int r = sd_event_add_io(loop, &w->io, w->fd, EPOLLIN, on_message, w);
    if (r >= 0)
        r = sd_event_add_io(loop, &w->exited, w->pidfd, EPOLLIN, on_exit_seen, w);
    return r < 0 ? err_sys(err, -r, "watch the application's process") : 0;
}

static int launch(struct workload *w, const struct workload_options *o, struct err *err) {
    cleanup_close int ledger = -1;
    int r = ledger_create(o->ledger_path, &ledger, err);
    if (r >= 0)
        r = node_run_function(o->app, run, &w->config, &w->pid, &w->fd, err);
    if (r >= 0)
        r = watch(w, o->loop, err);
    // Handed over rather than inherited: whoever forks may close what it does not know (and should).
    return r < 0 ? r : send_to_app(w->fd, (struct message_to_app){.what = MESSAGE_LEDGER}, ledger, err);
}

int workload_start(const struct workload_options *o, struct workload **ret, struct err *err) {
    struct workload *w = xcalloc(1, sizeof *w);
    *w = (struct workload){.loop = o->loop, .sink = o->sink, .conninfo = xstrdup(o->conninfo), .pidfd = -1, .fd = -1};
    w->config =
        (struct app_config){.def = *o->def, .topology = o->topology, .conninfo = w->conninfo, .base = o->sink->base};
    int r = launch(w, o, err);
    if (r < 0) {
        workload_free(w);
        return err_wrap(err, "start the application");
    }
    *ret = w;
    return 0;
}

int workload_stop(struct workload *w, void (*done)(void *arg), void *arg, struct err *err) {
    w->done = done;
    w->done_arg = arg;
    if (w->gone) {
        call_done(w);
        return 0;
    }
    w->stop_asked = usec_now();
    // A process that hangs may have left its socket full: the limit decides then.
    (void)send_to_app(w->fd, (struct message_to_app){.what = MESSAGE_STOP}, -1, NULL);
    int r = set_limit(w, 2 * w->config.def.deadline + STOP_SLACK, on_stop_limit);
    return r < 0 ? err_sys(err, -r, "watch the application's end") : 0;
}

void workload_kill(struct workload *w) {
    if (!w || w->gone)
        return;
    (void)spawn_pidfd_kill(w->pidfd, SIGKILL);
    (void)spawn_pidfd_gone(w->pidfd, (int)(KILL_SLACK / MSEC));
}

int workload_set_rate(struct workload *w, double writes_per_s, struct err *err) {
    if (w->gone)
        return err_set(err, ESRCH, "the application's process has ended");
    return send_to_app(w->fd, (struct message_to_app){.what = MESSAGE_RATE, .writes_per_s = writes_per_s}, -1, err);
}

void workload_set_merge(struct workload *w, usec_t merge) {
    if (!w->gone)
        (void)send_to_app(w->fd, (struct message_to_app){.what = MESSAGE_MERGE, .merge = merge}, -1, NULL);
}

void workload_free(struct workload *w) {
    if (!w)
        return;
    sd_event_source_disable_unref(w->io);
    sd_event_source_disable_unref(w->exited);
    sd_event_source_disable_unref(w->limit);
    if (w->pidfd >= 0 && !w->gone)
        (void)spawn_pidfd_kill(w->pidfd, SIGKILL); // the reaper of pid 1 takes what is left
    if (w->pidfd >= 0)
        (void)close(w->pidfd);
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w->conninfo);
    free(w);
}
