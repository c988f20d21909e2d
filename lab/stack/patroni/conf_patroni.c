// SPDX-License-Identifier: PostgreSQL
// config.yml of one Patroni, and what patronictl reads.
#include "lab/node/node.h"
#include "lab/node/places.h"
#include "lab/stack/patroni/patroni.h"

// A YAML scalar: numbers bare, everything else quoted, because a bare `on` is a boolean to YAML.
static void add_scalar(struct strbuf *out, const char *value) {
    if (*value && value[strspn(value, "0123456789")] == '\0') {
        strbuf_add(out, value);
        return;
    }
    strbuf_add(out, "'");
    for (const char *p = value; *p; p++) {
        if (*p == '\'')
            strbuf_add(out, "'");
        strbuf_addn(out, p, 1);
    }
    strbuf_add(out, "'");
}

static const char *yes_no(bool b) {
    return b ? "true" : "false";
}

static void head(const struct node_def *n, struct strbuf *out) {
    strbuf_addf(out,
                "# Patroni on %s.\n"
                "scope: %s             # the cluster's name; all members share it\n"
                "namespace: %s    # keys in etcd: %s...\n"
                "name: %s                # this member's name\n\n"
                "restapi:                # health checks (HAProxy, people) and the members' questions to each other\n"
                "  listen: 0.0.0.0:%d\n"
                "  connect_address: %s:%d\n\n",
                n->name, STACK_SCOPE, STACK_NAMESPACE, STACK_PREFIX, n->name, STACK_PATRONI_PORT, n->address,
                STACK_PATRONI_PORT);
}

static void dcs_settings(const struct conf *c, struct strbuf *out) {
    const struct patroni_settings *p = &c->topology->patroni;
    strbuf_addf(out,
                "    ttl: %" PRIu64 "             # seconds until an unrenewed leader lock expires\n"
                "    loop_wait: %" PRIu64 "       # seconds between two looks of each Patroni\n"
                "    retry_timeout: %" PRIu64
                "   # how long a failing DCS or PostgreSQL is retried; loop_wait + 2*retry_timeout <= ttl\n"
                "    maximum_lag_on_failover: %" PRId64 "   # bytes; a replica further behind may not become leader\n"
                "    primary_start_timeout: %" PRIu64
                "     # seconds a crashed leader may try to start before it gives up the lock\n",
                p->ttl / SEC, p->loop_wait / SEC, p->retry_timeout / SEC, p->maximum_lag_on_failover,
                p->primary_start_timeout / SEC);
    if (p->synchronous_mode) {
        strbuf_addf(out, "    synchronous_mode: true\n    synchronous_node_count: %d\n",
                    p->synchronous_node_count > 0 ? p->synchronous_node_count : 1);
        if (p->synchronous_mode_strict)
            strbuf_add(out, "    synchronous_mode_strict: true   # no synchronous standby, no commit\n");
    }
    if (p->failsafe_mode)
        strbuf_add(out, "    failsafe_mode: true   # a leader that lost etcd goes on while all members agree\n");
    if (p->check_timeline)
        strbuf_add(out, "    check_timeline: true\n");
}

static void dcs_postgresql(const struct conf *c, struct strbuf *out) {
    const struct patroni_settings *p = &c->topology->patroni;
    strbuf_addf(out, "    postgresql:\n      use_pg_rewind: %s\n      use_slots: %s\n", yes_no(p->use_pg_rewind),
                yes_no(p->use_slots));
    if (c->topology->postgresql.n > 0)
        strbuf_add(out, "      parameters:\n");
    VEC_FOREACH (&c->topology->postgresql, s) {
        strbuf_addf(out, "        %s: ", s->key);
        add_scalar(out, s->value);
        strbuf_add(out, "\n");
    }
}

static void bootstrap(const struct conf *c, struct strbuf *out) {
    strbuf_add(out,
               "bootstrap:\n"
               "  # Written to etcd once, by the first leader. Afterwards etcd's copy counts: patronictl edit-config.\n"
               "  dcs:\n");
    dcs_settings(c, out);
    dcs_postgresql(c, out);
    strbuf_add(out, "  # For an empty cluster. Here PostgreSQL was initialised with these options beforehand and "
                    "Patroni took over\n"
                    "  # the running servers, as when an existing cluster is converted to Patroni.\n"
                    "  initdb:\n"
                    "    - encoding: UTF8\n"
                    "    - locale: C.UTF-8\n"
                    "    - data-checksums\n\n");
}

