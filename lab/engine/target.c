// SPDX-License-Identifier: PostgreSQL
// Which nodes a selector means. A class says who is meant, a share how many of them. Where a share takes fewer than
// all, the seed decides: every candidate gets a rank from splitmix64 over (seed, stream, its index in the topology) and
// the lowest ranks win. So the choice does not depend on how many draws came before, and a node that leaves the class
// does not reshuffle the rest.
#include "lab/engine/target.h"

#include <stdio.h>

#include "lab/base/random.h"

enum share { SHARE_ALL, SHARE_ONE, SHARE_MAJORITY };

static enum share share_of(enum selector_kind kind) {
    switch ((int)kind) {
    case SELECTOR_NOT_LEADER:
    case SELECTOR_ANY_REPLICA:
    case SELECTOR_ASYNC_STANDBY:
    case SELECTOR_ARBITER_FOLLOWER:
        return SHARE_ONE;
    case SELECTOR_ARBITER_MAJORITY:
        return SHARE_MAJORITY;
    default:
        return SHARE_ALL;
    }
}

const char *target_words(const struct selector *sel) {
    return sel->kind == SELECTOR_NODE ? sel->node : selector_words(sel->kind)->one;
}

// ---- classes ---------------------------------------------------------------------------------------------------------
// A member that is cut off from the others may still believe that it leads: the higher term is right (Raft, section 5.1).
static const struct model_node *arbiter_leader(const struct model *m) {
    const struct model_node *best = NULL;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].arbiter_answered && m->nodes[i].arbiter_leads &&
            (!best || m->nodes[i].arbiter_term > best->arbiter_term))
            best = &m->nodes[i];
    return best;
}

static bool is_leader(const struct scope *s, const struct model_node *n) {
    return *s->model->leader && str_eq(n->name, s->model->leader);
}

static bool in_class(const struct scope *s, const struct selector *sel, const struct model_node *n) {
    switch (sel->kind) {
    case SELECTOR_NODE:
        return str_eq(n->name, sel->node);
    case SELECTOR_LEADER:
        return is_leader(s, n);
    case SELECTOR_NOT_LEADER:
        return (n->services & SERVICE_POSTGRES) && n->on && !is_leader(s, n);
    case SELECTOR_REPLICA:
    case SELECTOR_ANY_REPLICA:
        return model_is_replica(s->model, n);
    case SELECTOR_SYNC_STANDBY:
        return model_is_sync_standby(s->model, n);
    case SELECTOR_ASYNC_STANDBY:
        return model_is_replica(s->model, n) && !model_is_sync_standby(s->model, n);
    case SELECTOR_ARBITER_LEADER:
        return n == arbiter_leader(s->model);
    case SELECTOR_ARBITER_FOLLOWER:
        return n->arbiter_answered && n != arbiter_leader(s->model);
    case SELECTOR_ARBITER_MAJORITY:
        return (n->services & SERVICES_ARBITER) && n->on;
    case SELECTOR_OLD_LEADER:
        return str_eq(n->name, s->old_leader);
    case SELECTOR_APP:
        return n->services & SERVICE_APP;
    case SELECTOR_PROXY:
        return n->services & SERVICE_HAPROXY;
    case SELECTOR_ALL:
        return !(n->services & SERVICE_APP);
    }
    return false;
}

// Inside a condition a replica is what should be one: whether it answers is what the condition asks.
static bool in_wide_class(const struct scope *s, const struct selector *sel, const struct model_node *n,
                          bool dead_too) {
    unsigned service = SERVICE_POSTGRES;
    const struct model_node *not_this = model_leader(s->model);
    switch (sel->kind) {
    case SELECTOR_NOT_LEADER:
    case SELECTOR_REPLICA:
    case SELECTOR_ANY_REPLICA:
        break;
    case SELECTOR_ASYNC_STANDBY:
        if (model_is_sync_standby(s->model, n))
            return false;
        break;
    case SELECTOR_ARBITER_FOLLOWER:
        not_this = arbiter_leader(s->model);
        service = SERVICES_ARBITER;
        break;
    case SELECTOR_ARBITER_MAJORITY:
        not_this = NULL;
        service = SERVICES_ARBITER;
        break;
    case SELECTOR_NODE:
    case SELECTOR_LEADER:
    case SELECTOR_SYNC_STANDBY:
    case SELECTOR_ARBITER_LEADER:
    case SELECTOR_OLD_LEADER:
    case SELECTOR_APP:
    case SELECTOR_PROXY:
    case SELECTOR_ALL:
        return in_class(s, sel, n);
    }
    return (n->services & service) && n != not_this && (n->on || dead_too);
}

static size_t arbiter_majority(const struct model *m) {
    size_t members = 0;
    for (size_t i = 0; i < m->n_nodes; i++)
        members += (m->nodes[i].services & SERVICES_ARBITER) != 0;
    return members / 2 + 1;
}

