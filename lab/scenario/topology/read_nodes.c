// SPDX-License-Identifier: PostgreSQL
// The `nodes:` of a topology: who runs what, where, with which tags of Patroni.
#include <arpa/inet.h>
#include <ctype.h>

#include "lab/scenario/settings/settings.h"
#include "lab/scenario/steps/selector.h"
#include "lab/scenario/topology/read_topology.h"

struct node_draft { // one node's mapping, and what it changes
    struct node_def *node;
    const struct ynode *services, *address, *tags, *watchdog, *image;
};

static void read_service(struct reader *r, const struct ynode *n, unsigned *ret) {
    const char *text = text_of(r, n, "a service");
    cleanup_words struct words all = {0};
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (service_words[i].with)
            continue;
        words_add(&all, service_words[i].word);
        if (text && str_eq(text, service_words[i].word)) {
            *ret |= service_words[i].bit;
            return;
        }
    }
    if (text && str_eq(text, "patroni"))
        complain(r, n->mark, "write 'postgres': Patroni comes with it");
    else if (text)
        complain(r, n->mark, "unknown service '%s'%s; allowed: postgres, etcd, haproxy, app", SHOWN(text),
                 HINT(text, words_all(&all)));
}

static void read_services(struct reader *r, const struct ynode *n, struct node_def *node) {
    unsigned services = 0;
    if (n->kind == YNODE_LIST)
        for (size_t i = 0; i < n->items.n; i++)
            read_service(r, n->items.items[i], &services);
    else if (n->kind == YNODE_TEXT)
        read_service(r, n, &services);
    else
        complain_kind(r, n, "a list of services such as [postgres, etcd]");
    node->services = services;
    if (n->kind == YNODE_LIST && n->items.n == 0)
        complain(r, n->mark, "a node runs at least one service: postgres, etcd, haproxy, app");
    if ((services & SERVICE_APP) && (services & (SERVICE_POSTGRES | SERVICE_ETCD)))
        complain(r, n->mark, "the application has a node of its own: an outage is measured from outside the cluster");
}

static void read_address(struct reader *r, const struct ynode *n, struct node_def *node) {
    const char *text = text_of(r, n, "an IPv4 address such as 10.77.0.11");
    struct in_addr a;
    if (!text)
        return;
    if (inet_pton(AF_INET, text, &a) != 1 || (ntohl(a.s_addr) & 0xff) == 0 || (ntohl(a.s_addr) & 0xff) == 255)
        complain(r, n->mark, "'%s' is not the IPv4 address of a node: expected something like 10.77.0.11", SHOWN(text));
    else
        (void)inet_ntop(AF_INET, &a, node->address, sizeof node->address);
}

static void read_image(struct reader *r, const struct ynode *n, struct node_def *node) {
    const char *text = text_of(r, n, "host, or the name of an image such as debian-13");
    char why[WHY_MAX];
    if (text && !setting_image(text, node->image, why))
        complain(r, n->mark, "%s", why);
}

static void read_flag(struct reader *r, const struct ynode *n, void *dst) {
    const char *text = text_of(r, n, "true or false");
    char why[WHY_MAX];
    if (text && !scalar_bool(text, dst, why))
        complain(r, n->mark, "%s", why);
}

static const struct field tag_fields[] = {{"nofailover", read_flag, offsetof(struct node_def, nofailover), false},
                                          {"nosync", read_flag, offsetof(struct node_def, nosync), false},
                                          {"noloadbalance", read_flag, offsetof(struct node_def, noloadbalance), false},
                                          {"clonefrom", read_flag, offsetof(struct node_def, clonefrom), false},
                                          {0}};

static const struct field node_fields[] = {{"services", read_node, offsetof(struct node_draft, services), false},
                                           {"address", read_node, offsetof(struct node_draft, address), false},
                                           {"tags", read_node, offsetof(struct node_draft, tags), false},
                                           {"watchdog", read_node, offsetof(struct node_draft, watchdog), false},
                                           {"image", read_node, offsetof(struct node_draft, image), false},
                                           {0}};

static void read_watchdog(struct reader *r, const struct ynode *n, struct node_def *node) {
    const char *text = text_of(r, n, "off, automatic or required");
    char why[WHY_MAX];
    if (text && !setting_watchdog(text, &node->watchdog, why))
        complain(r, n->mark, "%s", why);
}

// A host name: it becomes the node's hostname, Patroni's member name and a file name.
static bool node_name_ok(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n >= NODE_NAME_MAX || !islower((unsigned char)name[0]) || name[n - 1] == '-')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static struct node_def *node_find_or_add(struct reader *r, struct topology *t, const struct ynode *value,
                                         bool *ret_new) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].name, value->key)) {
            *ret_new = false;
            return &t->nodes.items[i];
        }
    *ret_new = true;
    if (!node_name_ok(value->key)) {
        complain(r, value->key_mark, "'%s' can't be a node's name: lower-case letters, digits and '-', at most %d",
                 SHOWN(value->key), NODE_NAME_MAX - 1);
        return NULL;
    }
    if (t->nodes.n == NODES_MAX) {
        complain(r, value->key_mark, "a topology has at most %d nodes", NODES_MAX);
        return NULL;
    }
    struct node_def *node = VEC_ADD(&t->nodes);
    (void)STR_COPY(node->name, value->key);
    return node;
}

