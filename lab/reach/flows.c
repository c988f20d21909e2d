// SPDX-License-Identifier: PostgreSQL
// A flow is a directed pair of nodes, of all packets or of one service's port. The table holds the paths of services that have a name;
// what a fault's parameters select (with, direction, path) becomes a list of flows in flow_params.c, and the texts for people are made here.
#include "lab/reach/flows.h"

#include <stdio.h>
#include <stdlib.h>

#include "lab/reach/pairs.h"

static const struct {
    enum link_path word;
    unsigned clients, servers; // any of these services
    uint16_t port;
} paths[] = {
#define X(path, from, to, port) {LINK_PATH_##path, from, to, port},
    NET_PATHS(X)
#undef X
        [NET_PATH_ALL] = {LINK_PATH_ALL, 0, 0, 0},
    [NET_PATH_PORT] = {LINK_PATH_NONE, 0, 0, 0},
};

enum link_path net_path_word(enum net_path path) {
    return paths[path].word;
}

const char *net_path_name(enum net_path path) {
    return path == NET_PATH_PORT ? "tcp" : link_path_name(paths[path].word);
}

uint16_t net_path_port(enum net_path path) {
    return paths[path].port;
}

bool net_path_joins(const struct topology *t, enum net_path path, int client, int server) {
    return client != server && t->nodes.items[client].services & paths[path].clients &&
           t->nodes.items[server].services & paths[path].servers;
}

// ---- flows

bool flow_same(const struct net_flow *a, const struct net_flow *b) {
    return a->from == b->from && a->to == b->to && a->side == b->side && a->port == b->port && a->over == b->over;
}

bool flow_covers(const struct net_flow *outer, const struct net_flow *inner) {
    return outer->from == inner->from && outer->to == inner->to && outer->over <= inner->over &&
           (outer->side == SWITCH_ANY_PORT || (outer->side == inner->side && outer->port == inner->port));
}

bool flows_cover(const flow_list *outer, const struct net_flow *inner) {
    VEC_FOREACH (outer, f)
        if (flow_covers(f, inner))
            return true;
    return false;
}

void flows_add(flow_list *l, const struct net_flow *f) {
    VEC_FOREACH (l, have)
        if (flow_same(have, f))
            return;
    VEC_PUSH(l, *f);
}

void flows_add_path(const struct topology *t, int from, int to, enum net_path path, uint16_t port, flow_list *out) {
    struct net_flow f = {.from = from, .to = to, .path = path};
    bool any = path == NET_PATH_PORT;
    if (path == NET_PATH_ALL) {
        flows_add(out, &f);
        return;
    }
    f.port = any ? port : paths[path].port;
    f.side = SWITCH_TO_PORT; // requests of from's connections to `to`
    if (any || net_path_joins(t, path, from, to))
        flows_add(out, &f);
    f.side = SWITCH_FROM_PORT; // answers to to's connections
    if (any || net_path_joins(t, path, to, from))
        flows_add(out, &f);
}

// ---- words

const char *flows_next_word(const char *at, char *word, size_t size) {
    at += strspn(at, ", []");
    size_t len = strcspn(at, ", []");
    (void)snprintf(word, size, "%.*s", (int)len, at);
    return len ? at + len : NULL;
}

static int path_from(const char *word, enum net_path *ret, uint16_t *ret_port, struct err *err) {
    for (size_t i = 0; i <= NET_PATH_ALL; i++)
        if (paths[i].word == link_path_from(word)) {
            *ret = (enum net_path)i;
            return 0;
        }
    const char *number = str_starts(word, "tcp/") ? word + 4 : word;
    char *end;
    unsigned long port = strtoul(number, &end, 10);
    if (number[0] < '0' || number[0] > '9' || *end || port == 0 || port > UINT16_MAX)
        return err_set(err, EINVAL,
                       "'%s' is not a service path; it can be all, sql, replication, rest, etcd_client, etcd_peer or a "
                       "TCP port such as 5433 or tcp/5433",
                       word);
    *ret = NET_PATH_PORT;
    *ret_port = (uint16_t)port;
    return 0;
}

int flows_add_paths(const struct topology *t, int from, int to, const char *list, flow_list *out, struct err *err) {
    char word[32];
    for (const char *at = list; (at = flows_next_word(at, word, sizeof word));) {
        enum net_path path = NET_PATH_ALL;
        uint16_t port = 0;
        int r = path_from(word, &path, &port, err);
        if (r < 0)
            return r;
        flows_add_path(t, from, to, path, port, out);
    }
    return 0;
}

// ---- text

static bool same_heading(const struct net_flow *a, const struct net_flow *b) {
    return a->path == b->path && a->over == b->over && (a->path != NET_PATH_PORT || a->port == b->port);
}

static bool told_before(const flow_list *l, const struct net_flow *f) {
    for (const struct net_flow *before = l->items; before < f; before++)
        if (same_heading(before, f))
            return true;
    return false;
}

static void heading(const struct net_flow *f, struct strbuf *out) {
    if (f->path == NET_PATH_PORT)
        strbuf_addf(out, "tcp/%u: ", f->port);
    else if (f->path != NET_PATH_ALL)
        strbuf_addf(out, "%s: ", net_path_name(f->path));
    if (f->over)
        strbuf_addf(out, "packets over %u bytes: ", f->over);
}

void flows_text(const struct topology *t, const flow_list *l, struct strbuf *out) {
    size_t before = out->len;
    VEC_FOREACH (l, f) {
        if (told_before(l, f))
            continue;
        struct pair_set pairs = {0};
        VEC_FOREACH (l, other)
            if (same_heading(other, f))
                pair_add(&pairs, other->from, other->to);
        strbuf_add(out, out->len > before ? "; " : "");
        heading(f, out);
        pair_text(t, &pairs, out);
    }
}
