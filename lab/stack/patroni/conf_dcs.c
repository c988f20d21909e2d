// SPDX-License-Identifier: PostgreSQL
// The dynamic configuration as JSON: what `bootstrap.dcs` of config.yml says, in the form in which it lies in etcd. Patroni writes
// it at bootstrap; a Patroni that takes over a running server does so only in its second loop, loop_wait later, and until then
// synchronous_mode is not in force. So the start writes it, as `patronictl edit-config` would.
#include "lab/base/json.h"
#include "lab/stack/patroni/patroni.h"

static const char *yes_no(bool b) {
    return b ? "true" : "false";
}

static void add_value(struct strbuf *out, const char *value) {
    if (*value && value[strspn(value, "0123456789")] == '\0')
        strbuf_add(out, value);
    else
        json_quote(out, value);
}

static void add_postgresql(const struct conf *c, struct strbuf *out) {
    const struct patroni_settings *p = &c->topology->patroni;
    strbuf_addf(out, ",\"postgresql\":{\"use_pg_rewind\":%s,\"use_slots\":%s", yes_no(p->use_pg_rewind),
                yes_no(p->use_slots));
    const char *comma = "";
    if (c->topology->postgresql.n)
        strbuf_add(out, ",\"parameters\":{");
    VEC_FOREACH (&c->topology->postgresql, s) {
        strbuf_add(out, comma);
        json_quote(out, s->key);
        strbuf_add(out, ":");
        add_value(out, s->value);
        comma = ",";
    }
    strbuf_add(out, c->topology->postgresql.n ? "}}" : "}");
}

void conf_dcs_json(const struct conf *c, struct strbuf *out) {
    const struct patroni_settings *p = &c->topology->patroni;
    strbuf_addf(out,
                "{\"ttl\":%" PRIu64 ",\"loop_wait\":%" PRIu64 ",\"retry_timeout\":%" PRIu64
                ",\"maximum_lag_on_failover\":%" PRId64 ",\"primary_start_timeout\":%" PRIu64,
                p->ttl / SEC, p->loop_wait / SEC, p->retry_timeout / SEC, p->maximum_lag_on_failover,
                p->primary_start_timeout / SEC);
    if (p->synchronous_mode)
        strbuf_addf(out, ",\"synchronous_mode\":true,\"synchronous_node_count\":%d",
                    p->synchronous_node_count > 0 ? p->synchronous_node_count : 1);
    if (p->synchronous_mode && p->synchronous_mode_strict)
        strbuf_add(out, ",\"synchronous_mode_strict\":true");
    if (p->failsafe_mode)
        strbuf_add(out, ",\"failsafe_mode\":true");
    if (p->check_timeline)
        strbuf_add(out, ",\"check_timeline\":true");
    add_postgresql(c, out);
    strbuf_add(out, "}");
}

void conf_etcd_endpoints(const struct conf *c, struct strbuf *out) {
    const char *comma = "";
    VEC_FOREACH (&c->topology->nodes, n)
        if (n->services & SERVICE_ETCD) {
            strbuf_addf(out, "%shttp://%s:2379", comma, n->address);
            comma = ",";
        }
}
