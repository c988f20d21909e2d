// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which flows a network fault is about: the parameters with, direction and path. This is the only place that reads them; net.drop and its
// relatives and the link shaper share it.
#include "injector/fault/fault.h"
#include "lab/reach/flows.h"

#define FLOWS_PARAM_WITH                                                                                               \
    {                                                                                                                  \
        "with", "nodes", "others|peers|all", "others",                                                                 \
            "the other side: others (every node that is no target, the application too), peers (others without the "   \
            "application), all (others, and the targets among themselves), or node names"                              \
    }
#define FLOWS_PARAM_DIRECTION                                                                                          \
    { "direction", "word", "both|in|out", "both", "frames to the target (in), from it (out), or both" }
#define FLOWS_PARAM_PATH                                                                                               \
    {                                                                                                                  \
        "path", "paths", "all|sql|replication|rest|etcd_client|etcd_peer", "all",                                      \
            "the service paths, one or a list: all, sql (5432 from the application or HAProxy), replication (5432 "    \
            "between "                                                                                                 \
            "PostgreSQL nodes), rest (8008), etcd_client (2379), etcd_peer (2380), or a TCP port: 5433, tcp/5433. "    \
            "Requests "                                                                                                \
            "and answers, new connections and established ones"                                                        \
    }
// For check: do the parameters name nodes and paths of this topology? What a word means is checked by the caller
// (mechanism_check_words).
int flows_check(const struct mechanism *m, const struct topology *t, const setting_list *params, struct err *err);
// The flows that the fault's parameters mean, around its nodes. Appends to out. -ENOENT: none, with the reason.
int flows_select(const struct fault *f, flow_list *out, struct err *err);

// Every frame between the nodes of the fault and all others (and among the former, when they are several).
void flows_around(const struct fault *f, flow_list *out);
// The commands that cut these by hand, one element a line.
void flows_describe(const struct topology *t, const flow_list *l, struct strbuf *out);
