// SPDX-License-Identifier: PostgreSQL
// A shape becomes a set of directed pairs that are cut. Most shapes divide the members into groups and cut every pair of nodes of
// different groups; bridge and ring have no groups and choose their pairs directly. Clients (nodes with neither PostgreSQL nor etcd)
// come last: the parameter `app` says whom they may still see. Nothing is touched here: net_partition.c applies the cuts.
#include "injector/net/partition.h"

#include <stdio.h>

enum { CLIENTS = SERVICE_APP | SERVICE_HAPROXY, MEMBERS = SERVICE_POSTGRES | SERVICE_ETCD, NO_GROUP = 255 };
static const unsigned classes[] = {SERVICE_ETCD, SERVICE_POSTGRES}; // each has majorities of its own

static bool is_member(const struct topology *t, size_t i) {
    return t->nodes.items[i].services & MEMBERS;
}
static bool is_target(const struct partition_request *r, size_t i) {
    return r->targets >> i & 1;
}

static unsigned count(const struct topology *t, const struct partition *p, unsigned group, unsigned services) {
    unsigned n = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        n += is_member(t, i) && p->group[i] == group && (t->nodes.items[i].services & services) != 0;
    return n;
}

static unsigned count_all(const struct topology *t, unsigned services) {
    unsigned n = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        n += (t->nodes.items[i].services & services) != 0;
    return n;
}

// ---- groups

static int find_node(const struct topology *t, const char *name) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].name, name))
            return (int)i;
    return -1;
}

// Reads "n1,n2/n3", "[[n1,n2],[n3]]"; a '/' or a ']' that is followed by more ends a group.
static int read_groups(const struct topology *t, const char *text, struct partition *p, struct err *err) {
    unsigned group = 0;
    bool open = false; // the group has a node
    for (const char *at = text; *at;) {
        char name[NODE_NAME_MAX];
        if (strchr("/]", *at)) {
            group += open;
            open = false;
        }
        size_t gap = strspn(at, ", []/"), len = strcspn(at, ", []/");
        if (gap) {
            at++;
            continue;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)len, at);
        at += len;
        int i = find_node(t, name);
        if (i < 0)
            return err_set(err, ENOENT, "groups: there is no node '%s'", name);
        if (!is_member(t, (size_t)i))
            return err_set(err, EINVAL, "groups: %s is a client: its side is told by the parameter app", name);
        if (p->group[i] != NO_GROUP)
            return err_set(err, EINVAL, "groups: %s is in two groups", name);
        p->group[i] = (uint8_t)group;
        open = true;
    }
    p->n_groups = group + open;
    return 0;
}

int partition_check_groups(const struct topology *t, const char *groups, struct err *err) {
    struct partition p;
    memset(p.group, NO_GROUP, sizeof p.group);
    int r = str_empty(groups) ? 0 : read_groups(t, groups, &p, err);
    return r < 0 || str_empty(groups) || p.n_groups > 1
               ? r
               : err_set(err, EINVAL, "groups: name two groups or more, as in [[n1, n2], [n3]] or n1,n2/n3");
}

// Nodes that no group names form one of their own. Then the first group is made the targets'.
static int split_groups(const struct topology *t, const struct partition_request *r, struct partition *p,
                        struct err *err) {
    int first = -1, k = read_groups(t, r->groups, p, err);
    if (k < 0)
        return k;
    bool rest = false;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (is_member(t, i) && p->group[i] == NO_GROUP) {
            p->group[i] = (uint8_t)p->n_groups;
            rest = true;
        }
    p->n_groups += rest;
    for (size_t i = 0; i < t->nodes.n && first < 0; i++)
        if (is_member(t, i) && is_target(r, i))
            first = p->group[i];
    for (size_t i = 0; first > 0 && i < t->nodes.n; i++)
        if (p->group[i] == first || p->group[i] == 0)
            p->group[i] = p->group[i] ? 0 : (uint8_t)first;
    return 0;
}

static void targets_against_rest(const struct topology *t, const struct partition_request *r, struct partition *p) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (is_member(t, i))
            p->group[i] = is_target(r, i) ? 0 : 1;
    p->n_groups = 2;
}

static void each_target_alone(const struct topology *t, const struct partition_request *r, struct partition *p) {
    unsigned alone = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (is_member(t, i) && is_target(r, i))
            p->group[i] = (uint8_t)alone++;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (is_member(t, i) && !is_target(r, i))
            p->group[i] = (uint8_t)alone;
    p->n_groups = alone + 1;
}

static unsigned share(const struct topology *t, unsigned services, bool majority) {
    unsigned all = count_all(t, services);
    return majority ? all / 2 + 1 : all ? (all - 1) / 2 : 0;
}

// Would this node more make the targets' side too large for a minority, of whatever it runs?
static bool too_many(const struct topology *t, const struct partition *p, size_t node) {
    for (size_t c = 0; c < ARRAY_SIZE(classes); c++)
        if (t->nodes.items[node].services & classes[c] && count(t, p, 0, classes[c]) >= share(t, classes[c], false))
            return true;
    return false;
}

