// SPDX-License-Identifier: PostgreSQL
// The supervisor's end of the talk with a node's init: requests, answers, and which services run. A start waits for its
// answer (about 1 ms); whatever else arrives meanwhile is kept and handled on the loop, in order, so that no event is
// emitted from inside a caller's call.
#include <poll.h>
#include <sys/socket.h>

#include "lab/node/environment.h"
#include "lab/node/internal.h"

enum { ANSWER_TIMEOUT_MS = 2000 }; // a start takes 1-2 ms; a stopped init must not hang the supervisor

// 0, -EAGAIN nothing there, -ENODATA the init is gone.
static int receive(const struct node *n, struct answer *ret) {
    for (;;) {
        ssize_t got = recv(n->control, ret, sizeof *ret, MSG_DONTWAIT);
        if (got == (ssize_t)sizeof *ret)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        return got < 0 && errno == EAGAIN ? -EAGAIN : -ENODATA;
    }
}

static void emit_service(struct node *n, const char *service, enum service_state state, const struct answer *a) {
    struct event ev = EVENT_NEW(SERVICE);
    STR_COPY(ev.u.SERVICE.node, n->name);
    STR_COPY(ev.u.SERVICE.service, service);
    ev.u.SERVICE.state = state;
    ev.u.SERVICE.pid = a->pid;
    ev.u.SERVICE.status = a->status;
    ev.u.SERVICE.signal = a->signal;
    sink_emit(&n->sink, &ev);
}

static void on_watchdog(struct node *n, const struct answer *a) {
    struct event ev = EVENT_NEW(WATCHDOG);
    STR_COPY(ev.u.WATCHDOG.node, n->name);
    ev.u.WATCHDOG.state = (enum watchdog_state)a->status;
    ev.u.WATCHDOG.timeout = (usec_t)a->n * SEC;
    ev.u.WATCHDOG.last = a->sent > n->sink.base ? a->sent - n->sink.base : 0;
    sink_emit(&n->sink, &ev);
    if (ev.u.WATCHDOG.state == WATCHDOG_STATE_EXPIRED && n->init)
        (void)node_power_off(n, NULL, NULL);
}

static struct node_service *service_of(const struct node *n, const char *name) {
    VEC_FOREACH (&n->services, s)
        if (str_eq(s->name, name))
            return s;
    return NULL;
}

static void handle(struct node *n, const struct answer *a) {
    switch ((enum answer_kind)a->kind) {
    case ANSWER_STARTED: // kept by node_service_start: the service runs
        emit_service(n, a->text, SERVICE_STATE_STARTED, a);
        break;
    case ANSWER_EXITED:
        emit_service(n, a->text, a->signal ? SERVICE_STATE_SIGNALLED : SERVICE_STATE_EXITED, a);
        break;
    case ANSWER_SIGNALLED:
        node_signal_answered(n, a);
        break;
    case ANSWER_WATCHDOG:
        on_watchdog(n, a);
        break;
    case ANSWER_BOOTED:
        break;
    }
}

// The table follows the init's words at once, even while the event still waits for its turn on the loop.
static void note_exit(const struct node *n, const struct answer *a) {
    struct node_service *s = a->kind == ANSWER_EXITED ? service_of(n, a->text) : NULL;
    if (s && s->pid == a->pid)
        s->pid = 0;
}

// A callback may power the node off, or free nothing but start things again: so one at a time, looked up afresh.
static void node_handle_pending(struct node *n) {
    while (n->init && n->pending.n) {
        struct answer a = n->pending.items[0];
        VEC_REMOVE(&n->pending, 0);
        handle(n, &a);
    }
}

static int on_pending(sd_event_source *s, void *arg) {
    (void)s;
    node_handle_pending(arg);
    return 0;
}

static void queue_answer(struct node *n, const struct answer *a) {
    VEC_PUSH(&n->pending, *a);
    if (!n->on_pending)
        (void)sd_event_add_defer(n->loop, &n->on_pending, on_pending, n);
    else
        (void)sd_event_source_set_enabled(n->on_pending, SD_EVENT_ONESHOT);
}

