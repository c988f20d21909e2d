// SPDX-License-Identifier: PostgreSQL
#pragma once
// From selectors to nodes: which nodes a role means at this instant.
#include "lab/model/model.h"
#include "lab/plan/plan.h"

// What is known when something is resolved or judged.
struct scope {
    const struct model *model;
    const struct plan *plan;
    const char *old_leader; // leader at the first injection, before that at the scenario's begin; "" = none yet
    usec_t now;
};

struct node_list {
    char names[NODES_MAX][NODE_NAME_MAX];
    size_t n;
};

// Adds the nodes that the selector means now; a node is never there twice, and a selector that takes one node by seed
// prefers nodes that are not in the list yet. `stream` numbers the draw: same seed, same stream, same candidates, same
// choice. Returns the number of nodes added, or -ENOENT with err: "there is no sync standby now".
int target_resolve(const struct scope *s, const struct selector *sel, uint64_t stream, struct node_list *list,
                   struct err *err);

// The same word inside a condition: "any_replica is streaming" asks for one of the class, "replica is up" for all of
// it. Lists the class (dead_too: also those that are powered off) and says how many of it must comply.
size_t target_class(const struct scope *s, const struct selector *sel, bool dead_too, const struct model_node **nodes,
                    size_t *ret_needed);

// The selector in words: "n1", "the leader", "a replica".
const char *target_words(const struct selector *sel);
