// SPDX-License-Identifier: PostgreSQL
#pragma once
// Configuration as an administrator would write it, with comments, because students read it. Pure text: a topology and
// a node in, the file's content out. Nothing here opens a file.
#include "lab/stack/stack.h"
#include "lab/topology/topology.h"

struct conf {
    const struct topology *topology;
    const struct stack_paths *paths; // by index in topology->nodes
};

// What this node of the topology is made of.
static inline const struct stack_paths *conf_paths(const struct conf *c, const struct node_def *n) {
    return &c->paths[n - c->topology->nodes.items];
}

// The first node that may lead: it starts as the leader. NULL when the topology has no PostgreSQL.
const struct node_def *conf_first_leader(const struct topology *t);

void conf_patroni(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/patroni/config.yml
void conf_patronictl(const struct conf *c, struct strbuf *out);                     // ~/.config/patroni/patronictl.yaml
void conf_dcs_json(const struct conf *c, struct strbuf *out);                       // etcd key STACK_PREFIX "config"
void conf_etcd_endpoints(const struct conf *c, struct strbuf *out);                 // "http://10.77.0.11:2379,..."
void conf_etcd(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/etcd/etcd.conf.yml
void conf_haproxy(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/haproxy/haproxy.cfg
void conf_profile(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/profile.d/bascule.sh
// What a shell of the node and `exec` know of the lab. /etc/environment: NAME=VALUE lines.
void conf_environment(const struct conf *c, const struct node_def *n, struct strbuf *out);
void conf_pgpass(struct strbuf *out);                           // ~/.pgpass
void conf_pg_service(const struct conf *c, struct strbuf *out); // ~/.pg_service.conf

// What Patroni itself writes into a data directory, so that it finds nothing to change when it takes over.
void conf_pg_hba(const struct conf *c, struct strbuf *out);                               // one rule a line
void conf_postgresql(const struct conf *c, const struct node_def *n, struct strbuf *out); // postgresql.conf
void conf_pgpass_replication(const struct conf *c, struct strbuf *out); // Patroni's passfile on a standby

// "max_connections" -> the value from the topology, or Patroni's default. NULL when neither knows it.
const char *conf_parameter(const struct conf *c, const char *key);
// The options Patroni passes on the postmaster's command line, in its order: "--listen_addresses=0.0.0.0 --port=5432
// ...".
void conf_postmaster_options(const struct conf *c, struct strbuf *out);
// "10.77.0.1:2379,10.77.0.2:2379": a list of addresses of the nodes having all of `services`.
void conf_addresses(const struct topology *t, unsigned services, const char *before, int port, const char *separator,
                    struct strbuf *out);
