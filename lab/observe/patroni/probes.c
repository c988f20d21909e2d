// SPDX-License-Identifier: PostgreSQL
// Patroni and its etcd as the observer sees them: REST of each Patroni, watch, lease and members of etcd, what their logs tell, and a switchover by REST.
#include "lab/base/json.h"
#include "lab/node/places.h"
#include "lab/observe/patroni/patroni.h"

static const struct log_pattern patroni[] = {
    {"Lock owner:", LINE_LEVEL_NONE},     // every loop
    {"no action. I am", LINE_LEVEL_NONE}, // every loop: the routine line
    {"promoted self to leader", LINE_LEVEL_INFO},
    {"acquired session lock", LINE_LEVEL_INFO},
    {"Could not take out TTL lock", LINE_LEVEL_WARNING},
    {"demot", LINE_LEVEL_WARNING}, // demoting, demoted
    {"not healthy enough", LINE_LEVEL_WARNING},
    {"following a different leader", LINE_LEVEL_INFO},
    {"following new leader", LINE_LEVEL_INFO},
    {"failed to update leader", LINE_LEVEL_ERROR},
    {"lost leader", LINE_LEVEL_WARNING},
    {"Selected new etcd server", LINE_LEVEL_INFO},
    {"no leader", LINE_LEVEL_WARNING},
    {"switchover", LINE_LEVEL_INFO},
    {"manual failover", LINE_LEVEL_INFO},
    {"Software Watchdog", LINE_LEVEL_INFO},
    {"pg_rewind", LINE_LEVEL_INFO},
    {"bootstrap", LINE_LEVEL_INFO},
    {"starting as", LINE_LEVEL_INFO}, // starting as a secondary, as readonly because i had the session lock
    {"establishing a new patroni connection", LINE_LEVEL_NONE},
    {"Reaped pid", LINE_LEVEL_NONE},
    {"postmaster pid", LINE_LEVEL_INFO},
    {"crash recovery", LINE_LEVEL_WARNING},
    {"failsafe", LINE_LEVEL_WARNING},
    {"maintenance mode", LINE_LEVEL_INFO},
    {"waiting for leader", LINE_LEVEL_WARNING},
    {"CRITICAL", LINE_LEVEL_ERROR},
    {" ERROR: ", LINE_LEVEL_ERROR},
    {" WARNING: ", LINE_LEVEL_WARNING},
    {NULL, LINE_LEVEL_NONE},
};
static const struct log_pattern etcd[] = {
    {"elected leader", LINE_LEVEL_INFO},
    {"lost leader", LINE_LEVEL_WARNING},
    {"became leader", LINE_LEVEL_INFO},
    {"became candidate", LINE_LEVEL_WARNING},
    {"is starting a new election", LINE_LEVEL_WARNING},
    {"stepped down", LINE_LEVEL_WARNING},
    {"lost the TCP streaming connection", LINE_LEVEL_WARNING},
    {"etcdserver: no leader", LINE_LEVEL_WARNING},
    {"ready to serve client requests", LINE_LEVEL_INFO},
    {"took too long", LINE_LEVEL_WARNING},
    {"failed to send out heartbeat on time", LINE_LEVEL_WARNING},
    {"database space exceeded", LINE_LEVEL_ERROR},
    {"\"level\":\"fatal\"", LINE_LEVEL_FATAL},
    {" C | ", LINE_LEVEL_FATAL},
    {" E | ", LINE_LEVEL_ERROR},
    {NULL, LINE_LEVEL_NONE},
};

static const struct log_file logs[] = {
    {"patroni/patroni.log", "patroni", "patroni", patroni},
    {"etcd/etcd.log", "etcd", NULL, etcd},
};

static int switchover(struct observer *o, const char *leader, const char *candidate, usec_t deadline,
                      observer_answer done, void *arg, struct err *err) {
    cleanup_strbuf struct strbuf body = {0};
    strbuf_add(&body, "{\"leader\":");
    json_quote(&body, leader);
    if (!str_empty(candidate)) {
        strbuf_add(&body, ",\"candidate\":");
        json_quote(&body, candidate);
    }
    strbuf_add(&body, "}");
    struct http_options h = {.method = "POST",
                             .port = STACK_PATRONI_PORT,
                             .path = "/switchover",
                             .json = strbuf_str(&body),
                             .deadline = deadline};
    return observer_http(o, leader, &h, done, arg, err);
}

static const struct node_probe nodes[] = {
    {SERVICE_POSTGRES, patroni_open, patroni_turn, patroni_close},
};
static const struct cluster_probe cluster = {etcd_open, etcd_turn, etcd_close};

const struct system_probes patroni_probes = {
    .name = "patroni",
    .nodes = nodes,
    .n_nodes = ARRAY_SIZE(nodes),
    .cluster = &cluster,
    .logs = logs,
    .n_logs = ARRAY_SIZE(logs),
    .switchover = switchover,
};
