// SPDX-License-Identifier: PostgreSQL
// Named facts about the cluster. Each says what is missing in words for a trainee, and the first thing missing in the
// order in which one would repair it: leader, its PostgreSQL, a second writer, the standbys, the arbiters, then the machines.
#include <stdio.h>

#include "lab/model/fold.h"
#include "lab/model/quorum.h"

static bool missing(char *why, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool missing(char *why, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (why && size)
        (void)vsnprintf(why, size, fmt, ap);
    va_end(ap);
    return false;
}

static const char *reason(const struct model_node *n) {
    return *n->pg_error ? n->pg_error : n->pg_seen ? "silent" : "no answer yet";
}

char *model_nobody(const struct model *m, char *buf, size_t size) {
    cleanup_strbuf struct strbuf out = {0};
    for (size_t i = 0; i < m->n_nodes && m->leader_disputed; i++)
        if (m->nodes[i].claims)
            strbuf_addf(&out, "%s%s", out.len ? " and " : "", m->nodes[i].name);
    strbuf_add(&out, m->leader_disputed ? " say that they lead" : m->kind->nobody);
    (void)str_copy(buf, size, strbuf_str(&out));
    return buf;
}

static bool leader_writes(const struct model *m, char *why, size_t size) {
    const struct model_node *n = model_leader(m);
    char nobody[160];
    if (!m->leader_known)
        return missing(why, size, "%s", m->kind->unseen);
    if (!*m->leader)
        return missing(why, size, "there is no leader: %s", model_nobody(m, nobody, sizeof nobody));
    if (!n)
        return missing(why, size, "%s %s but is no node of this lab", m->leader, m->kind->holds);
    if (!n->on)
        return missing(why, size, "%s %s but is powered off", n->name, m->kind->holds);
    if (!n->pg_answered)
        return missing(why, size, "PostgreSQL on the leader %s does not answer (%s)", n->name, reason(n));
    if (n->in_recovery)
        return missing(why, size, "the leader %s is still in recovery", n->name);
    if (!n->writable)
        return missing(why, size, "the leader %s does not accept writes yet", n->name);
    return true;
}

static bool one_writer(const struct model *m, char *why, size_t size) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].writable && !str_eq(m->nodes[i].name, m->leader))
            return missing(why, size, "%s accepts writes too, beside the leader %s", m->nodes[i].name, m->leader);
    return true;
}

bool facts_one_writer_leads(const struct model *m) {
    return leader_writes(m, NULL, 0) && one_writer(m, NULL, 0);
}

// A standby of another history streams, and never replays what it gets.
static bool one_history(const struct model *m, char *why, size_t size) {
    return model_divergence(m, why, size) == DOUBT_NONE;
}

static bool streams(const struct model *m, const struct model_node *n, char *why, size_t size) {
    if (n->streaming)
        return true;
    switch (n->row_doubt) {
    case ROW_CUT:
        return missing(why, size, "%s is cut off from the leader %s, which still shows it as streaming", n->name,
                       m->leader);
    case ROW_STILL:
        return missing(why, size,
                       "%s receives nothing from the leader %s, which writes and still shows it as streaming", n->name,
                       m->leader);
    case ROW_BELIEVED:
        break;
    }
    return missing(why, size, "%s is not streaming from %s yet", n->name, m->leader);
}

static bool standbys_stream(const struct model *m, char *why, size_t size) {
    const struct model_node *leader = model_leader(m);
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct model_node *n = &m->nodes[i];
        if (!(n->services & SERVICE_POSTGRES) || !n->on || str_eq(n->name, m->leader))
            continue;
        if (!n->pg_answered)
            return missing(why, size, "PostgreSQL on %s does not answer (%s)", n->name, reason(n));
        if (!n->in_recovery)
            return missing(why, size, "%s is not a standby", n->name);
        if (!streams(m, n, why, size))
            return false;
        // A row says "streaming" as soon as the walsender has caught up; what the standby received says of which history.
        if (n->timeline != leader->timeline)
            return missing(why, size, "%s is on timeline %" PRId64 ", the leader %s on %" PRId64, n->name, n->timeline,
                           m->leader, leader->timeline);
    }
    return true;
}

// ---- the arbiters ------------------------------------------------------------------------------------------------------

// raft.None is 0; the JSON gateway leaves a zero out (etcd raft/node.go).
static bool is_id(const char *id) {
    return id[strspn(id, "0")] != '\0';
}

static bool arbiter_answers_as(const struct model *m, const char *id) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].arbiter_answered && str_eq(m->nodes[i].arbiter_id, id))
            return true;
    return false;
}

static size_t arbiter_followers_of(const struct model *m, const char *leader_id) {
    size_t count = 0;
    for (size_t i = 0; i < m->n_nodes; i++)
        count += m->nodes[i].arbiter_answered && str_eq(m->nodes[i].arbiter_leader_id, leader_id);
    return count;
}

