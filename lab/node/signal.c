// SPDX-License-Identifier: PostgreSQL
// Signals, seen from the supervisor: a request to the init and, later on the loop, exactly one call of `done`.
#include <sys/socket.h>

#include "lab/node/internal.h"

enum { SIGNAL_TIMEOUT_S = 8 }; // the init itself gives up after 5 s

static void finish(struct node_wait *w, const struct node_signal_result *result) {
    struct node *n = w->node;
    for (size_t i = 0; i < n->waits.n; i++)
        if (n->waits.items[i] == w) {
            n->waits.items[i] = n->waits.items[--n->waits.n];
            break;
        }
    sd_event_source_disable_unref(w->timer);
    node_signal_done done = w->done;
    void *arg = w->arg;
    free(w);
    if (done)
        done(arg, result); // last: it may start the next one
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *arg) {
    (void)s, (void)usec;
    finish(arg, &(struct node_signal_result){.error = -ETIMEDOUT});
    return 0;
}

static usec_t run_time(const struct node *n, usec_t absolute) {
    return absolute > n->sink.base ? absolute - n->sink.base : 0;
}

void node_signal_answered(struct node *n, const struct answer *a) {
    struct node_signal_result result = {
        .error = -a->error, .sent = run_time(n, a->sent), .ended = run_time(n, a->ended), .n = a->n};
    VEC_FOREACH (&n->waits, w)
        if ((*w)->id == a->id) {
            finish(*w, &result);
            return;
        }
}

void node_signals_abandon(struct node *n, int error) {
    while (n->waits.n)
        finish(n->waits.items[n->waits.n - 1], &(struct node_signal_result){.error = error});
}

static int send_signal(struct node *n, const struct request *rq, struct err *err) {
    if (!n->init)
        return err_set(err, EHOSTDOWN, "the node is off");
    int r = proto_send(n->control, rq, sizeof *rq, MSG_DONTWAIT);
    return r < 0 ? err_sys(err, -r, "ask its init") : 0;
}

static int ask(struct node *n, const struct request *rq, node_signal_done done, void *arg, struct err *err) {
    int r = send_signal(n, rq, err);
    if (r < 0)
        return r;
    struct node_wait *w = xcalloc(1, sizeof *w);
    *w = (struct node_wait){.id = rq->id, .node = n, .done = done, .arg = arg};
    VEC_PUSH(&n->waits, w);
    r = sd_event_add_time_relative(n->loop, &w->timer, CLOCK_MONOTONIC, SIGNAL_TIMEOUT_S * SEC, 1, on_timeout, w);
    return r < 0 ? err_sys(err, -r, "set a timer") : 0;
}

int node_signal_pid(struct node *n, int64_t pid, int sig, bool tree, bool await_exit, node_signal_done done, void *arg,
                    struct err *err) {
    struct request rq = {
        .kind = REQUEST_SIGNAL, .id = ++n->last_id, .pid = pid, .sig = sig, .tree = tree, .await = await_exit};
    int r = ask(n, &rq, done, arg, err);
    return r < 0 ? err_wrap(err, "signal process %lld of node '%s'", (long long)pid, n->name) : 0;
}

int node_signal_all(struct node *n, int sig, node_signal_done done, void *arg, struct err *err) {
    struct request rq = {.kind = REQUEST_SIGNAL, .id = ++n->last_id, .everybody = true, .sig = sig};
    int r = ask(n, &rq, done, arg, err);
    return r < 0 ? err_wrap(err, "signal every process of node '%s'", n->name) : 0;
}

int node_duty_set(struct node *n, usec_t run, usec_t rest, node_signal_done done, void *arg, struct err *err) {
    struct request rq = {.kind = REQUEST_DUTY, .id = ++n->last_id, .run = (uint32_t)run, .rest = (uint32_t)rest};
    int r = ask(n, &rq, done, arg, err);
    return r < 0 ? err_wrap(err, "set the speed of node '%s'", n->name) : 0;
}
