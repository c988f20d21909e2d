// SPDX-License-Identifier: PostgreSQL
// The cluster's keys. The happy path:
//   read all keys under the prefix from a member that knows a leader (authority, entry: initial) -> watch from the next revision on, on EVERY
//   member at the same time -> each change is told once, by whoever has it first: revisions tell what was told already
// A watch on one member alone would be blind whenever that member is cut off: it looks alive and just has no news.
// What goes wrong:
//   a watch ends, a member dies    store.watch lost; another attempt every 500 ms, from the last revision told: nothing is missed
//   the wanted revision is compacted, or another cluster answers (etcd started anew): read all keys again and tell the differences
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/observe/patroni/etcd_internal.h"

#define WATCH_RETRY (500 * MSEC)
#define RANGE_RETRY (300 * MSEC)

// ---- telling ---------------------------------------------------------------------------------------------------------
static void tell_watch(struct etcd_member *m, bool connected) {
    struct event ev = EVENT_NEW(STORE_WATCH);
    STR_COPY(ev.u.STORE_WATCH.store, "etcd");
    STR_COPY(ev.u.STORE_WATCH.node, m->w->def->name);
    ev.u.STORE_WATCH.state = connected ? STORE_WATCH_CONNECTED : STORE_WATCH_LOST;
    m->connected = connected;
    sink_emit(m->etcd->o->sink, &ev);
}

static struct known_key *find(struct etcd *e, const char *key) {
    VEC_FOREACH (&e->known, k)
        if (str_eq(k->key, key))
            return k;
    return NULL;
}

static void remember(struct etcd *e, const struct dcs_kv *kv) {
    struct known_key *k = find(e, kv->key);
    if (kv->gone) {
        if (k)
            *k = e->known.items[--e->known.n];
        return;
    }
    if (!k) {
        k = VEC_ADD(&e->known);
        STR_COPY(k->key, kv->key);
    }
    k->revision = kv->revision;
    k->seen = true;
}

static struct event authority_of(const struct dcs_kv *kv, bool initial) {
    struct event ev = EVENT_NEW(AUTHORITY);
    STR_COPY(ev.u.AUTHORITY.voice, "etcd");
    STR_COPY(ev.u.AUTHORITY.holder, kv->value);
    ev.u.AUTHORITY.gone = kv->gone;
    ev.u.AUTHORITY.epoch = kv->created;
    ev.u.AUTHORITY.revision = kv->revision;
    ev.u.AUTHORITY.initial = initial;
    if (kv->lease)
        (void)snprintf(ev.u.AUTHORITY.grant, sizeof ev.u.AUTHORITY.grant, "%" PRIx64, kv->lease);
    return ev;
}

static struct event entry_of(const struct dcs_kv *kv, bool initial) {
    struct event ev = EVENT_NEW(ENTRY);
    STR_COPY(ev.u.ENTRY.store, "etcd");
    STR_COPY(ev.u.ENTRY.key, kv->key);
    STR_COPY(ev.u.ENTRY.value, kv->value);
    ev.u.ENTRY.gone = kv->gone;
    ev.u.ENTRY.created = kv->created;
    ev.u.ENTRY.revision = kv->revision;
    ev.u.ENTRY.initial = initial;
    if (kv->lease)
        (void)snprintf(ev.u.ENTRY.grant, sizeof ev.u.ENTRY.grant, "%" PRIx64, kv->lease);
    return ev;
}

static void tell_key(struct etcd *e, const struct dcs_kv *kv, bool initial) {
    struct event ev = str_eq(kv->key, "leader") ? authority_of(kv, initial) : entry_of(kv, initial);
    sink_emit(e->o->sink, &ev);
    remember(e, kv);
    if (str_eq(kv->key, "leader"))
        lease_key(e, kv);
    else if (str_eq(kv->key, "status"))
        lease_hint(e, observer_now(e->o));
    else if (str_eq(kv->key, "config") && !kv->gone)
        config_emit(e->o, kv->value);
}

// ---- reading everything ----------------------------------------------------------------------------------------------
static void tell_vanished(struct etcd *e, int64_t revision) {
    for (size_t i = e->known.n; i-- > 0;) {
        struct known_key k = e->known.items[i];
        struct dcs_kv gone = {.key = k.key, .value = (char[]){""}, .gone = true, .revision = revision};
        if (!k.seen)
            tell_key(e, &gone, false);
    }
}

static void take_all(struct etcd *e, const struct dcs_header *h, const dcs_kv_list *kvs) {
    if (h->cluster == e->cluster && h->revision < e->revision)
        return; // a watch was faster than this answer: it is old news, ask again
    VEC_FOREACH (&e->known, k)
        k->seen = false;
    VEC_FOREACH (kvs, kv) {
        struct known_key *k = find(e, kv->key);
        if (k && k->revision == kv->revision)
            k->seen = true;
        else
            tell_key(e, kv, !e->read_once);
    }
    tell_vanished(e, h->revision);
    e->revision = h->revision;
    e->cluster = h->cluster;
    e->read_once = true;
    e->read_needed = false;
}

