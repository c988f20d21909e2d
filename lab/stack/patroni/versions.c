// SPDX-License-Identifier: PostgreSQL
#include "lab/stack/patroni/versions.h"

static const struct row {
    enum versions_fact fact;
    const char *program;
    int major, minor;               // from this version on
    int before_major, before_minor; // and before this one; 0 = to this day
} rows[] = {
    // patroni/postgresql/config.py, primary_conninfo_params: there in 4.0, not in 3.0.
    {FACT_CONNINFO_DBNAME, "patroni", 4, 0, 0, 0},
    // The same place, `major_version >= 170000`; a Patroni that does not know the word keeps it out. All rows of a fact count.
    {FACT_CONNINFO_SSLNEGOTIATION, "patroni", 4, 0, 0, 0},
    {FACT_CONNINFO_SSLNEGOTIATION, "postgres", 17, 0, 0, 0},
    // etcd 3.6 release notes: the v2 API and its flags are removed.
    {FACT_ETCD_V2, "etcd", 3, 0, 3, 6},
};

bool versions_have(const struct stack_paths *p, enum versions_fact fact) {
    bool all = true;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *version = stack_version(p, rows[i].program);
        if (rows[i].fact != fact)
            continue;
        all &= *version && version_at_least(version, rows[i].major, rows[i].minor);
        all &= !rows[i].before_major || !version_at_least(version, rows[i].before_major, rows[i].before_minor);
    }
    return all;
}

enum manager_role patroni_role(const char *word, bool sync_standby) {
    if (str_eq(word, "master") || str_eq(word, "primary") || str_eq(word, "promoted"))
        return MANAGER_ROLE_LEADER;
    if (str_eq(word, "replica") && sync_standby)
        return MANAGER_ROLE_SYNC_STANDBY;
    if (str_eq(word, "demoted"))
        return MANAGER_ROLE_REPLICA;
    unsigned role = word_set_find(&manager_role_words, word);
    return role == MANAGER_ROLE_UNKNOWN ? MANAGER_ROLE_OTHER : (enum manager_role)role;
}

// etcd's server/etcdserver/api/rafthttp and membership: members of neighbouring minor versions form a cluster, which then speaks
// the older one (upgrade guides, "Upgrade requirements": 3.4 to 3.5, 3.5 to 3.6).
bool patroni_etcds_agree(struct version a, struct version b) {
    int apart = a.minor - b.minor;
    return a.major == b.major && apart >= -1 && apart <= 1;
}
