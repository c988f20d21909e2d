// SPDX-License-Identifier: PostgreSQL
#pragma once
// Names and places that stack, observers, faults and commands share, all inside a node.
#define STACK_SCOPE          "demo"                          // Patroni's cluster name
#define STACK_NAMESPACE      "/service/"                     // Patroni's default DCS namespace
#define STACK_PREFIX         STACK_NAMESPACE STACK_SCOPE "/" // "/service/demo/"
#define STACK_PGDATA         "/var/lib/postgresql/data"
#define STACK_PGSOCKET       "/run/postgresql"
#define STACK_PGPORT         5432
#define STACK_PATRONI_PORT   8008
#define STACK_ETCD_PORT      2379
#define STACK_ETCD_PEER_PORT 2380
#define STACK_HAPROXY_RW     5000
#define STACK_HAPROXY_RO     5001
#define STACK_HAPROXY_STATS  "/run/haproxy/admin.sock"
#define STACK_DATABASE       "app" // the application's database
#define STACK_APP_USER       "app" // and its role
#define STACK_PATRONI_CONF   "/etc/patroni/config.yml"