static void on_range(void *arg, const struct http_answer *a) {
    struct etcd *e = arg;
    struct dcs_header h;
    dcs_kv_list kvs = {0};
    e->range_request = NULL;
    if (a->status == 200 && dcs_read_range(a->body, &h, &kvs)) {
        take_all(e, &h, &kvs);
        VEC_FOREACH (&e->members, m)
            m->watch_next = 0;
    } else {
        e->range_turn++;
    }
    dcs_kv_list_done(&kvs);
}

static void range_turn(struct etcd *e, usec_t now) {
    if (!e->read_needed || e->range_request || now < e->range_next)
        return;
    struct etcd_member *m = member_pick(e, &e->range_turn);
    if (!m)
        return;
    cleanup_strbuf struct strbuf json = {0};
    dcs_ask_range(&json);
    struct http_options o = {.method = "POST",
                             .port = STACK_ETCD_PORT,
                             .path = "/v3/kv/range",
                             .json = strbuf_str(&json),
                             .deadline = NO_ANSWER,
                             .done = on_range,
                             .arg = e};
    e->range_next = now + RANGE_RETRY;
    (void)http_start(m->w->http, &o, &e->range_request, NULL);
}

// ---- watching --------------------------------------------------------------------------------------------------------
static bool on_line(void *arg, const char *line) {
    struct etcd_member *m = arg;
    struct etcd *e = m->etcd;
    struct dcs_watch w;
    dcs_kv_list kvs = {0};
    bool good = dcs_read_watch(line, &w, &kvs) && !w.canceled;
    if (good && e->cluster && w.header.cluster && w.header.cluster != e->cluster)
        good = false;
    if (!good) {
        m->broken = true;
        e->read_needed = true; // compacted, or another cluster: look at everything again
    } else if (w.created && !m->connected) {
        tell_watch(m, true);
    }
    int64_t told = e->revision; // all events of one revision come in one answer, so it may be compared once
    VEC_FOREACH (&kvs, kv)
        if (good && kv->revision > told) {
            tell_key(e, kv, false);
            e->revision = kv->revision > e->revision ? kv->revision : e->revision;
        }
    dcs_kv_list_done(&kvs);
    return good;
}

static void on_chunk(void *arg, const char *data, size_t n) {
    struct etcd_member *m = arg;
    if (!m->broken)
        line_feed(&m->lines, data, n, on_line, m);
}

static void watch_ended(struct etcd_member *m) {
    m->watch_request = NULL;
    m->broken = false;
    strbuf_clear(&m->lines.rest);
    m->watch_next = observer_now(m->etcd->o) + WATCH_RETRY;
    if (m->connected)
        tell_watch(m, false);
}

static void on_watch_done(void *arg, const struct http_answer *a) {
    (void)a;
    watch_ended(arg);
}

static void watch_begin(struct etcd_member *m) {
    cleanup_strbuf struct strbuf json = {0};
    dcs_ask_watch(&json, m->etcd->revision + 1);
    struct http_options o = {.method = "POST",
                             .port = STACK_ETCD_PORT,
                             .path = "/v3/watch",
                             .json = strbuf_str(&json),
                             .done = on_watch_done,
                             .chunk = on_chunk,
                             .arg = m};
    (void)http_start(m->w->http, &o, &m->watch_request, NULL);
}

static void watch_turn(struct etcd_member *m, usec_t now) {
    bool on = watched_on(m->w);
    if (m->watch_request && (m->broken || !on)) {
        http_cancel(m->watch_request);
        watch_ended(m);
    }
    if (!m->watch_request && on && m->etcd->read_once && !m->etcd->read_needed && now >= m->watch_next && m->answered)
        watch_begin(m);
}

// A new etcd (its data lost, started anew) counts revisions from 1 again.
static void notice_other_cluster(struct etcd *e) {
    VEC_FOREACH (&e->members, m) {
        if (!e->cluster || !member_leads_somewhere(m) || m->status.header.cluster == e->cluster)
            continue;
        e->cluster = m->status.header.cluster;
        e->revision = 0;
        e->read_needed = true;
        VEC_FOREACH (&e->members, other)
            other->broken = other->watch_request != NULL;
    }
}

// ---- life ------------------------------------------------------------------------------------------------------------
void etcd_turn(void *probe) {
    struct etcd *e = probe;
    usec_t now = observer_now(e->o);
    members_turn(e, now);
    notice_other_cluster(e);
    range_turn(e, now);
    VEC_FOREACH (&e->members, m)
        watch_turn(m, now);
    lease_turn(e, now);
}

int etcd_open(struct observer *o, void **ret, struct err *err) {
    (void)err;
    struct etcd *e = xcalloc(1, sizeof *e);
    e->o = o;
    e->read_needed = true;
    for (size_t i = 0; i < o->n_nodes; i++)
        if (o->nodes[i].def->services & SERVICE_ETCD) {
            struct etcd_member *m = VEC_ADD(&e->members);
            m->etcd = e;
            m->w = &o->nodes[i];
        }
    *ret = e;
    return 0;
}

void etcd_close(void *probe) {
    struct etcd *e = probe;
    if (!e)
        return;
    VEC_FOREACH (&e->members, m) {
        http_cancel(m->watch_request);
        http_cancel(m->status_request);
        strbuf_done(&m->lines.rest);
    }
    http_cancel(e->range_request);
    http_cancel(e->lease.request);
    VEC_DONE(&e->members);
    VEC_DONE(&e->known);
    free(e);
}
