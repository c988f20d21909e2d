// SPDX-License-Identifier: PostgreSQL
// PostgreSQL's side: the parameters, its files in the data directory, and the postmaster's command line. They have to
// be what Patroni itself would write (patroni/postgresql/config.py): it takes over a running server, compares, and
// marks the node "pending restart" for each difference.
#include "lab/stack/conf_postgresql.h"
#include "lab/node/places.h"
#include "lab/stack/conf.h"
#include "lab/stack/versions.h"

const struct conf_default CONF_COMMAND_LINE[] = {
    {"listen_addresses", "0.0.0.0"},
    {"port", "5432"},
    {"cluster_name", STACK_SCOPE},
    {"wal_level", "replica"},
    {"hot_standby", "on"},
    {"max_connections", "100"},
    {"max_wal_senders", "10"},
    {"max_prepared_transactions", "0"},
    {"max_locks_per_transaction", "64"},
    {"track_commit_timestamp", "off"},
    {"max_replication_slots", "10"},
    {"max_worker_processes", "8"},
    {"wal_log_hints", "on"},
    {NULL, NULL},
};

// Every message of every start goes to one file that a student can follow with tail -f: the collector appends to it,
// and no rotation renames it. What the server says before its collector runs goes to Patroni's log, as everywhere. %e, the SQLSTATE: the
// words are those of lc_messages, the code is of no language (lab/observe/log_lines.c).
const struct conf_default CONF_LOCAL[] = {
    {"unix_socket_directories", STACK_PGSOCKET},
    {"logging_collector", "on"},
    {"log_directory", "/var/log/postgresql"},
    {"log_filename", "postgresql.log"},
    {"log_rotation_age", "0"},
    {"log_rotation_size", "0"},
    {"log_line_prefix", "%m [%p] %e %q%u@%d %a "},
    {"log_lock_waits", "on"},
    {NULL, NULL},
};

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
        value = in_table(CONF_COMMAND_LINE, key);
    return value ? value : in_table(CONF_LOCAL, key);
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
    for (const struct conf_default *d = CONF_COMMAND_LINE; d->key; d++) {
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

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct conf_default *)a)->key, ((const struct conf_default *)b)->key);
}

typedef VEC(struct conf_default) default_list;

static void collect(const struct conf *c, default_list *ret) {
    static const struct conf_default patronis_own = {"wal_keep_size", "128MB"}; // 8 segments (CMDLINE_OPTIONS)
    for (const struct conf_default *d = CONF_COMMAND_LINE; d->key; d++)
        VEC_PUSH(ret, *d);
    for (const struct conf_default *d = CONF_LOCAL; d->key; d++)
        VEC_PUSH(ret, *d);
    VEC_PUSH(ret, patronis_own);
    VEC_FOREACH (&c->topology->postgresql, s) {
        struct conf_default *old = NULL;
        VEC_FOREACH (ret, d) {
            if (str_eq(d->key, s->key))
                old = d;
        }
        struct conf_default *d = old ? old : VEC_ADD(ret);
        *d = (struct conf_default){s->key, s->value};
    }
    VEC_SORT(ret, by_key);
}

static void add_guc(struct strbuf *out, const char *key, const char *value) {
    strbuf_addf(out, "%s = '", key);
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\')
            strbuf_addn(out, p, 1);
        strbuf_addn(out, p, 1);
    }
    strbuf_add(out, "'\n");
}

// patroni/postgresql/config.py, primary_conninfo_params and format_dsn.
static void standby_settings(const struct conf *c, const struct node_def *n, const struct node_def *leader,
                             struct strbuf *out) {
    const struct stack_paths *p = conf_paths(c, n);
    const char *dbname = versions_have(p, FACT_CONNINFO_DBNAME) ? "dbname=postgres " : "";
    const char *ssl = versions_have(p, FACT_CONNINFO_SSLNEGOTIATION) ? " sslnegotiation=postgres" : "";
    char slot[64];
    strbuf_addf(out,
                "\n# recovery.conf\n"
                "primary_conninfo = '%suser=replicator passfile=%s host=%s port=%d sslmode=prefer application_name=%s "
                "gssencmode=prefer channel_binding=prefer%s'\n"
                "primary_slot_name = '%s'\n",
                dbname, CONF_PATRONI_PGPASS, leader->address, STACK_PGPORT, n->name, ssl, conf_slot_name(n, &slot));
    static const char *const unset[] = {"", "_lsn", "_name", "_time"};
    for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
        strbuf_addf(out, "recovery_target%s = ''\n", unset[i]);
    strbuf_add(out, "recovery_target_timeline = 'latest'\nrecovery_target_xid = ''\n");
}

// Patroni's rule (dcs/__init__.py, slot_name_from_member_name): lower case, '-' and '.' become '_', others uXXXX.
const char *conf_slot_name(const struct node_def *n, char (*buf)[64]) {
    size_t len = 0;
    for (const char *p = n->name; *p && len + 6 < sizeof *buf; p++) {
        char ch = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_')
            (*buf)[len++] = ch;
        else if (ch == '-' || ch == '.')
            (*buf)[len++] = '_';
        else
            len += (size_t)snprintf(*buf + len, sizeof *buf - len, "u%04d", (unsigned char)ch);
    }
    (*buf)[len] = '\0';
    return *buf;
}

void conf_postgresql(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    default_list list = {0};
    collect(c, &list);
    strbuf_add(out, "# Do not edit this file manually!\n# It will be overwritten by Patroni!\n"
                    "include 'postgresql.base.conf'\n\n");
    VEC_FOREACH (&list, d)
        add_guc(out, d->key, d->value);
    strbuf_addf(out, "hba_file = '%s/pg_hba.conf'\nident_file = '%s/pg_ident.conf'\n", STACK_PGDATA, STACK_PGDATA);
    const struct node_def *leader = conf_first_leader(c->topology);
    if (leader && leader != n)
        standby_settings(c, n, leader, out);
    VEC_DONE(&list);
}

void conf_pgpass_replication(const struct conf *c, struct strbuf *out) {
    const struct node_def *leader = conf_first_leader(c->topology);
    if (leader)
        strbuf_addf(out, "%s:%d:*:replicator:%s\n", leader->address, STACK_PGPORT, stack_password("replication"));
}
