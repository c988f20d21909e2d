// SPDX-License-Identifier: PostgreSQL
#pragma once
// What kind of system manages a cluster, as data: what it has, and what its things are called. Below the model, because who leads and what a healthy
// cluster needs depend on it. What a system does (its laws, its words in logs) is struct ha_system, lab/failover/system.h.
#include "lab/base/err.h"
#include "lab/ha/kind/ability.h"
#include "lab/ha/kind/log_mark.h"

enum ha_has {
    HA_AUTHORITY =
        1, // a voice that the cluster obeys says who may lead (`authority`). Without: who leads is what the managers say of themselves
    HA_GRANT = 2,    // it says so for a time only (`grant`)
    HA_ARBITERS = 4, // a majority of arbiters is needed for it (`arbiter`)
    HA_STORE = 8     // the members share a store (`entry`, `store.watch`), and each of them is registered in it
};

struct ha_kind {
    const char *name, *title; // "patroni": as run.begin says it; "Patroni": for people, also of the manager on a node
    unsigned has;             // bits of enum ha_has
    unsigned
        can; // bits of enum ability: what a scenario may need of it, but for CAN_LEASE and CAN_DCS, which follow from `has`
    const char *manager; // the service that runs the database on a node: "patroni", as node.info and service say it
    const char *api;     // how it is asked, behind "does not answer": " its REST API"; "" = nothing to say

    // Leadership in words. After a node's name: "holds".
    const char *lead;          // "leader key": what is drawn on a time axis
    const char *unseen;        // "the leader key has not been seen yet"
    const char *nobody;        // "nobody holds the leader key"
    const char *holds;         // "holds the leader key"
    const char *still;         // "the leader key is still held by"; a node's name follows
    const char *lost;          // "it had lost the leader key"
    struct ha_phase_words {    // what the phases of a failover end with, and what is waited for while they go on
        const char *gone;      // "the leader key is gone"
        const char *given;     // "a new leader key"
        const char *kept;      // of a leader that was none other all along: "kept its key"
        const char *returns;   // "the leader, which kept its key, to take writes again"
        const char *quorum;    // "etcd to have a quorum again"; "" where no arbiters are
        const char *reached;   // "Patroni to reach etcd again"; the same
        const char *choosing;  // "the key is free: the replicas choose a new leader"
        const char *promoting; // "the new leader holds the key: PostgreSQL becomes writable"
    } phase;
    struct ha_alone {        // a primary that does not lead
        const char *state;   // it takes writes: "writable without the key"
        const char *row;     // the same on a time axis: "WRITABLE, NO KEY"
        const char *role;    // and as its role: "no key!"
        const char *primary; // it takes none: "primary without the key"
    } alone;
    const char *stuck, *stuck_row; // a leader that takes no writes: "has the key, not writable", "key, read-only"

    const char *arbiters;        // "etcd"; "" = it has none
    const char *arbiter_follows, // one of them on a time axis: "etcd member"
        *arbiter_leads;          // "ETCD LEADER"
    const char *entry;           // the name of the authority among the entries of the store; NULL = it is none of them
    const char *members; // before a node's name: the entry with which it registers, "members/"; NULL = no node has one
    const struct log_mark *marks; // of its manager's log; NULL = none
};

// The kinds that this program knows, ends with NULL. They stand in a file of their own (table.c): a test that wants others defines them itself.
extern const struct ha_kind *const ha_kinds[];
extern const struct ha_kind ha_kind_patroni;

#define HA_FIRST "patroni" // what a log runs that does not say it: there was no other

// The kind that run.begin names, "" = HA_FIRST. Of one that this program does not know nothing is missing that a log may tell, and its words are those of
// no system. Never NULL.
const struct ha_kind *ha_kind_find(const char *name);
// The one of exactly this name; NULL = this program does not know it.
const struct ha_kind *ha_kind_known(const char *name);
// 0 when it has all that is needed (bits of enum ability); else -ENOTSUP, and the reason why the scenario is skipped.
int ha_kind_check_needs(const struct ha_kind *k, unsigned needs, struct err *err);
