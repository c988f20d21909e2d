// SPDX-License-Identifier: PostgreSQL
#pragma once
// Patroni with etcd and HAProxy, the world half: the files of this folder fill patroni_ops (patroni.c).
#include "lab/stack/internal.h"
#include "lab/stack/ops.h"

// Passed on the postmaster's command line by Patroni, so a standby can't start with less than its primary. In Patroni's
// order (CMDLINE_OPTIONS); their values live in the DCS, never in a node's own file. Ends with a NULL key.
extern const struct conf_default PATRONI_COMMAND_LINE[];
extern const struct conf_default PATRONI_LOCAL[]; // in the node's own file: sockets and logging. Ends with a NULL key
#define CONF_PATRONI_PGPASS "/var/lib/postgresql/pgpass.patroni" // Patroni rewrites it at will: not ~/.pgpass

// Files, as an administrator would write them.
void conf_patroni(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/patroni/config.yml
void conf_patronictl(const struct conf *c, const struct node_def *n,
                     struct strbuf *out);                                           // ~/.config/patroni/patronictl.yaml
void conf_etcd(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/etcd/etcd.conf.yml
void conf_haproxy(const struct conf *c, const struct node_def *n, struct strbuf *out); // /etc/haproxy/haproxy.cfg
void conf_dcs_json(const struct conf *c, struct strbuf *out);                          // etcd key STACK_PREFIX "config"
void conf_etcd_endpoints(const struct conf *c, struct strbuf *out);                    // "http://10.77.0.11:2379,..."

// What Patroni itself writes into a data directory, so that it finds nothing to change when it takes over.
void conf_postgresql(const struct conf *c, const struct node_def *n, struct strbuf *out); // postgresql.conf
void conf_pgpass_replication(const struct conf *c, struct strbuf *out);                   // its passfile on a standby
const char *conf_slot_name(const struct node_def *n, char (*buf)[64]);

// services.c
extern const struct stack_service PATRONI_SERVICES[3];
int patroni_lead(struct stack *s, size_t leader, struct err *err);
int patroni_join(struct stack *s, size_t i, struct err *err);
