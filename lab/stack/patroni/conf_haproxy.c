// SPDX-License-Identifier: PostgreSQL
// haproxy.cfg: the template of Patroni's documentation (docs/haproxy.cfg in its source), with its checks explained.
#include "lab/node/places.h"
#include "lab/stack/patroni/patroni.h"

static const char *tuned(const struct topology *t, const char *key, const char *fallback) {
    VEC_FOREACH (&t->haproxy, s) {
        if (str_eq(s->key, key))
            return s->value;
    }
    return fallback;
}

static bool is_check_setting(const char *key) {
    static const char *const known[] = {"inter", "fastinter", "downinter", "rise", "fall"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (str_eq(known[i], key))
            return true;
    return false;
}

// "default-server inter 3s fall 3 rise 2 ...": how often HAProxy asks, and how many answers it takes to change its
// mind.
static void default_server(const struct topology *t, struct strbuf *out) {
    strbuf_addf(out, "    default-server inter %s", tuned(t, "inter", "3s"));
    static const char *const optional[] = {"fastinter", "downinter"};
    for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
        if (tuned(t, optional[i], NULL))
            strbuf_addf(out, " %s %s", optional[i], tuned(t, optional[i], NULL));
    strbuf_addf(out, " fall %s rise %s on-marked-down shutdown-sessions\n", tuned(t, "fall", "3"),
                tuned(t, "rise", "2"));
}

static void listen(const struct topology *t, const char *name, int port, const char *path, struct strbuf *out) {
    strbuf_addf(out,
                "listen %s\n"
                "    bind *:%d\n"
                "    option httpchk OPTIONS %s\n"
                "    http-check expect status 200\n",
                name, port, path);
    default_server(t, out);
    VEC_FOREACH (&t->nodes, n) {
        if (n->services & SERVICE_POSTGRES)
            strbuf_addf(out, "    server %s %s:%d maxconn 100 check port %d\n", n->name, n->address, STACK_PGPORT,
                        STACK_PATRONI_PORT);
    }
    strbuf_add(out, "\n");
}

// defaults' own settings (timeouts, retries) may be tuned from the topology too.
static void defaults(const struct topology *t, struct strbuf *out) {
    strbuf_addf(out,
                "defaults\n"
                "    log global\n"
                "    mode tcp\n"
                "    option tcplog\n"
                "    retries %s\n"
                "    timeout client %s\n"
                "    timeout connect %s\n"
                "    timeout server %s\n"
                "    timeout check %s\n\n",
                tuned(t, "retries", "2"), tuned(t, "timeout client", "30m"), tuned(t, "timeout connect", "4s"),
                tuned(t, "timeout server", "30m"), tuned(t, "timeout check", "5s"));
}

void conf_haproxy(const struct conf *c, const struct node_def *n, struct strbuf *out) {
    const struct topology *t = c->topology;
    strbuf_addf(
        out,
        "# HAProxy on %s: one port for writes, one for reads. It does not know PostgreSQL: it asks Patroni's REST API\n"
        "# on port %d of every node who the leader is, and sends connections to the nodes that answered 200.\n"
        "global\n"
        "    maxconn 500\n"
        "    log stdout format raw local0 notice\n"
        "    stats socket %s mode 600 level admin\n\n",
        n->name, STACK_PATRONI_PORT, STACK_HAPROXY_STATS);
    defaults(t, out);
    strbuf_add(
        out,
        "# OPTIONS /primary: 200 on the holder of the leader lock, 503 elsewhere. Sessions to a node that is marked\n"
        "# down are cut (on-marked-down), or clients would go on talking to an old leader.\n");
    listen(t, "primary", STACK_HAPROXY_RW, "/primary", out);
    strbuf_add(out, "# OPTIONS /replica: 200 on running standbys without the tag noloadbalance.\n");
    listen(t, "replicas", STACK_HAPROXY_RO, "/replica", out);
    VEC_FOREACH (&t->haproxy, s) {
        if (!is_check_setting(s->key) && !str_starts(s->key, "timeout ") && !str_eq(s->key, "retries"))
            strbuf_addf(out, "# not used: %s %s\n", s->key, s->value);
    }
}
