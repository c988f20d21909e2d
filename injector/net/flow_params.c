// SPDX-License-Identifier: PostgreSQL
#include "injector/net/flow_params.h"

#include "injector/fault/check.h"

static bool in_list(const char *list, const char *name) {
    char word[NODE_NAME_MAX];
    for (const char *at = list; (at = flows_next_word(at, word, sizeof word));)
        if (str_eq(word, name))
            return true;
    return false;
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
    for (const char *at = with; !is_group(with) && (at = flows_next_word(at, name, sizeof name));)
        if (!is_node(t, name))
            return err_set(err, ENOENT,
                           "%s: there is no node '%s' on the other side; with is others, peers, all or node names",
                           m->name, name);
    return 0;
}

// A path that no two nodes of the topology have is a mistake, not an empty fault.
static int check_paths(const struct mechanism *m, const struct topology *t, const char *list, struct err *err) {
    char word[32];
    for (const char *at = list; (at = flows_next_word(at, word, sizeof word));) {
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
