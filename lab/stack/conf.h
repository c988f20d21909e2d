// SPDX-License-Identifier: PostgreSQL
#pragma once
// Configuration as an administrator would write it, with comments, because students read it. Pure text: a topology and
// a node in, the file's content out. Nothing here opens a file.
#include "lab/stack/stack.h"
#include "lab/topology/topology.h"

struct stack_ops;
struct conf {
    const struct stack_ops *ops;
    const struct topology *topology;
    const struct stack_paths *paths; // by index in topology->nodes
};

// What this node of the topology is made of.
static inline const struct stack_paths *conf_paths(const struct conf *c, const struct node_def *n) {
    return &c->paths[n - c->topology->nodes.items];
}

// The first node that may lead: it starts as the leader. NULL when the topology has no PostgreSQL.
const struct node_def *conf_first_leader(const struct topology *t);

void conf_profile(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/profile.d/bascule.sh
// What a shell of the node and `exec` know of the lab. /etc/environment: NAME=VALUE lines.
void conf_environment(const struct conf *c, const struct node_def *n, struct strbuf *out);
void conf_pgpass(struct strbuf *out);                           // ~/.pgpass
void conf_pg_service(const struct conf *c, struct strbuf *out); // ~/.pg_service.conf

// ---- PostgreSQL (conf_postgresql.c)
struct conf_default {
    const char *key, *value;
};
void conf_pg_hba(const struct conf *c, struct strbuf *out);                 // one rule a line
const char *conf_topology_parameter(const struct conf *c, const char *key); // NULL when the topology does not set it
// "max_connections" -> the value from the topology, or the system's default. NULL when neither knows it.
const char *conf_parameter(const struct conf *c, const char *key);
// The options that the system passes on the postmaster's command line, in its order: "--listen_addresses=0.0.0.0 --port=5432
// ...".
void conf_postmaster_options(const struct conf *c, struct strbuf *out);
// "10.77.0.1:2379,10.77.0.2:2379": a list of addresses of the nodes having all of `services`.
void conf_addresses(const struct topology *t, unsigned services, const char *before, int port, const char *separator,
                    struct strbuf *out);
