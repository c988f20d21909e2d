// SPDX-License-Identifier: PostgreSQL
// Patroni's own view: GET /patroni about once a second per node. Its handler is Python and runs SQL per call, so not oftener; what
// happens in between comes from the DCS watch, SQL, process exits and log lines.
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/observe/patroni/patroni.h"
#include "lab/observe/patroni/patroni_json.h"

#define ASK_PERIOD  SEC
#define TELL_REPEAT (5 * SEC) // of the same bad news; an answer is told every time: its positions move

struct patroni {
    struct watched *w;
    struct http_request *request;
    usec_t asked, next;
    bool told_off;
    usec_t told_silence;
    char silence[EVENT_TEXT_MAX];
};

static struct event begin(const struct patroni *p) {
    struct event ev = EVENT_NEW(MANAGER);
    STR_COPY(ev.u.MANAGER.node, p->w->def->name);
    STR_COPY(ev.u.MANAGER.service, "patroni");
    return ev;
}

static void silent(struct patroni *p, const char *why, usec_t now) {
    if (str_eq(why, p->silence) && now - p->told_silence < TELL_REPEAT)
        return;
    struct event ev = begin(p);
    STR_COPY(ev.u.MANAGER.error, why);
    STR_COPY(p->silence, why);
    p->told_silence = now;
    sink_emit(p->w->o->sink, &ev);
}

static void on_answer(void *arg, const struct http_answer *a) {
    struct patroni *p = arg;
    usec_t now = observer_now(p->w->o);
    struct event ev = begin(p);
    p->request = NULL;
    if (a->status == 0 && observer_listens_since(p->w->o, p->asked) > p->asked) { // it was we who did not listen
        p->next = now;
        return;
    }
    if (a->status == 0 || !patroni_read_state(a->body, &ev)) {
        silent(p, a->status ? "an answer that is not JSON" : a->error, now);
        return;
    }
    ev.u.MANAGER.answered = true;
    ev.u.MANAGER.http = a->status;
    ev.u.MANAGER.latency_us = (int64_t)(now - p->asked);
    p->silence[0] = '\0';
    sink_emit(p->w->o->sink, &ev);
}

void patroni_turn(void *probe) {
    struct patroni *p = probe;
    usec_t now = observer_now(p->w->o);
    if (!watched_on(p->w)) {
        http_cancel(p->request);
        p->request = NULL;
        if (!p->told_off)
            silent(p, "powered off", now);
        p->told_off = true;
        return;
    }
    p->told_off = false;
    if (p->request || now < p->next)
        return;
    struct http_options o = {.method = "GET",
                             .port = STACK_PATRONI_PORT,
                             .path = "/patroni",
                             .deadline = NO_ANSWER,
                             .done = on_answer,
                             .arg = p};
    p->asked = now;
    p->next = now + ASK_PERIOD;
    (void)http_start(p->w->http, &o, &p->request, NULL);
}

int patroni_open(struct watched *w, void **ret, struct err *err) {
    (void)err;
    struct patroni *p = xcalloc(1, sizeof *p);
    p->w = w;
    p->next = (usec_t)(w - w->o->nodes) * ASK_PERIOD / (w->o->n_nodes ? w->o->n_nodes : 1); // not all in one moment
    *ret = p;
    return 0;
}

void patroni_close(void *probe) {
    struct patroni *p = probe;
    if (!p)
        return;
    http_cancel(p->request);
    free(p);
}