static void authentication(struct strbuf *out) {
    static const char *const roles[][2] = {
        {"superuser", "postgres"}, {"replication", "replicator"}, {"rewind", "rewind"}};
    strbuf_add(out, "  authentication:\n");
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        strbuf_addf(out, "    %s:\n      username: %s\n      password: %s\n", roles[i][0], roles[i][1],
                    stack_password(roles[i][0]));
}

static void hba(const struct conf *c, struct strbuf *out) {
    cleanup_strbuf struct strbuf rules = {0};
    conf_pg_hba(c, &rules);
    strbuf_add(out, "  pg_hba:               # on the socket who you are is enough, over the network a password\n");
    for (const char *line = strbuf_str(&rules); *line;) {
        const char *end = strchr(line, '\n');
        strbuf_addf(out, "    - %.*s\n", (int)(end - line), line);
        line = end + 1;
    }
}

static void parameters(const struct conf *c, struct strbuf *out) {
    strbuf_add(out, "  parameters:           # this node's own; they win over those in etcd\n");
    for (const struct conf_default *d = PATRONI_LOCAL; d->key; d++) {
        if (conf_topology_parameter(c, d->key))
            continue;
        strbuf_addf(out, "    %s: ", d->key);
        add_scalar(out, d->value);
        strbuf_add(out, "\n");
    }
}

static void postgresql(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    strbuf_addf(out,
                "postgresql:\n"
                "  listen: %s:%d\n"
                "  connect_address: %s:%d\n"
                "  data_dir: %s\n"
                "  bin_dir: %s\n"
                "  pgpass: %s   # Patroni writes it for replication and pg_rewind\n"
                "  use_unix_socket: true\n",
                conf_parameter(c, "listen_addresses"), STACK_PGPORT, n->address, STACK_PGPORT, STACK_PGDATA,
                conf_paths(c, n)->pg_bin, CONF_PATRONI_PGPASS);
    authentication(out);
    hba(c, out);
    parameters(c, out);
}

static void watchdog(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    enum watchdog_mode mode = topology_watchdog(c->topology, n);
    if (mode == WATCHDOG_OFF) {
        strbuf_add(out,
                   "\nwatchdog:\n"
                   "  mode: 'off'           # a real cluster wants one: it resets a machine whose Patroni hangs\n");
        return;
    }
    strbuf_addf(out,
                "\nwatchdog:               # the machine loses its power unless Patroni writes to the device in time\n"
                "  mode: %s     # automatic: without a device it leads all the same; required: it does not\n"
                "  driver: testing       # Patroni's own, for a pipe; a real server has the default driver\n"
                "  device: " NODE_WATCHDOG "   # and /dev/watchdog, owned by postgres\n"
                "  safety_margin: %" PRIu64 "      # seconds; it fires ttl - safety_margin after the last keepalive\n",
                watchdog_mode_name(mode), c->topology->patroni.safety_margin / SEC);
}

static void tags(const struct node_def *n, struct strbuf *out) {
    strbuf_addf(out,
                "\n"
                "tags:\n"
                "  nofailover: %s     # true: never becomes leader\n"
                "  noloadbalance: %s  # true: /replica answers 503\n"
                "  clonefrom: %s      # true: others copy from here rather than from the leader\n"
                "  nosync: %s         # true: never a synchronous standby\n",
                yes_no(n->nofailover), yes_no(n->noloadbalance), yes_no(n->clonefrom), yes_no(n->nosync));
}

void conf_patroni(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    head(n, out);
    strbuf_add(out, "log:\n"
                    "  level: INFO           # to standard error, collected in /var/log/patroni/patroni.log\n"
                    "  format: '%(asctime)s %(levelname)s: %(message)s'   # asctime has milliseconds\n\n"
                    "etcd3:                  # any of them will do; Patroni learns the rest\n"
                    "  hosts: ");
    conf_addresses(c->topology, SERVICE_ETCD, "", STACK_ETCD_PORT, ",", out);
    strbuf_add(out, "\n\n");
    bootstrap(c, out);
    postgresql(c, n, out);
    watchdog(c, n, out);
    tags(n, out);
}

void conf_patronictl(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    (void)n;
    strbuf_addf(out,
                "# patronictl: which cluster, and where its DCS is.\n"
                "scope: %s\n"
                "namespace: %s\n"
                "etcd3:\n"
                "  hosts: ",
                STACK_SCOPE, STACK_NAMESPACE);
    conf_addresses(c->topology, SERVICE_ETCD, "", STACK_ETCD_PORT, ",", out);
    strbuf_addf(out,
                "\n"
                "postgresql:\n"
                "  authentication:\n"
                "    superuser: {username: postgres, password: %s}\n",
                stack_password("superuser"));
}
