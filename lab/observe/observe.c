// SPDX-License-Identifier: PostgreSQL
// The observer: one heartbeat of 20 ms that gives every probe its turn; each probe decides whether something is due. Answers come
// through their own sockets in between. Nothing here waits.
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/observe/probe.h"

#define HEARTBEAT PROBE_FAST

struct request { // observer_http under way
    struct observer *o;
    struct http_request *http;
    void (*done)(void *arg, int status, const char *body);
    void *arg;
};

usec_t observer_now(const struct observer *o) {
    return sink_now(o->sink);
}

usec_t observer_listens_since(const struct observer *o, usec_t asked) {
    return asked > o->resumed ? asked : o->resumed;
}

void observer_look_at_the_clock(struct observer *o) {
    if (o->noise)
        noise_look(o->noise);
}

bool watched_on(const struct watched *w) {
    return node_is_on(w->node);
}

static bool writable_somewhere(const struct observer *o) {
    for (size_t i = 0; i < o->n_nodes; i++)
        if (sql_writable(o->nodes[i].sql))
            return true;
    return false;
}

bool observer_hurry(const struct observer *o) {
    return observer_now(o) < o->fast_until || !writable_somewhere(o);
}

void observer_on_event(struct observer *o, const struct event *ev) {
    bool changes = ev->kind == EVENT_FAULT || ev->kind == EVENT_NODE_POWER || ev->kind == EVENT_ACTION ||
                   (ev->kind == EVENT_SERVICE && ev->u.SERVICE.state != SERVICE_STATE_STARTED);
    if (changes)
        o->fast_until = observer_now(o) + FRESH_FAULT;
}

// ---- the heartbeat ---------------------------------------------------------------------------------------------------
static const struct node_probe proxy_probe = {SERVICE_HAPROXY, proxy_open, proxy_turn, proxy_close};

// The k-th probe of a node; NULL = there are no more.
static const struct node_probe *probe_at(const struct observer *o, size_t k) {
    if (k < o->system->n_nodes)
        return &o->system->nodes[k];
    return k == o->system->n_nodes ? &proxy_probe : NULL;
}

static void turn_node(struct watched *w) {
    const struct node_probe *p;
    if (w->sql)
        sql_turn(w->sql);
    for (size_t k = 0; (p = probe_at(w->o, k)); k++)
        if (w->probes[k])
            p->turn(w->probes[k]);
    logs_turn(w->logs);
}

static void turn(struct observer *o) {
    for (size_t i = 0; i < o->n_nodes; i++)
        turn_node(&o->nodes[i]);
    if (o->cluster)
        o->system->cluster->turn(o->cluster);
    if (o->final_read)
        final_read_turn(o->final_read);
}

