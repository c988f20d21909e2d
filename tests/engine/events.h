// SPDX-License-Identifier: PostgreSQL
#pragma once
// Short ways to write the events that the tests feed.
#include "lab/record/event.h"

struct event ev_node(const char *node, bool postgres, bool etcd, bool app);
struct event ev_power(usec_t t, const char *node, bool on);
struct event ev_sql_leader(usec_t t, const char *node, lsn_t lsn);
struct event ev_sql_standby(usec_t t, const char *node, lsn_t replayed);
struct event ev_sql_silent(usec_t t, const char *node, const char *error);
struct event ev_row(usec_t t, const char *leader, const char *standby, const char *state, const char *sync_state,
                    int64_t lag);
struct event ev_row_gone(usec_t t, const char *leader, const char *standby);
struct event ev_slot(usec_t t, const char *leader, const char *slot, int64_t retained);
struct event ev_key(usec_t t, const char *key, const char *value);
struct event ev_key_gone(usec_t t, const char *key);
struct event ev_lease(usec_t t, usec_t renewed, int64_t ttl_s);
struct event ev_etcd(usec_t t, const char *node, const char *id, const char *leader_id, int64_t term);
struct event ev_etcd_silent(usec_t t, const char *node);
struct event ev_tick(usec_t from, int64_t w_ok, int64_t w_failed, int64_t r_ok, int64_t r_failed);
struct event ev_fault(usec_t t, const char *id, const char *phase, const char *detail);
struct event ev_action(usec_t t, const char *id, const char *phase, const char *detail);
struct event ev_begin(const char *stack);
struct event ev_manager(usec_t t, const char *node, const char *service, const char *role); // role "" = no answer
struct event ev_config(usec_t t, const char *key, const char *value);
struct event ev_clock(usec_t t);

// A three-node cluster (n1 leads PostgreSQL and etcd; plus node "app") that is complete at `t`, fed one by one.
void feed_complete_cluster(usec_t t, void (*feed)(void *arg, const struct event *ev), void *arg);
