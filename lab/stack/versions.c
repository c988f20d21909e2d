// SPDX-License-Identifier: PostgreSQL
#include "lab/stack/versions.h"

struct version version_parse(const char *text) {
    struct version v = {0};
    (void)sscanf(text, "%d.%d.%d", &v.major, &v.minor, &v.patch);
    return v;
}

bool version_at_least(const char *text, int major, int minor) {
    struct version v = version_parse(text);
    return v.major > major || (v.major == major && v.minor >= minor);
}

const char *versions_role(const char *word, bool sync_standby) {
    if (str_eq(word, "master") || str_eq(word, "primary") || str_eq(word, "promoted"))
        return "leader";
    if (str_eq(word, "replica") && sync_standby)
        return "sync_standby";
    return str_eq(word, "demoted") ? "replica" : word;
}

static const char *made_of(const struct stack_paths *p) {
    return *p->image ? p->image : "host";
}

// The first node with this service whose version disagrees with the first one that has it.
static int check_service(const struct topology *t, const struct stack_paths *paths, enum service service,
                         const char *(*version_of)(const struct stack_paths *),
                         bool (*agree)(struct version, struct version), const char *what, const char *why,
                         struct err *err) {
    const struct node_def *first = NULL;
    VEC_FOREACH (&t->nodes, n) {
        const struct stack_paths *p = &paths[n - t->nodes.items];
        if (!(n->services & service))
            continue;
        if (!first) {
            first = n;
            continue;
        }
        const struct stack_paths *q = &paths[first - t->nodes.items];
        if (!agree(version_parse(version_of(q)), version_parse(version_of(p))))
            return err_set(err, EINVAL, "%s (%s) has %s %s, %s (%s) has %s: %s", first->name, made_of(q), what,
                           version_of(q), n->name, made_of(p), version_of(p), why);
    }
    return 0;
}

static const char *pg_version(const struct stack_paths *p) {
    return p->pg_version;
}
static const char *etcd_version(const struct stack_paths *p) {
    return p->etcd_version;
}
static bool same_major(struct version a, struct version b) {
    return a.major == b.major;
}
// etcd's server/etcdserver/api/rafthttp and membership: members of neighbouring minor versions form a cluster, which then speaks
// the older one (upgrade guides, "Upgrade requirements": 3.4 to 3.5, 3.5 to 3.6).
static bool neighbours(struct version a, struct version b) {
    int apart = a.minor - b.minor;
    return a.major == b.major && apart >= -1 && apart <= 1;
}

int versions_check(const struct topology *t, const struct stack_paths *paths, struct err *err) {
    int r = check_service(t, paths, SERVICE_POSTGRES, pg_version, same_major, "PostgreSQL",
                          "a standby streams only from its own major version; give every postgres node the same image "
                          "(etcd nodes may have another)",
                          err);
    if (r < 0)
        return r;
    return check_service(t, paths, SERVICE_ETCD, etcd_version, neighbours, "etcd",
                         "etcd members may differ by one minor version at most, as during an upgrade", err);
}
