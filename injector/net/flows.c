// SPDX-License-Identifier: PostgreSQL
#include "injector/net/flows.h"

#include <stdio.h>
#include <stdlib.h>

#include "injector/catalogue.h"
#include "injector/net/pairs.h"

static const struct {
    const char *name;
    unsigned clients, servers; // any of these services
    uint16_t port;
} paths[] = {
#define X(path, name, from, to, port) {name, from, to, port},
    NET_PATHS(X)
#undef X
        [NET_PATH_ALL] = {"all", 0, 0, 0},
    [NET_PATH_PORT] = {"tcp", 0, 0, 0},
};

const char *net_path_name(enum net_path path) {
    return paths[path].name;
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

// The next word of a list "a, b" or "[a,b]"; NULL at its end. Cut to fit.
static const char *next_word(const char *at, char *word, size_t size) {
    at += strspn(at, ", []");
    size_t len = strcspn(at, ", []");
    (void)snprintf(word, size, "%.*s", (int)len, at);
    return len ? at + len : NULL;
}

static bool in_list(const char *list, const char *name) {
    char word[NODE_NAME_MAX];
    for (const char *at = list; (at = next_word(at, word, sizeof word));)
        if (str_eq(word, name))
            return true;
    return false;
}

static int path_from(const char *word, enum net_path *ret, uint16_t *ret_port, struct err *err) {
    for (size_t i = 0; i <= NET_PATH_ALL; i++)
        if (str_eq(paths[i].name, word)) {
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
    for (const char *at = list; (at = next_word(at, word, sizeof word));) {
        enum net_path path = NET_PATH_ALL;
        uint16_t port = 0;
        int r = path_from(word, &path, &port, err);
        if (r < 0)
            return r;
        flows_add_path(t, from, to, path, port, out);
    }
    return 0;
}

static bool is_group(const char *with) {
    return str_eq(with, "others") || str_eq(with, "peers") || str_eq(with, "all");
}

static bool is_node(const struct topology *t, const char *name) {
    VEC_FOREACH (&t->nodes, n)
        if (str_eq(n->name, name))
            return true;
    return false;
}

static int check_with(const struct mechanism *m, const struct topology *t, const char *with, struct err *err) {
    char name[NODE_NAME_MAX];
    for (const char *at = with; !is_group(with) && (at = next_word(at, name, sizeof name));)
        if (!is_node(t, name))
            return err_set(err, ENOENT,
                           "%s: there is no node '%s' on the other side; with is others, peers, all or node names",
                           m->name, name);
    return 0;
}

// A path that no two nodes of the topology have is a mistake, not an empty fault.
static int check_paths(const struct mechanism *m, const struct topology *t, const char *list, struct err *err) {
    char word[32];
    for (const char *at = list; (at = next_word(at, word, sizeof word));) {
        flow_list found = {0};
        int r = 0, n = (int)t->nodes.n;
        for (int i = 0; r == 0 && i < n; i++)
            for (int j = 0; r == 0 && j < n; j++)
                r = i == j ? 0 : flows_add_paths(t, i, j, word, &found, err);
        bool none = found.n == 0;
        VEC_DONE(&found);
        if (r < 0)
            return err_wrap(err, "%s", m->name);
        if (none)
            return err_set(err, ENOENT, "%s: no two nodes of topology %s talk over %s", m->name,
                           t->name ? t->name : "(inline)", word);
    }
    return 0;
}

static const char *param(const struct mechanism *m, const setting_list *params, const char *name,
                         const char *otherwise) {
    const char *value = mechanism_param(m, params, name);
    return value ? value : otherwise;
}

int flows_check(const struct mechanism *m, const struct topology *t, const setting_list *params, struct err *err) {
    if (t->nodes.n == 0)
        return 0; // `bascule doctor` asks about the host alone
    if (t->nodes.n < 2)
        return err_set(err, EINVAL, "%s: topology %s has one node only", m->name, t->name ? t->name : "(inline)");
    int r = check_with(m, t, param(m, params, "with", "others"), err);
    return r < 0 ? r : check_paths(m, t, param(m, params, "path", "all"), err);
}

// ---- the selector

static bool is_target(const struct fault *f, const char *name) {
    for (size_t i = 0; i < f->n_nodes; i++)
        if (str_eq(f->nodes[i], name))
            return true;
    return false;
}

// Is `other` on the far side? Targets are not on the far side of each other, but for `with: all` and a list naming them.
static bool far_side(const struct fault *f, const char *with, const struct node_def *other) {
    if (str_eq(with, "all"))
        return true;
    if (str_eq(with, "others"))
        return !is_target(f, other->name);
    if (str_eq(with, "peers"))
        return !is_target(f, other->name) && !(other->services & SERVICE_APP);
    return in_list(with, other->name);
}

int flows_select(const struct fault *f, flow_list *out, struct err *err) {
    const struct mechanism *m = &f->ops->about;
    const char *with = param(m, f->params, "with", "others"), *list = param(m, f->params, "path", "all");
    const char *direction = param(m, f->params, "direction", "both");
    const struct topology *t = f->world->topology;
    int r = 0;
    for (size_t k = 0; k < f->n_nodes; k++) {
        int i = fault_world_index(f->world, f->nodes[k]);
        for (int j = 0; r == 0 && i >= 0 && j < (int)t->nodes.n; j++) {
            if (i == j || !far_side(f, with, &t->nodes.items[j]))
                continue;
            if (!str_eq(direction, "in"))
                r = flows_add_paths(t, i, j, list, out, err);
            if (r == 0 && !str_eq(direction, "out"))
                r = flows_add_paths(t, j, i, list, out, err);
        }
    }
    if (r == 0 && out->n == 0)
        return err_set(err, ENOENT, "nothing to do: no traffic of %s between %s and %s", list, f->target, with);
    return r;
}

void flows_around(const struct fault *f, flow_list *out) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        int i = fault_world_index(f->world, f->nodes[k]);
        for (int j = 0; i >= 0 && j < (int)f->world->topology->nodes.n; j++) {
            if (j == i)
                continue;
            flows_add_path(f->world->topology, i, j, NET_PATH_ALL, 0, out);
            flows_add_path(f->world->topology, j, i, NET_PATH_ALL, 0, out);
        }
    }
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

void flows_describe(const struct topology *t, const flow_list *l, struct strbuf *out) {
    static const char *const sides[] = {"", "_to_port", "_from_port"};
    strbuf_add(out,
               "# on the switch (bridge family, forward hook); the sets hold source . destination [. port] [. sizes]; "
               "back: delete element\n");
    VEC_FOREACH (l, f) {
        strbuf_addf(out, "nft add element bridge bascule cuts%s%s '{ %s . %s", f->over ? "_over" : "", sides[f->side],
                    t->nodes.items[f->from].address, t->nodes.items[f->to].address);
        if (f->side != SWITCH_ANY_PORT)
            strbuf_addf(out, " . %u", f->port);
        if (f->over)
            strbuf_addf(out, " . %u-65535", f->over + 1U);
        strbuf_add(out, " }'\n");
    }
}
