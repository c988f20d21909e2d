// SPDX-License-Identifier: PostgreSQL
// What the DCS says: the keys under the cluster's prefix, the lease on the leader key, the live settings.
#include <math.h>

#include "lab/base/json.h"
#include "lab/model/fold.h"

static void set_key(struct model *m, const char *key, bool gone) {
    for (size_t i = 0; i < m->keys.n; i++) {
        if (!str_eq(m->keys.items[i].key, key))
            continue;
        if (gone)
            m->keys.items[i] = m->keys.items[--m->keys.n];
        return;
    }
    if (!gone)
        STR_COPY(VEC_ADD(&m->keys)->key, key);
}

void model_apply_authority(struct model *m, const struct event *ev) {
    const char *holder = ev->u.AUTHORITY.gone ? "" : ev->u.AUTHORITY.holder;
    const char *lease = ev->u.AUTHORITY.gone ? "" : ev->u.AUTHORITY.grant;
    if (!(m->kind->has & HA_AUTHORITY))
        return;
    m->dcs_read = true;
    if (m->kind->entry)
        set_key(m, m->kind->entry, ev->u.AUTHORITY.gone);
    model_diverge_key(m, ev);
    if (!str_eq(m->leader, holder) || !m->leader_known)
        m->leader_changed = ev->t;
    // Another lease's renewals say nothing about this one.
    if (!*lease || !str_eq(m->lease, lease))
        m->lease_renewed = m->lease_ttl = 0;
    STR_COPY(m->leader, holder);
    STR_COPY(m->lease, lease);
    m->leader_known = true;
    model_derive_replication(m);
}

// The value is {"leader":"n1","sync_standby":"n2,n3"} or null (patroni/dcs/__init__.py, SyncState.members: comma
// separated); a list is taken too, for versions that write one.
static bool names_standby(const cJSON *sync, const char *name) {
    const cJSON *standby = cJSON_GetObjectItemCaseSensitive(sync, "sync_standby");
    if (cJSON_IsString(standby))
        return str_list_has(standby->valuestring, name);
    for (int i = 0; i < cJSON_GetArraySize(standby); i++) {
        const cJSON *item = cJSON_GetArrayItem(standby, i);
        if (cJSON_IsString(item) && str_eq(item->valuestring, name))
            return true;
    }
    return false;
}

static void apply_sync_key(struct model *m, const struct event *ev) {
    STR_COPY(m->sync_key, ev->u.ENTRY.gone ? "" : ev->u.ENTRY.value);
    cleanup_json cJSON *sync = cJSON_Parse(m->sync_key);
    STR_COPY(m->sync_leader, cJSON_IsObject(sync) ? json_str(sync, "leader", "") : "");
    for (size_t i = 0; i < m->n_nodes; i++)
        m->nodes[i].in_sync_key = cJSON_IsObject(sync) && names_standby(sync, m->nodes[i].name);
}

const char *model_member_entry(const struct model *m, const char *key) {
    const char *prefix = m->kind->members;
    return prefix && str_starts(key, prefix) ? key + strlen(prefix) : NULL;
}

void model_apply_entry(struct model *m, const struct event *ev) {
    const char *key = ev->u.ENTRY.key;
    bool gone = ev->u.ENTRY.gone;
    m->dcs_read = true;
    set_key(m, key, gone);
    if (str_eq(key, "sync"))
        apply_sync_key(m, ev);
    else if (str_eq(key, "failover"))
        m->key_failover = !gone;
    else if (model_member_entry(m, key)) {
        struct model_node *n = model_node(m, model_member_entry(m, key));
        if (n)
            n->registered = !gone;
    }
}

void model_apply_grant(struct model *m, const struct event *ev) {
    const char *lease = ev->u.GRANT.id;
    bool mine = !*lease || !*m->lease || str_eq(lease, m->lease);
    if (!mine) // a late word on the lease of the leader before
        return;
    m->lease_renewed = ev->u.GRANT.gone ? 0 : ev->u.GRANT.renewed;
    m->lease_ttl = ev->u.GRANT.gone ? 0 : ev->u.GRANT.length;
}

// Seconds, whole or not ("30", "0.5"). Nonsense is unknown, i.e. 0.
static usec_t seconds(const char *text) {
    char *end = NULL;
    double s = strtod(text, &end);
    if (end == text || *end || !isfinite(s) || s < 0 || s > 1e9)
        return 0;
    return (usec_t)llround(s * (double)SEC);
}

static bool is_true(const char *text) {
    return str_eq(text, "true") || str_eq(text, "True") || str_eq(text, "on") || str_eq(text, "yes") ||
           str_eq(text, "quorum");
}

void model_apply_config(struct model *m, const struct event *ev) {
    const char *key = ev->u.CONFIG.key, *value = ev->u.CONFIG.value;
    size_t section = strlen(m->kind->name); // "patroni.ttl"
    if (*ev->u.CONFIG.node || !section || !str_starts(key, m->kind->name) || key[section] != '.')
        return;
    key += section + 1;
    if (str_eq(key, "ttl"))
        m->ttl = seconds(value);
    else if (str_eq(key, "loop_wait"))
        m->loop_wait = seconds(value);
    else if (str_eq(key, "retry_timeout"))
        m->retry_timeout = seconds(value);
    else if (str_eq(key, "maximum_lag_on_failover"))
        m->maximum_lag = strtoll(value, NULL, 10);
    else if (str_eq(key, "synchronous_mode"))
        m->synchronous_mode = is_true(value);
    else if (str_eq(key, "pause"))
        m->key_pause = is_true(value);
}