int node_read_answers(struct node *n) {
    struct answer a;
    int r;
    while ((r = receive(n, &a)) == 0) {
        note_exit(n, &a);
        // An answer nobody waits for any more (its start ran out of time) still tells that the service runs; ignored,
        // it would be an unknown process.
        if (a.kind != ANSWER_STARTED)
            VEC_PUSH(&n->pending, a);
    }
    node_handle_pending(n);
    return r == -EAGAIN ? 0 : r;
}

int node_answer_wait(struct node *n, uint32_t kind, uint32_t id, struct answer *ret, struct err *err) {
    usec_t end = usec_now() + ANSWER_TIMEOUT_MS * MSEC;
    for (;;) {
        struct answer a;
        int r = receive(n, &a);
        if (r == 0 && a.kind == kind && a.id == id) {
            *ret = a;
            return 0;
        }
        if (r == 0) {
            note_exit(n, &a);
            queue_answer(n, &a);
            continue;
        }
        usec_t now = usec_now();
        if (r == -ENODATA)
            return err_set(err, ECONNRESET, "its init has ended");
        if (now >= end)
            return err_set(err, ETIMEDOUT, "its init does not answer (stopped?)");
        struct pollfd p = {.fd = n->control, .events = POLLIN};
        (void)poll(&p, 1, (int)((end - now + MSEC - 1) / MSEC));
    }
}

static void add_string(struct strbuf *b, const char *s) {
    strbuf_addn(b, s, strlen(s) + 1);
}

static uint32_t add_list(struct strbuf *b, const char *const *list) {
    uint32_t n = 0;
    for (; list[n]; n++)
        add_string(b, list[n]);
    return n;
}

static int send_start(struct node *n, const struct service_spec *spec, uint32_t id, struct err *err) {
    cleanup_strbuf struct strbuf b = {0};
    cleanup_env char **plain = environment_new(n->image_root ? n->image_root : "", NULL);
    struct request rq = {.kind = REQUEST_START, .id = id};
    strbuf_addn(&b, (const char *)&rq, sizeof rq);
    add_string(&b, spec->name);
    add_string(&b, spec->cwd ? spec->cwd : "");
    add_string(&b, spec->log);
    rq.argc = add_list(&b, spec->argv);
    rq.envc = add_list(&b, spec->env ? spec->env : (const char *const *)plain);
    rq.envc += spec->more_env ? add_list(&b, spec->more_env) : 0;
    memcpy(b.data, &rq, sizeof rq);
    if (b.len > REQUEST_MAX)
        return err_set(err, E2BIG, "its command line and environment exceed %d bytes", REQUEST_MAX);
    int r = proto_send(n->control, b.data, b.len, MSG_DONTWAIT);
    return r < 0 ? err_sys(err, -r, "ask its init") : 0;
}

static void note_start(struct node *n, const struct service_spec *spec, struct answer *a) {
    struct node_service *s = service_of(n, spec->name);
    if (!s) {
        s = VEC_ADD(&n->services);
        STR_COPY(s->name, spec->name);
    }
    s->pid = a->pid;
    STR_COPY(a->text, spec->name);
    queue_answer(n, a); // the event, in its turn
}

int node_service_start(struct node *n, const struct service_spec *spec, struct err *err) {
    struct answer a;
    uint32_t id = ++n->last_id;
    int r = n->init ? 0 : err_set(err, EHOSTDOWN, "the node is off");
    if (r == 0)
        r = send_start(n, spec, id, err);
    if (r == 0)
        r = node_answer_wait(n, ANSWER_STARTED, id, &a, err);
    if (r == 0 && a.error)
        r = err_sys(err, a.error, "%s", a.text);
    if (r < 0)
        return err_wrap(err, "start %s on node '%s'", spec->name, n->name);
    note_start(n, spec, &a);
    return 0;
}

int node_service_ensure(struct node *n, const struct service_spec *spec, struct err *err) {
    struct err why = {0};
    int r = node_service_start(n, spec, &why);
    return r == 0 || r == -EALREADY ? 0 : err_set(err, -r, "%s", why.msg);
}

int64_t node_service_pid(const struct node *n, const char *service) {
    const struct node_service *s = service_of(n, service);
    return s ? s->pid : 0;
}
