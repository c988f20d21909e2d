// SPDX-License-Identifier: PostgreSQL
#pragma once
// What differs between versions of Patroni, etcd and PostgreSQL under them, and nothing else does anywhere else. Facts hang on the version that a daemon or its
// package tells, never on the name of a Debian release. Pure: no file is opened here.
#include "lab/stack/versions.h"

// What some versions have and others lack. The table with its sources is in versions.c.
enum versions_fact {
    FACT_CONNINFO_DBNAME,         // Patroni writes dbname=postgres into a standby's primary_conninfo
    FACT_CONNINFO_SSLNEGOTIATION, // ... and sslnegotiation=postgres
    FACT_ETCD_V2,                 // etcd knows enable-v2
};
bool versions_have(const struct stack_paths *p, enum versions_fact fact); // false when a version is not known

// Patroni's word for a role in the words of the log; one that it does not know is MANAGER_ROLE_OTHER. "promoted" and "demoted" appear for a moment around a
// change. 4.0 calls the leader "primary" where 3.x says "master" (patroni/postgresql/misc.py; 4.0 release notes), and knows quorum standbys.
enum manager_role patroni_role(const char *word, bool sync_standby);

// May members of one etcd cluster have these two? (struct version_rule)
bool patroni_etcds_agree(struct version a, struct version b);
