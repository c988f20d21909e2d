// SPDX-License-Identifier: PostgreSQL
#include "lab/plan/selector.h"

#include "lab/base/hint.h"

// ---- who could it be ------------------------------------------------------------------------------------------------

static unsigned with_service(const struct topology *t, unsigned services) {
    unsigned mask = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (t->nodes.items[i].services & services)
            mask |= 1U << i;
    return mask;
}

// PostgreSQL nodes without a tag that bars them. Patroni, docs/yaml_configuration.rst, "tags": nofailover never takes
// part in the leader race, nosync is never chosen as synchronous standby.
static unsigned postgres_but(const struct topology *t, bool no_nofailover, bool no_nosync) {
    unsigned mask = with_service(t, SERVICE_POSTGRES);
    for (size_t i = 0; i < t->nodes.n; i++) {
        const struct node_def *n = &t->nodes.items[i];
        if ((no_nofailover && n->nofailover) || (no_nosync && n->nosync))
            mask &= ~(1U << i);
    }
    return mask;
}

static unsigned sync_candidates(const struct topology *t) {
    bool pair = topology_count(t, SERVICE_POSTGRES) >= 2;
    return t->patroni.synchronous_mode && pair ? postgres_but(t, false, true) : 0;
}

// A replica that is not synchronous exists when there are more replicas than synchronous places, or one that may not
// be.
static unsigned async_candidates(const struct topology *t) {
    unsigned all = with_service(t, SERVICE_POSTGRES);
    int replicas = __builtin_popcount(all) - 1;
    int places = t->patroni.synchronous_mode ? t->patroni.synchronous_node_count : 0;
    if (replicas < 1)
        return 0;
    return replicas > places ? all : all & ~sync_candidates(t);
}

unsigned selector_candidates(const struct topology *t, const struct selector *s) {
    unsigned postgres = with_service(t, SERVICE_POSTGRES), etcd = with_service(t, SERVICE_ETCD);
    bool replicas = __builtin_popcount(postgres) >= 2;
    switch (s->kind) {
    case SELECTOR_NODE:
        for (size_t i = 0; i < t->nodes.n; i++)
            if (str_eq(t->nodes.items[i].name, s->node))
                return 1U << i;
        return 0;
    case SELECTOR_LEADER:
    case SELECTOR_OLD_LEADER:
        return postgres_but(t, true, false);
    case SELECTOR_NOT_LEADER:
    case SELECTOR_REPLICA:
    case SELECTOR_ANY_REPLICA:
        return replicas ? postgres : 0;
    case SELECTOR_SYNC_STANDBY:
        return sync_candidates(t);
    case SELECTOR_ASYNC_STANDBY:
        return async_candidates(t);
    case SELECTOR_ARBITER_LEADER:
    case SELECTOR_ARBITER_MAJORITY:
        return etcd;
    case SELECTOR_ARBITER_FOLLOWER:
        return __builtin_popcount(etcd) >= 2 ? etcd : 0;
    case SELECTOR_APP:
        return with_service(t, SERVICE_APP);
    case SELECTOR_PROXY:
        return with_service(t, SERVICE_HAPROXY);
    case SELECTOR_ALL:
        return with_service(t, SERVICE_POSTGRES | SERVICE_ETCD | SERVICE_HAPROXY);
    }
    return 0;
}

unsigned role_candidates(const struct topology *t, enum condition_role role) {
    unsigned postgres = with_service(t, SERVICE_POSTGRES);
    switch (role) {
    case CONDITION_ROLE_LEADER:
        return postgres_but(t, true, false);
    case CONDITION_ROLE_WRITABLE:
        return postgres;
    case CONDITION_ROLE_REPLICA:
    case CONDITION_ROLE_STREAMING:
        return __builtin_popcount(postgres) >= 2 ? postgres : 0;
    case CONDITION_ROLE_SYNC_STANDBY:
        return sync_candidates(t);
    case CONDITION_ROLE_UP:
    case CONDITION_ROLE_DOWN:
        return ~0U;
    }
    return 0;
}

// ---- reading --------------------------------------------------------------------------------------------------------

// Why the role can never be filled in this topology.
static const char *never_because(const struct topology *t, enum selector_kind kind) {
    switch (kind) {
    case SELECTOR_NOT_LEADER:
    case SELECTOR_REPLICA:
    case SELECTOR_ANY_REPLICA:
        return "it has only one PostgreSQL node";
    case SELECTOR_SYNC_STANDBY:
        return t->patroni.synchronous_mode ? "no node of it may be synchronous"
                                           : "patroni.synchronous_mode is off (set it to true)";
    case SELECTOR_ASYNC_STANDBY:
        return "each of its replicas is a synchronous one";
    case SELECTOR_LEADER:
    case SELECTOR_OLD_LEADER:
        return "each of its PostgreSQL nodes has the tag nofailover";
    case SELECTOR_ARBITER_FOLLOWER:
        return "it has only one etcd member";
    case SELECTOR_PROXY:
        return "it has no HAProxy node";
    case SELECTOR_NODE:
    case SELECTOR_ARBITER_LEADER:
    case SELECTOR_ARBITER_MAJORITY:
    case SELECTOR_APP:
    case SELECTOR_ALL:
        break;
    }
    return "it has no such node";
}

static void unknown_target(const struct topology *t, const char *text, struct strbuf *why) {
    cleanup_words struct words all = {0};
    cleanup_strbuf struct strbuf nodes = {0};
    for (size_t i = 0; i < t->nodes.n; i++)
        words_add(&all, t->nodes.items[i].name);
    words_join(&all, &nodes);
    cleanup_words struct words roles = {0};
    for (enum selector_kind kind = SELECTOR_NODE + 1; kind <= SELECTOR_ALL; kind++) {
        words_add(&all, selector_kind_name(kind));
        words_add(&roles, selector_kind_name(kind));
    }
    cleanup_strbuf struct strbuf role_list = {0};
    words_join(&roles, &role_list);
    strbuf_addf(why, "'%s' is neither a node nor a role%s; nodes: %s; roles: %s", SHOWN(text),
                HINT(text, words_all(&all)), strbuf_str(&nodes), strbuf_str(&role_list));
}

bool selector_find(const char *text, const struct topology *t, struct selector *ret, struct strbuf *why) {
    struct selector s = {.kind = SELECTOR_NODE};
    if (!selector_keyword(text, &s.kind) && !STR_COPY(s.node, text) && !t) {
        strbuf_addf(why, "'%s' is too long for a node's name", SHOWN(text));
        return false;
    }
    if (t && s.kind == SELECTOR_NODE && !topology_node(t, text)) {
        unknown_target(t, text, why);
        return false;
    }
    if (t && selector_candidates(t, &s) == 0) {
        strbuf_addf(why, "no node of topology '%s' can be '%s': %s", t->name, text, never_because(t, s.kind));
        return false;
    }
    *ret = s;
    return true;
}

int selector_parse(const char *text, const struct topology *t, struct selector *ret, struct err *err) {
    cleanup_strbuf struct strbuf why = {0};
    if (!selector_find(text, t, ret, &why))
        return err_set(err, ENOENT, "%s", strbuf_str(&why));
    return 0;
}
