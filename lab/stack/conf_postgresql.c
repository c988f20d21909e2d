// SPDX-License-Identifier: PostgreSQL
// PostgreSQL's side of every system: its parameters, who may connect, and the postmaster's command line.
#include "lab/node/places.h"
#include "lab/stack/ops.h"

static const char *in_table(const struct conf_default *table, const char *key) {
    for (; table->key; table++)
        if (str_eq(table->key, key))
            return table->value;
    return NULL;
}

const char *conf_topology_parameter(const struct conf *c, const char *key) {
    VEC_FOREACH (&c->topology->postgresql, s) {
        if (str_eq(s->key, key))
            return s->value;
    }
    return NULL;
}

const char *conf_parameter(const struct conf *c, const char *key) {
    const char *value = conf_topology_parameter(c, key);
    if (!value)
        value = in_table(c->ops->server_parameters, key);
    return value ? value : in_table(c->ops->local_parameters, key);
}

// The values are words and numbers; a value from the topology could hold a blank, and pg_ctl hands this line to a
// shell.
static void add_shell_quoted(struct strbuf *out, const char *value) {
    strbuf_add(out, "'");
    for (const char *p = value; *p; p++) {
        if (*p == '\'')
            strbuf_add(out, "'\\''");
        else
            strbuf_addn(out, p, 1);
    }
    strbuf_add(out, "'");
}

void conf_postmaster_options(const struct conf *c, struct strbuf *out) {
    strbuf_addf(out, "--config-file=%s/postgresql.conf", STACK_PGDATA);
    for (const struct conf_default *d = c->ops->server_parameters; d->key; d++) {
        strbuf_addf(out, " --%s=", d->key);
        const char *value = conf_parameter(c, d->key);
        if (value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
            add_shell_quoted(out, value);
        else
            strbuf_add(out, value);
    }
}

// 10.77.0.0/24 for any address of the lab.
static void network(const struct topology *t, struct strbuf *out) {
    const char *address = t->nodes.n ? t->nodes.items[0].address : "10.77.0.1";
    const char *dot = strrchr(address, '.');
    strbuf_addn(out, address, dot ? (size_t)(dot - address) : strlen(address));
    strbuf_add(out, ".0/24");
}

void conf_pg_hba(const struct conf *c, struct strbuf *out) {
    cleanup_strbuf struct strbuf net = {0};
    network(c->topology, &net);
    strbuf_addf(out,
                "local all postgres peer\n"
                "local all all scram-sha-256\n"
                "host all all 127.0.0.1/32 scram-sha-256\n"
                "host all all %s scram-sha-256\n"
                "host replication replicator 127.0.0.1/32 scram-sha-256\n"
                "host replication replicator %s scram-sha-256\n",
                strbuf_str(&net), strbuf_str(&net));
}