// The leader they agree on must answer itself: for one election timeout after its death the others still believe in it.
bool model_quorum(const struct model *m) {
    size_t members = quorum_members(m, false);
    for (size_t i = 0; i < m->n_nodes; i++) {
        const char *id = m->nodes[i].arbiter_leader_id;
        if (m->nodes[i].arbiter_answered && is_id(id) && arbiter_followers_of(m, id) > members / 2 &&
            arbiter_answers_as(m, id))
            return true;
    }
    return false;
}

bool model_no_quorum(const struct model *m) {
    return (m->kind->has & HA_ARBITERS) && !model_quorum(m);
}

static bool has_quorum(const struct model *m, char *why, size_t size) {
    const char *who = m->kind->arbiters;
    if (!model_no_quorum(m))
        return true;
    size_t members = quorum_members(m, false), answering = quorum_members(m, true);
    if (!members)
        return missing(why, size, "no %s member is known yet", who);
    if (answering <= members / 2)
        return missing(why, size, "%s has no quorum: %zu of %zu members answer", who, answering, members);
    return missing(why, size, "%s has no quorum: %zu of %zu members answer but they agree on no leader", who, answering,
                   members);
}

// ---- the whole -------------------------------------------------------------------------------------------------------

bool model_healthy(const struct model *m, char *why, size_t size) {
    return leader_writes(m, why, size) && one_writer(m, why, size) && one_history(m, why, size) &&
           standbys_stream(m, why, size) && has_quorum(m, why, size);
}

// Who runs the database on each node has been heard, and where there is a store, the node stands in it.
static bool members_known(const struct model *m, char *why, size_t size) {
    bool store = m->kind->has & HA_STORE;
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct model_node *n = &m->nodes[i];
        if (!(n->services & SERVICE_POSTGRES) || (store ? n->registered : n->manager_answered))
            continue;
        return store ? missing(why, size, "%s has not registered in the DCS yet", n->name)
                     : missing(why, size, "%s on %s does not answer", m->kind->title, n->name);
    }
    return true;
}

// In synchronous mode Patroni promotes nobody that /sync does not name (patroni/ha.py, is_failover_possible and
// _is_healthiest_node): until the leader has written it, its crash leaves a cluster that nobody may lead.
static bool sync_is_set(const struct model *m, char *why, size_t size) {
    if ((m->kind->has & HA_GRANT) && !m->ttl) // how long a grant lasts is a setting
        return missing(why, size, "%s's settings have not been read yet", m->kind->title);
    if (!m->synchronous_mode)
        return true;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].in_sync_key && str_eq(m->sync_leader, m->leader))
            return true;
    return missing(why, size, "synchronous mode is on, but the key /sync names no standby yet");
}

bool model_complete(const struct model *m, char *why, size_t size) {
    if (!m->n_nodes)
        return missing(why, size, "no node is known yet");
    for (size_t i = 0; i < m->n_nodes; i++)
        if (!m->nodes[i].on)
            return missing(why, size, "%s is powered off", m->nodes[i].name);
    if (!model_healthy(m, why, size))
        return false;
    if (!members_known(m, why, size))
        return false;
    for (size_t i = 0; i < m->n_nodes; i++) // a majority serves, but one more loss would be one too many
        if ((m->kind->has & HA_ARBITERS) && (m->nodes[i].services & SERVICES_ARBITER) && !m->nodes[i].arbiter_answered)
            return missing(why, size, "%s on %s does not answer", m->kind->arbiters, m->nodes[i].name);
    return sync_is_set(m, why, size);
}

int model_node_up(const struct model_node *n) {
    if (!n->on)
        return n->power_changed ? 0 : -1;
    if (n->services & SERVICE_POSTGRES)
        return n->pg_answered ? 1 : n->pg_changed ? 0 : -1;
    if (n->services & SERVICES_ARBITER)
        return n->arbiter_answered;
    return 1;
}

bool model_is_replica(const struct model *m, const struct model_node *n) {
    return n->pg_answered && n->in_recovery && !str_eq(n->name, m->leader);
}

bool model_is_sync_standby(const struct model *m, const struct model_node *n) {
    if (!(n->services & SERVICE_POSTGRES) || !n->on || str_eq(n->name, m->leader))
        return false;
    if (*m->sync_leader && (!*m->leader || str_eq(m->sync_leader, m->leader)))
        return n->in_sync_key;
    return str_eq(n->sync_state, "sync") || str_eq(n->sync_state, "quorum");
}

bool model_key_present(const struct model *m, const char *key) {
    for (size_t i = 0; i < m->keys.n; i++)
        if (str_eq(m->keys.items[i].key, key))
            return true;
    return false;
}
