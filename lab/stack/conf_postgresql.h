// SPDX-License-Identifier: PostgreSQL
#pragma once
// PostgreSQL parameters as the stack knows them; shared by the files that write them down.
#include "lab/stack/conf.h"

struct conf_default {
    const char *key, *value;
};
// Passed on the postmaster's command line by Patroni, so a standby can't start with less than its primary. In Patroni's
// order (CMDLINE_OPTIONS); their values live in the DCS, never in a node's own file. Ends with a NULL key.
extern const struct conf_default CONF_COMMAND_LINE[];
extern const struct conf_default CONF_LOCAL[]; // in the node's own file: sockets and logging. Ends with a NULL key
#define CONF_PATRONI_PGPASS "/var/lib/postgresql/pgpass.patroni" // Patroni rewrites it at will: not ~/.pgpass

const char *conf_topology_parameter(const struct conf *c, const char *key); // NULL when the topology does not set it
const char *conf_slot_name(const struct node_def *n, char (*buf)[64]);
