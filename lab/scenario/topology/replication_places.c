// SPDX-License-Identifier: PostgreSQL
// Places for the standbys of a cluster: PostgreSQL's and Patroni's defaults (10 walsenders, 10 slots) are too few from ten nodes on.
// Where the file says nothing they grow with the cluster; where it says too little the cluster could never be complete, and that is
// told before anything starts.
#include "lab/scenario/topology/read_topology.h"
#include "lab/scenario/yaml/scalar.h"

// patroni/postgresql/config.py, CMDLINE_OPTIONS: both 10. Beside one for each standby some are left for what comes and goes: a
// pg_basebackup takes two walsenders, and people make slots.
enum { DEFAULT_PLACES = 10, SPARE_PLACES = 5 };

static const struct setting *find(const setting_list *list, const char *key) {
    VEC_FOREACH (list, s)
        if (str_eq(s->key, key))
            return s;
    return NULL;
}

static void fit(struct reader *r, struct topology *t, const char *key, size_t standbys, struct mark at) {
    const struct setting *s = find(&t->postgresql, key);
    double value;
    char why[WHY_MAX];
    if (!s && standbys + SPARE_PLACES > DEFAULT_PLACES)
        VEC_PUSH(&t->postgresql,
                 ((struct setting){.key = xstrdup(key), .value = xasprintf("%zu", standbys + SPARE_PLACES)}));
    else if (s && scalar_number(s->value, &value, why) && value < (double)standbys)
        complain(r, at, "postgresql.%s is %s, and %zu standbys need one each: the cluster would never be complete", key,
                 SHOWN(s->value), standbys);
}

void topology_fit_replication(struct reader *r, struct topology *t, struct mark at) {
    size_t servers = topology_count(t, SERVICE_POSTGRES);
    if (servers < 2)
        return;
    fit(r, t, "max_wal_senders", servers - 1, at);
    if (t->patroni.use_slots)
        fit(r, t, "max_replication_slots", servers - 1, at);
}
