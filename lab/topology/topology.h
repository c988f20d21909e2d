// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a lab is made of: nodes, the services each one runs, addresses and settings. Plain data, read from a topology file
// (scenarios/topologies/NAME.yaml) by topology_read and never changed once the plan is made.
#include "lab/base/cluster.h"
#include "lab/base/usec.h"
#include "lab/base/vec.h"

enum { IMAGE_NAME_MAX = 64 };

// Of Patroni's `watchdog: mode`. A node's own goes before patroni.watchdog.
enum watchdog_mode { WATCHDOG_UNSET, WATCHDOG_OFF, WATCHDOG_AUTOMATIC, WATCHDOG_REQUIRED };

// Can the wall clock of a node's PostgreSQL and Patroni be changed while they run? adjustable: they start with a library preloaded.
enum clock_kind { CLOCK_HOST, CLOCK_ADJUSTABLE };

struct node_def {
    char name[NODE_NAME_MAX];
    char address[ADDRESS_MAX];  // IPv4, dotted; 10.77.0.0/24 unless the file says otherwise
    unsigned services;          // bits of enum service
    char image[IMAGE_NAME_MAX]; // what it is made of; "" = as the topology says
    bool nofailover;            // Patroni tags
    bool nosync;
    bool noloadbalance;
    bool clonefrom;
    enum watchdog_mode watchdog; // WATCHDOG_UNSET = as patroni.watchdog
};

struct setting {
    char *key;   // without the section: "ttl", "shared_buffers"
    char *value; // as YAML scalar text
};
typedef VEC(struct setting) setting_list;

// The dynamic configuration of Patroni that bascule reasons about. Defaults are Patroni's own (patroni/config.py,
// __DEFAULT_CONFIG): ttl 30, loop_wait 10, retry_timeout 10, maximum_lag_on_failover 1048576, primary_start_timeout 300.
struct patroni_settings {
    usec_t ttl, loop_wait, retry_timeout;
    int64_t maximum_lag_on_failover; // bytes
    usec_t primary_start_timeout;
    bool synchronous_mode, synchronous_mode_strict;
    int synchronous_node_count;
    bool failsafe_mode;
    bool check_timeline;
    bool use_pg_rewind, use_slots;
    enum watchdog_mode watchdog;
    usec_t safety_margin; // the watchdog fires ttl - safety_margin after the last renewal (patroni/watchdog/base.py)
};

enum storage { STORAGE_MEMORY, STORAGE_DISK };

struct topology {
    char *name;  // "patroni-3"
    char *title; // one line for `bascule up --help` and lists
    char *stack; // "patroni" (the only one today)
    VEC(struct node_def) nodes;
    struct patroni_settings patroni;
    setting_list postgresql;              // PostgreSQL parameters, e.g. max_connections
    usec_t etcd_heartbeat, etcd_election; // etcd's --heartbeat-interval (100 ms), --election-timeout (1 s)
    setting_list etcd;                    // further etcd flags, e.g. quota-backend-bytes
    setting_list haproxy;                 // inter, fastinter, downinter, rise, fall
    enum storage storage;
    enum clock_kind clock;
    char image[IMAGE_NAME_MAX]; // of nodes that name none; "" = host
    // The record is thinned when nothing new was said for so long (lab/record/thin.h; default 10 min); 0 = never.
    usec_t thin_after;
    bool disk_faults; // services can be met by every storage fault
    // Classes of system calls (lab/node/disk.h) that the scenario's own faults need; just bits here.
    unsigned disk_layer;
};

const char *watchdog_mode_name(enum watchdog_mode mode);
// What is in force on this node; never WATCHDOG_UNSET. Off where no PostgreSQL runs.
static inline enum watchdog_mode topology_watchdog(const struct topology *t, const struct node_def *n) {
    enum watchdog_mode mode = n->watchdog ? n->watchdog : t->patroni.watchdog;
    return (n->services & SERVICE_POSTGRES) && mode ? mode : WATCHDOG_OFF;
}
const struct node_def *topology_node(const struct topology *t, const char *name); // NULL when there is none
// The image of a node, "host" for the host's own file system.
const char *topology_image(const struct topology *t, const struct node_def *n);
size_t topology_count(const struct topology *t, unsigned services); // nodes having all of these services
void topology_free(struct topology *t);
