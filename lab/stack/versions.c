// SPDX-License-Identifier: PostgreSQL
#include "lab/stack/versions.h"

#include <stdio.h>

#include "lab/stack/ops.h"

struct version version_parse(const char *text) {
    struct version v = {0};
    (void)sscanf(text, "%d.%d.%d", &v.major, &v.minor, &v.patch);
    return v;
}

bool version_at_least(const char *text, int major, int minor) {
    struct version v = version_parse(text);
    return v.major > major || (v.major == major && v.minor >= minor);
}

// ---- what can be in one lab -----------------------------------------------------------------------------------------

static bool same_major(struct version a, struct version b) {
    return a.major == b.major;
}

// Of every system. The oldest of each is the oldest that bascule has been run with.
static const struct version_rule postgresql = {
    "postgres",
    "PostgreSQL",
    SERVICE_POSTGRES,
    13,
    0,
    same_major,
    "a standby streams only from its own major version; give every postgres node the same image "
    "(etcd nodes may have another)"};

static const char *made_of(const struct stack_paths *p) {
    return *p->image ? p->image : "host";
}

static int check_age(const struct version_rule *rule, const struct node_def *n, const struct stack_paths *p,
                     struct err *err) {
    const char *version = stack_version(p, rule->program);
    if (!(n->services & rule->services) || !*version || version_at_least(version, rule->major, rule->minor))
        return 0;
    return err_set(err, EINVAL, "%s (%s) has %s %s: the lab knows %d.%d and later; choose a newer image", n->name,
                   made_of(p), rule->title, version, rule->major, rule->minor);
}

// The first node with this service whose version disagrees with the first one that has it.
static int check_together(const struct version_rule *rule, const struct topology *t, const struct stack_paths *paths,
                          struct err *err) {
    const struct node_def *first = NULL;
    VEC_FOREACH (&t->nodes, n) {
        if (!rule->agree || !(n->services & rule->services))
            continue;
        if (!first) {
            first = n;
            continue;
        }
        const struct stack_paths *p = &paths[n - t->nodes.items], *q = &paths[first - t->nodes.items];
        const char *one = stack_version(q, rule->program), *other = stack_version(p, rule->program);
        if (!rule->agree(version_parse(one), version_parse(other)))
            return err_set(err, EINVAL, "%s (%s) has %s %s, %s (%s) has %s: %s", first->name, made_of(q), rule->title,
                           one, n->name, made_of(p), other, rule->otherwise);
    }
    return 0;
}

static const struct version_rule *rule_at(const struct stack_ops *ops, size_t i) {
    return i == 0 ? &postgresql : &ops->versions[i - 1];
}

int versions_check(const struct stack_ops *ops, const struct topology *t, const struct stack_paths *paths,
                   struct err *err) {
    int r = 0;
    VEC_FOREACH (&t->nodes, n)
        for (size_t i = 0; i <= ops->n_versions && r == 0; i++)
            r = check_age(rule_at(ops, i), n, &paths[n - t->nodes.items], err);
    for (size_t i = 0; i <= ops->n_versions && r == 0; i++)
        r = check_together(rule_at(ops, i), t, paths, err);
    return r;
}