static int on_heartbeat(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct observer *o = arg;
    turn(o);
    (void)sd_event_source_set_time(s, usec_now() + HEARTBEAT);
    return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

// ---- requests over HTTP ----------------------------------------------------------------------------------------------
static void request_forget(struct observer *o, struct request *r) {
    for (size_t i = 0; i < o->requests.n; i++)
        if (o->requests.items[i] == r) {
            o->requests.items[i] = o->requests.items[--o->requests.n];
            break;
        }
    free(r);
}

static void on_answer(void *arg, const struct http_answer *a) {
    struct request copy = *(struct request *)arg;
    request_forget(copy.o, arg);
    copy.done(copy.arg, a->status, a->status ? a->body : a->error);
}

static struct watched *find_node(struct observer *o, const char *name) {
    for (size_t i = 0; i < o->n_nodes; i++)
        if (str_eq(o->nodes[i].def->name, name))
            return &o->nodes[i];
    return NULL;
}

int observer_http(struct observer *o, const char *node, const struct http_options *h, observer_answer done, void *arg,
                  struct err *err) {
    struct watched *w = find_node(o, node);
    if (!w)
        return err_set(err, ENOENT, "ask '%s': no such node", node);
    struct request *r = xcalloc(1, sizeof *r);
    *r = (struct request){.o = o, .done = done, .arg = arg};
    struct http_options options = *h;
    options.done = on_answer;
    options.arg = r;
    int rc = http_start(w->http, &options, &r->http, err);
    if (rc < 0) {
        free(r);
        return rc;
    }
    VEC_PUSH(&o->requests, r);
    return 0;
}

int observer_switchover(struct observer *o, const char *leader, const char *candidate, usec_t deadline,
                        void (*done)(void *arg, int status, const char *body), void *arg, struct err *err) {
    if (!o->system->switchover)
        return err_set(err, EOPNOTSUPP, "%s knows no switchover", o->system->name);
    return o->system->switchover(o, leader, candidate, deadline, done, arg, err);
}

// ---- the final read --------------------------------------------------------------------------------------------------
int observer_final_read(struct observer *o, usec_t deadline, void (*done)(void *arg), void *arg, struct err *err) {
    final_read_free(o->final_read);
    o->final_read = NULL;
    return final_read_new(o, deadline, done, arg, &o->final_read, err);
}

// ---- life ------------------------------------------------------------------------------------------------------------
static int watch_node(struct observer *o, const struct observer_options *opt, size_t i, struct err *err) {
    struct watched *w = &o->nodes[i];
    w->o = o;
    w->def = &opt->topology->nodes.items[i];
    w->node = opt->nodes[i];
    w->log_dir = opt->log_dirs ? opt->log_dirs[i] : NULL;
    w->logs = logs_new(w);
    int r = http_new(o->loop, node_ns(w->node, NODE_NS_NET), &w->http, err);
    if (r >= 0 && (w->def->services & SERVICE_POSTGRES))
        r = sql_new(w, &w->sql, err);
    const struct node_probe *p;
    for (size_t k = 0; r >= 0 && (p = probe_at(o, k)); k++)
        if (w->def->services & p->services)
            r = p->open(w, &w->probes[k], err);
    return r < 0 ? err_wrap(err, "watch node %s", w->def->name) : 0;
}

static int build(struct observer *o, const struct observer_options *opt, struct err *err) {
    for (size_t i = 0; i < o->n_nodes; i++) {
        int r = watch_node(o, opt, i, err);
        if (r < 0)
            return r;
    }
    int r = o->system->cluster ? o->system->cluster->open(o, &o->cluster, err) : 0;
    if (r >= 0)
        r = noise_new(o, &o->noise, err);
    if (r < 0)
        return r;
    r = sd_event_add_time(o->loop, &o->heartbeat, CLOCK_MONOTONIC, usec_now(), 1, on_heartbeat, o);
    return r < 0 ? err_sys(err, -r, "the observer's heartbeat") : 0;
}

int observer_new(const struct observer_options *opt, struct observer **ret, struct err *err) {
    const struct system_probes *system = probes_of(opt->topology->stack);
    if (!system || system->n_nodes >= NODE_PROBES_MAX)
        return err_set(err, EINVAL, "no probes for a stack '%s'", opt->topology->stack);
    struct observer *o = xcalloc(1, sizeof *o);
    *o = (struct observer){.loop = opt->loop,
                           .topology = opt->topology,
                           .sink = opt->sink,
                           .system = system,
                           .n_nodes = opt->topology->nodes.n};
    o->nodes = xcalloc(o->n_nodes, sizeof *o->nodes);
    int r = build(o, opt, err);
    if (r < 0) {
        observer_free(o);
        return r;
    }
    *ret = o;
    return 0;
}

void observer_free(struct observer *o) {
    if (!o)
        return;
    sd_event_source_disable_unref(o->heartbeat);
    final_read_free(o->final_read);
    while (o->requests.n) {
        http_cancel(o->requests.items[0]->http);
        request_forget(o, o->requests.items[0]);
    }
    noise_free(o->noise);
    if (o->cluster)
        o->system->cluster->close(o->cluster);
    for (size_t i = 0; i < o->n_nodes; i++) {
        sql_free(o->nodes[i].sql);
        for (size_t k = 0; k < NODE_PROBES_MAX; k++)
            if (o->nodes[i].probes[k])
                probe_at(o, k)->close(o->nodes[i].probes[k]);
        logs_free(o->nodes[i].logs);
        http_free(o->nodes[i].http);
    }
    VEC_DONE(&o->requests);
    free(o->nodes);
    free(o);
}