static void read_one_node(struct reader *r, struct topology *t, const struct ynode *value) {
    bool is_new;
    struct node_draft draft = {.node = node_find_or_add(r, t, value, &is_new)};
    if (!draft.node)
        return;
    cleanup_free char *what = xasprintf("node '%s'", value->key);
    decode_fields(r, value, what, node_fields, &draft);
    if (draft.services)
        read_services(r, draft.services, draft.node);
    else if (is_new && r->whole && value->kind == YNODE_MAP)
        complain(r, value->key_mark, "node '%s' needs 'services', such as [postgres, etcd]", value->key);
    if (draft.address)
        read_address(r, draft.address, draft.node);
    if (draft.watchdog)
        read_watchdog(r, draft.watchdog, draft.node);
    if (draft.image)
        read_image(r, draft.image, draft.node);
    if (draft.tags)
        decode_fields(r, draft.tags, "tags", tag_fields, draft.node);
    if (is_new && draft.node->services && !node_name_fits(value->key, draft.node->services))
        complain(r, value->key_mark, "a node can't be named '%s': the word means something else in a scenario",
                 value->key);
}

static const struct node_def *address_owner(const struct topology *t, const char *address) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].address, address))
            return &t->nodes.items[i];
    return NULL;
}

// Nodes without an address get the first free ones from .11 on in the network of the first node that has one.
static void fill_addresses(struct topology *t) {
    char network[ADDRESS_MAX] = "10.77.0.";
    for (size_t i = t->nodes.n; i-- > 0;)
        if (*t->nodes.items[i].address) {
            (void)STR_COPY(network, t->nodes.items[i].address);
            strrchr(network, '.')[1] = '\0';
        }
    int host = 11;
    for (size_t i = 0; i < t->nodes.n; i++)
        while (!*t->nodes.items[i].address) {
            char address[ADDRESS_MAX + 8];
            (void)snprintf(address, sizeof address, "%s%d", network, host++);
            if (!address_owner(t, address))
                (void)STR_COPY(t->nodes.items[i].address, address);
        }
}

static void check_addresses(struct reader *r, const struct topology *t, const struct ynode *nodes) {
    const char *first = t->nodes.items[0].address;
    size_t network = (size_t)(strrchr(first, '.') - first) + 1;
    for (size_t i = 0; i < t->nodes.n; i++) {
        const struct node_def *n = &t->nodes.items[i], *other = address_owner(t, n->address);
        const struct ynode *at = ynode_get(nodes, n->name);
        struct mark mark = at ? at->key_mark : nodes->mark;
        if (other != n)
            complain(r, mark, "nodes '%s' and '%s' have the same address %s", other->name, n->name, n->address);
        if (strncmp(first, n->address, network) != 0)
            complain(r, mark, "%s of node '%s' is outside the network of node '%s', %.*s0/24", n->address, n->name,
                     t->nodes.items[0].name, (int)network, first);
    }
}

static void check_services(struct reader *r, const struct topology *t, struct mark at) {
    size_t postgres = topology_count(t, SERVICE_POSTGRES), etcd = topology_count(t, SERVICE_ETCD);
    size_t app = topology_count(t, SERVICE_APP), proxies = topology_count(t, SERVICE_HAPROXY);
    if (postgres == 0)
        complain(r, at, "no node runs postgres");
    if (etcd == 0)
        complain(r, at, "no node runs etcd: Patroni needs a DCS");
    if (app != 1)
        complain(r, at, "%s node runs app: exactly one has to, the application's view is what an outage is measured on",
                 app ? "more than one" : "no");
    if (proxies > 1)
        complain(r, at, "more than one node runs haproxy: one is what is built");
    if (etcd > 0 && etcd % 2 == 0)
        warn(r, at, "%zu etcd members: an even number needs one vote more and survives no more failures than %zu", etcd,
             etcd - 1);
}

void topology_read_nodes(struct reader *r, struct topology *t, const struct ynode *nodes) {
    size_t before = r->d->errors;
    if (nodes->kind != YNODE_MAP) {
        complain_kind(r, nodes, "a mapping of nodes such as {n1: {services: [postgres, etcd]}}");
        return;
    }
    for (size_t i = 0; i < nodes->items.n; i++)
        if (*nodes->items.items[i]->key)
            read_one_node(r, t, nodes->items.items[i]);
    if (r->d->errors > before || t->nodes.n == 0 || !r->whole)
        return; // what follows would only repeat it
    fill_addresses(t);
    check_addresses(r, t, nodes);
    check_services(r, t, nodes->mark);
}