size_t target_class(const struct scope *s, const struct selector *sel, bool dead_too, const struct model_node **nodes,
                    size_t *ret_needed) {
    size_t n = 0;
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if (in_wide_class(s, sel, &s->model->nodes[i], dead_too))
            nodes[n++] = &s->model->nodes[i];
    enum share share = share_of(sel->kind);
    *ret_needed = share == SHARE_ONE ? 1 : share == SHARE_MAJORITY ? arbiter_majority(s->model) : n;
    return n;
}

// ---- draws

static uint64_t rank_of(const struct scope *s, uint64_t stream, size_t index) {
    return splitmix64(splitmix64(s->plan->seed ^ splitmix64(stream)) + index);
}

static bool list_has(const struct node_list *list, const char *name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->names[i], name))
            return true;
    return false;
}

static void list_add(struct node_list *list, const char *name) {
    if (list->n < NODES_MAX && !list_has(list, name))
        STR_COPY(list->names[list->n++], name);
}

// The candidate of lowest rank that is not taken; the leader's node only when there is no other: a majority of the arbiters is
// meant to be lost around the leader, so that one sees the leader notice.
static const struct model_node *draw(const struct scope *s, const struct selector *sel, uint64_t stream,
                                     const struct node_list *taken) {
    const struct model_node *best = NULL;
    uint64_t best_rank = 0;
    for (size_t i = 0; i < s->model->n_nodes; i++) {
        const struct model_node *n = &s->model->nodes[i];
        if (!in_class(s, sel, n) || list_has(taken, n->name))
            continue;
        uint64_t rank = rank_of(s, stream, i);
        bool better = !best || rank < best_rank;
        if (best && is_leader(s, n) != is_leader(s, best))
            better = is_leader(s, best);
        if (better) {
            best = n;
            best_rank = rank;
        }
    }
    return best;
}

static int no_arbiter(const struct scope *s, struct err *err) {
    return err_set(err, ENOENT, "%s has no arbiter", s->model->kind->title);
}

static int nobody(const struct scope *s, const struct selector *sel, struct err *err) {
    char text[160];
    if (sel->kind == SELECTOR_NODE)
        return err_set(err, ENOENT, "there is no node '%s'", sel->node);
    if (sel->kind == SELECTOR_LEADER && !s->model->leader_known)
        return err_set(err, ENOENT, "the leader is not known yet");
    if (sel->kind == SELECTOR_LEADER)
        return err_set(err, ENOENT, "there is no leader now: %s", model_nobody(s->model, text, sizeof text));
    bool arbiters = sel->kind == SELECTOR_ARBITER_LEADER || sel->kind == SELECTOR_ARBITER_FOLLOWER;
    if (arbiters && !(s->model->kind->has & HA_ARBITERS))
        return no_arbiter(s, err);
    if (sel->kind == SELECTOR_OLD_LEADER)
        return err_set(err, ENOENT, "there is no old leader: no leader was seen when the scenario began");
    if (sel->kind == SELECTOR_PROXY || sel->kind == SELECTOR_APP)
        return err_set(err, ENOENT, "there is no %s in this lab", selector_kind_name(sel->kind));
    const char *words = target_words(sel);
    words += str_starts(words, "an ") ? 3 : str_starts(words, "a ") ? 2 : 0; // "there is no replica now"
    return err_set(err, ENOENT, "there is no %s now", words);
}

static int resolve_all(const struct scope *s, const struct selector *sel, struct node_list *list, struct err *err) {
    size_t seen = 0, before = list->n;
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if (in_class(s, sel, &s->model->nodes[i])) {
            list_add(list, s->model->nodes[i].name);
            seen++;
        }
    return seen ? (int)(list->n - before) : nobody(s, sel, err);
}

// The leader of PostgreSQL counts as taken last; members are drawn afresh, whatever other selectors took before.
static int resolve_majority(const struct scope *s, const struct selector *sel, uint64_t stream, struct node_list *list,
                            struct err *err) {
    if (!(s->model->kind->has & HA_ARBITERS))
        return no_arbiter(s, err);
    struct node_list drawn = {0};
    size_t needed = arbiter_majority(s->model), before = list->n;
    const struct model_node *n;
    while (drawn.n < needed && (n = draw(s, sel, stream, &drawn)))
        list_add(&drawn, n->name);
    if (drawn.n < needed)
        return err_set(err, ENOENT,
                       "there is no majority of %s members to take: %zu of them are powered, %zu make a majority",
                       s->model->kind->arbiters, drawn.n, needed);
    for (size_t i = 0; i < drawn.n; i++)
        list_add(list, drawn.names[i]);
    return (int)(list->n - before);
}

int target_resolve(const struct scope *s, const struct selector *sel, uint64_t stream, struct node_list *list,
                   struct err *err) {
    enum share share = share_of(sel->kind);
    if (share == SHARE_ALL)
        return resolve_all(s, sel, list, err);
    if (share == SHARE_MAJORITY)
        return resolve_majority(s, sel, stream, list, err);
    const struct model_node *n = draw(s, sel, stream, list);
    if (!n)
        return nobody(s, sel, err);
    list_add(list, n->name);
    return 1;
}
