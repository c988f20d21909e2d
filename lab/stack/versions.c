// SPDX-License-Identifier: PostgreSQL
#include "lab/stack/versions.h"

#include <stddef.h>

struct version version_parse(const char *text) {
    struct version v = {0};
    (void)sscanf(text, "%d.%d.%d", &v.major, &v.minor, &v.patch);
    return v;
}

bool version_at_least(const char *text, int major, int minor) {
    struct version v = version_parse(text);
    return v.major > major || (v.major == major && v.minor >= minor);
}

// ---- facts ----------------------------------------------------------------------------------------------------------

static const struct row {
    enum versions_fact fact;
    size_t version;                 // in struct stack_paths
    int major, minor;               // from this version on
    int before_major, before_minor; // and before this one; 0 = to this day
} rows[] = {
#define OF(member) offsetof(struct stack_paths, member)
    // patroni/postgresql/config.py, primary_conninfo_params: there in 4.0, not in 3.0.
    {FACT_CONNINFO_DBNAME, OF(patroni_version), 4, 0, 0, 0},
    // The same place, `major_version >= 170000`; a Patroni that does not know the word keeps it out. All rows of a fact count.
    {FACT_CONNINFO_SSLNEGOTIATION, OF(patroni_version), 4, 0, 0, 0},
    {FACT_CONNINFO_SSLNEGOTIATION, OF(pg_version), 17, 0, 0, 0},
    // etcd 3.6 release notes: the v2 API and its flags are removed.
    {FACT_ETCD_V2, OF(etcd_version), 3, 0, 3, 6},
};

bool versions_have(const struct stack_paths *p, enum versions_fact fact) {
    bool all = true;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *version = (const char *)p + rows[i].version;
        if (rows[i].fact != fact)
            continue;
        all &= *version && version_at_least(version, rows[i].major, rows[i].minor);
        all &= !rows[i].before_major || !version_at_least(version, rows[i].before_major, rows[i].before_minor);
    }
    return all;
}

const char *versions_role(const char *word, bool sync_standby) {
    if (str_eq(word, "master") || str_eq(word, "primary") || str_eq(word, "promoted"))
        return "leader";
    if (str_eq(word, "replica") && sync_standby)
        return "sync_standby";
    return str_eq(word, "demoted") ? "replica" : word;
}

// ---- what can be in one lab -----------------------------------------------------------------------------------------

// The oldest of each that bascule has been run with. Older ones speak another language: etcd 3.3 has its JSON API below /v3beta,
// Patroni before 3.0 calls primary_start_timeout master_start_timeout.
static const struct {
    const char *name;
    unsigned services;
    size_t version;
    int major, minor;
} oldest[] = {{"PostgreSQL", SERVICE_POSTGRES, OF(pg_version), 13, 0},
              {"Patroni", SERVICE_POSTGRES, OF(patroni_version), 3, 0},
              {"etcd", SERVICE_ETCD, OF(etcd_version), 3, 4}};

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

static int check_age(const struct topology *t, const struct stack_paths *paths, struct err *err) {
    VEC_FOREACH (&t->nodes, n)
        for (size_t i = 0; i < ARRAY_SIZE(oldest); i++) {
            const struct stack_paths *p = &paths[n - t->nodes.items];
            const char *version = (const char *)p + oldest[i].version;
            if ((n->services & oldest[i].services) && *version &&
                !version_at_least(version, oldest[i].major, oldest[i].minor))
                return err_set(err, EINVAL, "%s (%s) has %s %s: the lab knows %d.%d and later; choose a newer image",
                               n->name, made_of(p), oldest[i].name, version, oldest[i].major, oldest[i].minor);
        }
    return 0;
}

int versions_check(const struct topology *t, const struct stack_paths *paths, struct err *err) {
    int r = check_age(t, paths, err);
    if (r < 0)
        return r;
    r = check_service(t, paths, SERVICE_POSTGRES, pg_version, same_major, "PostgreSQL",
                      "a standby streams only from its own major version; give every postgres node the same image "
                      "(etcd nodes may have another)",
                      err);
    if (r < 0)
        return r;
    return check_service(t, paths, SERVICE_ETCD, etcd_version, neighbours, "etcd",
                         "etcd members may differ by one minor version at most, as during an upgrade", err);
}
