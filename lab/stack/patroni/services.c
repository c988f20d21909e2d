// SPDX-License-Identifier: PostgreSQL
// The daemons, and who leads first.
#include "lab/node/places.h"
#include "lab/stack/patroni/patroni.h"

static int start_etcd(struct stack *s, size_t i, struct err *err) {
    const char *argv[] = {stack_program(&s->o.paths[i], "etcd"), "--config-file", "/etc/etcd/etcd.conf.yml", NULL};
    struct service_spec spec = {.name = "etcd", .argv = argv, .log = "etcd/etcd.log"};
    return node_service_ensure(s->o.nodes[i], &spec, err);
}

static int start_patroni(struct stack *s, size_t i, struct err *err) {
    const char *argv[] = {stack_program(&s->o.paths[i], "patroni"), STACK_PATRONI_CONF, NULL};
    struct service_spec spec = {.name = "patroni", .argv = argv, .log = "patroni/patroni.log"};
    int r = service_with_clock(s, s->o.nodes[i], &spec, err);
    return r < 0 ? r : node_service_ensure(s->o.nodes[i], &spec, err);
}

const struct stack_service PATRONI_SERVICES[3] = {
    {.name = "etcd", .service = SERVICE_ETCD, .start = start_etcd},
    {.name = "patroni", .service = SERVICE_POSTGRES, .carries = "postgres", .start = start_patroni},
    {.name = "haproxy", .service = SERVICE_HAPROXY, .start = service_haproxy},
};

// etcdctl waits for the election by itself. Should it fail, Patroni writes the same a loop later: nothing depends on it but time.
static int put_settings(struct stack *s, struct err *err) {
    cleanup_strbuf struct strbuf endpoints = {0}, json = {0};
    strbuf_add(&endpoints, "--endpoints=");
    conf_etcd_endpoints(&s->conf, &endpoints);
    conf_dcs_json(&s->conf, &json);
    const char *argv[] = {stack_program(&s->o.paths[s->leader], "etcdctl"),
                          strbuf_str(&endpoints),
                          "--command-timeout=20s",
                          "put",
                          STACK_PREFIX "config",
                          strbuf_str(&json),
                          NULL};
    const char *env[] = {"ETCDCTL_API=3", "HOME=/var/lib/postgresql", "PATH=/usr/bin:/bin", NULL};
    struct service_spec spec = {.name = "etcdctl", .argv = argv, .env = env, .log = "patroni/settings.log"};
    return node_service_ensure(s->o.nodes[s->leader], &spec, err);
}

// It waits for etcd, finds a running primary and takes the leader lock.
int patroni_lead(struct stack *s, size_t leader, struct err *err) {
    int r = put_settings(s, err);
    return r < 0 ? r : start_patroni(s, leader, err);
}

// Not before somebody leads: without an initialize key a Patroni that finds a running standby gives up ("Please first start Patroni on the node running as
// primary"), and without a leader key it could win the lock itself.
int patroni_join(struct stack *s, size_t i, struct err *err) {
    return start_patroni(s, i, err);
}