// The targets' side gets more nodes, in the topology's order, until it has its share of each class.
static int fill_side(const struct topology *t, const struct partition_request *r, struct partition *p, bool majority,
                     struct err *err) {
    targets_against_rest(t, r, p);
    for (size_t c = 0; c < ARRAY_SIZE(classes); c++) {
        unsigned have = count(t, p, 0, classes[c]), all = count_all(t, classes[c]);
        if (!majority && have > share(t, classes[c], false))
            return err_set(err, EINVAL, "shape minority: the targets are %u of %u %s nodes, no minority", have, all,
                           classes[c] == SERVICE_ETCD ? "etcd" : "PostgreSQL");
        for (size_t i = 0; i < t->nodes.n && count(t, p, 0, classes[c]) < share(t, classes[c], majority); i++)
            if (p->group[i] == 1 && t->nodes.items[i].services & classes[c] && (majority || !too_many(t, p, i)))
                p->group[i] = 0;
    }
    return 0;
}

static void cut_groups(const struct topology *t, struct partition *p) {
    for (size_t i = 0; i < t->nodes.n; i++)
        for (size_t j = 0; j < t->nodes.n; j++)
            if (is_member(t, i) && is_member(t, j) && p->group[i] != p->group[j])
                pair_add(&p->cut, (int)i, (int)j);
}

// ---- shapes without groups

// The targets see everybody; the others are two halves that don't see each other.
static int make_bridge(const struct topology *t, const struct partition_request *r, struct partition *p,
                       struct err *err) {
    unsigned sides[2] = {0};
    for (size_t c = 0; c < ARRAY_SIZE(classes); c++) // nodes of a class in turn, so that no half has all of it
        for (size_t i = 0, k = 0; i < t->nodes.n; i++)
            if (!is_target(r, i) && t->nodes.items[i].services & classes[c]) {
                if (p->group[i] == NO_GROUP)
                    sides[p->group[i] = (uint8_t)(k % 2)]++;
                k++;
            }
    if (!sides[0] || !sides[1])
        return err_set(err, EINVAL, "shape bridge needs two members besides the targets");
    for (size_t i = 0; i < t->nodes.n; i++)
        for (size_t j = 0; j < t->nodes.n; j++)
            if (p->group[i] != NO_GROUP && p->group[j] != NO_GROUP && p->group[i] != p->group[j])
                pair_add(&p->cut, (int)i, (int)j);
    return 0;
}

// Each member sees its two neighbours only, in the topology's order.
static int make_ring(const struct topology *t, struct partition *p, struct err *err) {
    int members[NODES_MAX], n = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (is_member(t, i))
            members[n++] = (int)i;
    if (n < 4)
        return err_set(err, EINVAL, "shape ring needs four members; with %d everybody is a neighbour of everybody", n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if ((j - i + n) % n > 1 && (i - j + n) % n > 1)
                pair_add(&p->cut, members[i], members[j]);
    return 0;
}

// ---- clients

static unsigned largest_group(const struct topology *t, const struct partition *p) {
    unsigned best = 0;
    for (unsigned g = 1; g < p->n_groups; g++)
        if (count(t, p, g, MEMBERS) > count(t, p, best, MEMBERS))
            best = g;
    return best;
}

static bool client_sees(const struct topology *t, const struct partition_request *r, const struct partition *p,
                        size_t i) {
    if (str_eq(r->app, "both"))
        return true;
    if (str_eq(r->app, "none"))
        return false;
    if (!p->n_groups) // bridge, ring: the targets themselves, or all others
        return str_eq(r->app, "target") == is_target(r, i);
    if (str_eq(r->app, "majority"))
        return p->group[i] == largest_group(t, p);
    return str_eq(r->app, "target") == (p->group[i] == 0);
}

static void cut_clients(const struct topology *t, const struct partition_request *r, struct partition *p) {
    for (size_t c = 0; c < t->nodes.n; c++)
        for (size_t i = 0; i < t->nodes.n; i++)
            if (!is_member(t, c) && is_member(t, i) && !client_sees(t, r, p, i)) {
                pair_add(&p->cut, (int)c, (int)i);
                pair_add(&p->cut, (int)i, (int)c);
            }
}

int partition_make(const struct topology *t, const struct partition_request *r, struct partition *ret,
                   struct err *err) {
    int k = 0;
    *ret = (struct partition){0};
    memset(ret->group, NO_GROUP, sizeof ret->group);
    if (str_eq(r->shape, "ring"))
        k = make_ring(t, ret, err);
    else if (str_eq(r->shape, "bridge"))
        k = make_bridge(t, r, ret, err);
    else if (str_eq(r->shape, "isolate"))
        each_target_alone(t, r, ret);
    else if (!str_empty(r->groups))
        k = split_groups(t, r, ret, err);
    else if (str_eq(r->shape, "split"))
        targets_against_rest(t, r, ret);
    else
        k = fill_side(t, r, ret, str_eq(r->shape, "majority"), err);
    if (k < 0)
        return k;
    if (ret->n_groups)
        cut_groups(t, ret);
    cut_clients(t, r, ret);
    return 0;
}

void partition_text(const struct topology *t, const struct partition_request *r, const struct partition *p,
                    struct strbuf *out) {
    if (!p->n_groups)
        strbuf_add(out, r->shape);
    for (unsigned g = 0; g < p->n_groups; g++) {
        strbuf_add(out, g ? " | " : "");
        for (size_t i = 0, n = 0; i < t->nodes.n; i++)
            if (is_member(t, i) && p->group[i] == g)
                strbuf_addf(out, "%s%s", n++ ? " " : "", t->nodes.items[i].name);
    }
    strbuf_addf(out, "; clients: %s", r->app);
}
