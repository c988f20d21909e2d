// SPDX-License-Identifier: PostgreSQL
// etcd.conf.yml, read by `etcd --config-file`.
#include "lab/node/places.h"
#include "lab/stack/patroni/patroni.h"
#include "lab/stack/patroni/versions.h"

static void initial_cluster(const struct topology *t, struct strbuf *out) {
    bool first = true;
    VEC_FOREACH (&t->nodes, n) {
        if (!(n->services & SERVICE_ETCD))
            continue;
        strbuf_addf(out, "%s%s=http://%s:%d", first ? "" : ",", n->name, n->address, STACK_ETCD_PEER_PORT);
        first = false;
    }
}

void conf_etcd(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    const struct topology *t = c->topology;
    strbuf_addf(
        out,
        "# etcd member %s of the DCS that Patroni stores its state in.\n"
        "name: %s\n"
        "data-dir: /var/lib/etcd\n\n"
        "# Between members (Raft): port %d. For clients such as Patroni and etcdctl: port %d.\n"
        "listen-peer-urls: http://%s:%d\n"
        "initial-advertise-peer-urls: http://%s:%d\n"
        "listen-client-urls: http://%s:%d,http://127.0.0.1:%d\n"
        "advertise-client-urls: http://%s:%d\n"
        "enable-grpc-gateway: true   # the JSON API that Patroni speaks; off by default with a configuration file\n\n",
        n->name, n->name, STACK_ETCD_PEER_PORT, STACK_ETCD_PORT, n->address, STACK_ETCD_PEER_PORT, n->address,
        STACK_ETCD_PEER_PORT, n->address, STACK_ETCD_PORT, STACK_ETCD_PORT, n->address, STACK_ETCD_PORT);
    strbuf_add(out, "# Read once, when data-dir is empty; afterwards the membership is part of etcd's own data.\n"
                    "initial-cluster: ");
    initial_cluster(t, out);
    strbuf_addf(out,
                "\ninitial-cluster-token: %s\n"
                "initial-cluster-state: new\n\n"
                "# A follower that hears no heartbeat for 1 to 2 election timeouts starts an election (milliseconds).\n"
                "heartbeat-interval: %" PRIu64 "\n"
                "election-timeout: %" PRIu64 "\n",
                STACK_SCOPE, t->etcd_heartbeat / MSEC, t->etcd_election / MSEC);
    if (t->etcd.n > 0)
        strbuf_add(out, "\n# From the topology file.\n");
    bool v2 = versions_have(conf_paths(c, n), FACT_ETCD_V2) || !*stack_version(conf_paths(c, n), "etcd");
    VEC_FOREACH (&t->etcd, s)
        strbuf_addf(out, "%s%s: %s\n", !v2 && str_eq(s->key, "enable-v2") ? "# not in this version: " : "", s->key,
                    s->value);
}
