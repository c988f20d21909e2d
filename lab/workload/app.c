// SPDX-License-Identifier: PostgreSQL
// The application's process. The happy path:
//   take the ledger's fd from the supervisor -> connect -> create the table -> schedule by the clock: queue, send, record
//   -> told to stop: nothing new, what is under way gets its deadline -> last tick, end mark, exit 0
// What goes wrong:
//   no server, no table yet   tried again for ever; each kind of error is told once (client.error)
//   the supervisor is gone    end of file on its socket: exit at once
// One timer: after everything that happens app_turn does what is due and sets it to the next moment something is.
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "lab/workload/app.h"
#include "lab/workload/message.h"
#include "lab/workload/process.h"

usec_t app_now(const struct app *a) {
    return usec_now() - a->o->base;
}

void app_begin_load(struct app *a, uint64_t first_id) {
    usec_t now = app_now(a);
    a->table_ready = true;
    a->first_id = first_id;
    a->warm_until = now + 5 * SEC;
    a->tick.u.CLIENT_TICK.from = now - now % TICK;
    for (size_t i = 0; i < a->n_pools; i++) // spread, so that they do not all fire in the same moment
        a->pools[i].t0 = now + (i ? 20 * MSEC + (usec_t)(a->pools[i].period * (double)i / (double)a->n_pools) : 0);
}

static void set_timer(struct app *a) {
    usec_t next = report_next(a);
    for (size_t i = 0; i < a->n_pools; i++) {
        usec_t t = pool_next(&a->pools[i]);
        if (t < next)
            next = t;
    }
    int enable = next == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT;
    if (enable != SD_EVENT_OFF)
        (void)sd_event_source_set_time(a->timer, next + a->o->base);
    (void)sd_event_source_set_enabled(a->timer, enable);
}

static bool all_quiet(const struct app *a) {
    for (size_t i = 0; i < a->n_pools; i++)
        if (!pool_quiet(&a->pools[i]))
            return false;
    return true;
}

// After a standstill there is much of it. What is due first comes first, whichever pool it is for: each belongs to the bucket of its schedule.
void app_schedule(struct app *a, usec_t now) {
    for (;;) {
        struct pool *first = &a->pools[0];
        for (size_t i = 1; i < a->n_pools; i++)
            if (pool_due(&a->pools[i]) < pool_due(first))
                first = &a->pools[i];
        if (pool_due(first) > now)
            return;
        pool_schedule(first, now);
    }
}

void app_turn(struct app *a) {
    usec_t now = app_now(a);
    app_schedule(a, now);
    for (size_t i = 0; i < a->n_pools; i++)
        pool_work(&a->pools[i], now);
    report_advance(a, now);
    if (a->stopping && !a->ended && all_quiet(a)) {
        a->ended = true;
        report_end(a);
        (void)sd_event_exit(a->loop, 0);
    }
    set_timer(a);
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    app_turn(arg);
    return 0;
}

static int take_fd(const struct msghdr *m) {
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static int on_control(sd_event_source *src, int fd, uint32_t revents, void *arg) {
    (void)src, (void)revents;
    struct app *a = arg;
    struct message_to_app in = {0};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {&in, sizeof in};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return sd_event_exit(a->loop, 1); // nobody is left to report to
    if (in.what == MESSAGE_LEDGER && a->ledger.fd < 0)
        a->ledger.fd = take_fd(&m);
    if (in.what == MESSAGE_STOP)
        a->stopping = true;
    if (in.what == MESSAGE_RATE)
        pool_set_rate(&a->pools[0], in.writes_per_s, app_now(a));
    if (in.what == MESSAGE_MERGE)
        report_merge(a, in.merge);
    app_turn(a);
    return 0;
}

static void pool_init(struct app *a, struct pool *p, uint8_t kind, size_t want, double per_s) {
    *p = (struct pool){.app = a, .kind = kind, .want = want, .t0 = USEC_NEVER, .period = per_s > 0 ? 1e6 / per_s : 0};
    p->warm = kind == LEDGER_WRITE;
}

static int make_pools(struct app *a, struct err *err) {
    const struct topology *t = a->o->topology;
    a->pools = xcalloc(1 + t->nodes.n, sizeof *a->pools);
    a->n_pools = 1;
    pool_init(a, &a->pools[0], LEDGER_WRITE, POOL_WRITERS, a->o->def.writes_per_s);
    int r = app_read_conninfo(a, err);
    for (size_t i = 0; r >= 0 && a->o->def.reads_per_s > 0 && i < t->nodes.n; i++) {
        if (!(t->nodes.items[i].services & SERVICE_POSTGRES))
            continue;
        struct pool *p = &a->pools[a->n_pools++];
        pool_init(a, p, LEDGER_READ, 1, a->o->def.reads_per_s);
        hosts_for_node(p, &t->nodes.items[i], i);
    }
    return r;
}

static int make_loop(struct app *a, struct err *err) {
    int r = sd_event_new(&a->loop);
    if (r >= 0)
        r = sd_event_add_io(a->loop, &a->control, a->fd, EPOLLIN, on_control, a);
    if (r >= 0)
        r = sd_event_add_time(a->loop, &a->timer, CLOCK_MONOTONIC, usec_now(), 1, on_timer, a);
    return r < 0 ? err_sys(err, -r, "the application's event loop") : 0;
}

static void app_done(struct app *a) {
    for (size_t i = 0; i < a->n_pools; i++)
        pool_done(&a->pools[i]);
    free(a->pools);
    sd_event_source_unref(a->timer);
    sd_event_source_unref(a->control);
    sd_event_unref(a->loop);
    free(a->user), free(a->password), free(a->dbname), free(a->session_attrs);
    VEC_DONE(&a->records);
    VEC_DONE(&a->unsent);
    ledger_close(&a->ledger);
}

int app_main(const struct app_config *o, int fd) {
    struct app a = {.o = o, .fd = fd, .ledger = {.fd = -1}, .tick = EVENT_NEW(CLIENT_TICK)};
    struct err err = {0};
    process_forget_parent(fd);
    (void)prctl(PR_SET_NAME, "bascule-app"); // who looks for it with ps finds it
    int r = make_pools(&a, &err);
    if (r >= 0)
        r = make_loop(&a, &err);
    if (r >= 0)
        r = sd_event_loop(a.loop);
    else
        report_error(&a, &(struct host){.name = ""}, CLIENT_PHASE_CONNECT, "", err.msg);
    app_done(&a);
    return r < 0 ? 1 : r;
}
