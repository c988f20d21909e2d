// SPDX-License-Identifier: PostgreSQL
// What several configuration files share, and the small files for people. See conf.h.
#include "lab/stack/conf.h"

#include "lab/node/places.h"
#include "lab/stack/ops.h"

const struct node_def *conf_first_leader(const struct topology *t) {
    VEC_FOREACH (&t->nodes, n) {
        if ((n->services & SERVICE_POSTGRES) && !n->nofailover)
            return n;
    }
    return NULL;
}

void conf_addresses(const struct topology *t, unsigned services, const char *before, int port, const char *separator,
                    struct strbuf *out) {
    bool first = true;
    VEC_FOREACH (&t->nodes, n) {
        if ((n->services & services) != services)
            continue;
        strbuf_addf(out, "%s%s%s", first ? "" : separator, before, n->address);
        if (port)
            strbuf_addf(out, ":%d", port);
        first = false;
    }
}

// The lab is a closed box: nothing outside can reach these servers, so the passwords may be fixed and readable. Between
// nodes they are still asked for, with scram, as on a real network.
const char *stack_password(const char *role) {
    static const char *const table[][2] = {
        {"superuser", "bascule-postgres"},
        {"replication", "bascule-replicator"},
        {"rewind", "bascule-rewind"},
        {"app", "bascule-app"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (str_eq(table[i][0], role))
            return table[i][1];
    return "";
}

// connect_timeout: a silent node costs the client 2 s and then it tries the next. tcp_user_timeout and keepalives:
// without them a client whose server fell silent waits for minutes (tcp_retries2). statement_timeout would be wrong
// here: a cancelled wait for a synchronous standby is reported as success with a warning.
#define CLIENT_TIMEOUTS                                                                                                \
    "connect_timeout=2 tcp_user_timeout=3000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3"

void stack_app_conninfo(const struct topology *t, enum service via, struct strbuf *out) {
    strbuf_add(out, "host=");
    conf_addresses(t, via, "", 0, ",", out);
    strbuf_addf(out, " port=%d dbname=%s user=%s password=%s application_name=bascule-app ",
                via == SERVICE_HAPROXY ? STACK_HAPROXY_RW : STACK_PGPORT, STACK_DATABASE, STACK_APP_USER,
                stack_password("app"));
    if (via == SERVICE_POSTGRES)
        strbuf_add(out, "target_session_attrs=read-write ");
    strbuf_add(out, CLIENT_TIMEOUTS);
}

void conf_pgpass(struct strbuf *out) {
    strbuf_addf(out, "# host:port:database:user:password - the lab's fixed passwords, so that psql does not ask\n");
    strbuf_addf(out, "*:*:*:postgres:%s\n", stack_password("superuser"));
    strbuf_addf(out, "*:*:*:replicator:%s\n", stack_password("replication"));
    strbuf_addf(out, "*:*:*:rewind:%s\n", stack_password("rewind"));
    strbuf_addf(out, "*:*:*:%s:%s\n", STACK_APP_USER, stack_password("app"));
}

static void service_entry(const char *name, const char *hosts, int port, const char *more, struct strbuf *out) {
    strbuf_addf(out, "\n[%s]\nhost=%s\nport=%d\ndbname=%s\nuser=%s\nconnect_timeout=2\n%s", name, hosts, port,
                STACK_DATABASE, STACK_APP_USER, more);
}

void conf_pg_service(const struct conf *c, struct strbuf *out) {
    cleanup_strbuf struct strbuf hosts = {0};
    conf_addresses(c->topology, SERVICE_POSTGRES, "", 0, ",", &hosts);
    strbuf_add(out, "# The application's ways to the database: psql service=app\n");
    service_entry("app", strbuf_str(&hosts), STACK_PGPORT, "target_session_attrs=read-write\n", out);
    service_entry("any", strbuf_str(&hosts), STACK_PGPORT, "", out);
    if (topology_count(c->topology, SERVICE_HAPROXY) == 0)
        return;
    strbuf_clear(&hosts);
    conf_addresses(c->topology, SERVICE_HAPROXY, "", 0, ",", &hosts);
    service_entry("app-proxy", strbuf_str(&hosts), STACK_HAPROXY_RW, "", out);
    service_entry("read-proxy", strbuf_str(&hosts), STACK_HAPROXY_RO, "", out);
}

void conf_profile(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    strbuf_add(out, "# What makes the tools of this lab work without options.\n");
    strbuf_addf(out, "export PATH=%s:$PATH\n", conf_paths(c, n)->pg_bin);
    strbuf_add(out, "set -a\n. /etc/environment\nset +a\n");
}

void conf_environment(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    c->ops->environment(c, n, out);
    if (n->services & SERVICE_POSTGRES)
        strbuf_addf(out, "PGHOST=%s\nPGPORT=%d\nPGDATABASE=postgres\nPGDATA=%s\n", STACK_PGSOCKET, STACK_PGPORT,
                    STACK_PGDATA);
    else
        strbuf_add(out, "# psql service=app reaches the leader, whichever node that is (~/.pg_service.conf)\n"
                        "PGSERVICE=app\n");
}
