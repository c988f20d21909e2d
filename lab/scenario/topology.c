// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/topology.h"

const struct node_def *topology_node(const struct topology *t, const char *name) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (str_eq(t->nodes.items[i].name, name))
            return &t->nodes.items[i];
    return NULL;
}

const char *topology_image(const struct topology *t, const struct node_def *n) {
    const char *image = *n->image ? n->image : t->image;
    return *image ? image : "host";
}

size_t topology_count(const struct topology *t, unsigned services) {
    size_t n = 0;
    for (size_t i = 0; i < t->nodes.n; i++)
        n += (t->nodes.items[i].services & services) == services;
    return n;
}

static void settings_free(struct setting *items, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(items[i].key);
        free(items[i].value);
    }
    free(items);
}

void topology_free(struct topology *t) {
    if (!t)
        return;
    free(t->name);
    free(t->title);
    free(t->stack);
    VEC_DONE(&t->nodes);
    settings_free(t->postgresql.items, t->postgresql.n);
    settings_free(t->etcd.items, t->etcd.n);
    settings_free(t->haproxy.items, t->haproxy.n);
    free(t);
}

// ---- fingerprint ----------------------------------------------------------------------------------------------------

static int setting_compare(const void *a, const void *b) {
    return strcmp((*(const struct setting *const *)a)->key, (*(const struct setting *const *)b)->key);
}

const char *watchdog_mode_name(enum watchdog_mode mode) {
    static const char *const names[] = {"unset", "off", "automatic", "required"};
    return names[mode];
}

// Sorted, so that the order in the file does not matter; lengths keep values with newlines apart.
static void fingerprint_settings(const char *section, const setting_list *list, struct strbuf *out) {
    cleanup_free const struct setting **sorted = xcalloc(list->n, sizeof *sorted);
    for (size_t i = 0; i < list->n; i++)
        sorted[i] = &list->items[i];
    qsort(sorted, list->n, sizeof *sorted, setting_compare);
    for (size_t i = 0; i < list->n; i++)
        strbuf_addf(out, "%s.%s %zu:%s\n", section, sorted[i]->key, strlen(sorted[i]->value), sorted[i]->value);
}

static void fingerprint_node(const struct node_def *n, struct strbuf *out) {
    strbuf_addf(out, "node %s %s services=%u tags=%d%d%d%d image=%s\n", n->name, n->address, n->services, n->nofailover,
                n->nosync, n->noloadbalance, n->clonefrom, n->image);
}

static void fingerprint_patroni(const struct patroni_settings *p, struct strbuf *out) {
    strbuf_addf(out,
                "patroni ttl=%" PRIu64 " loop_wait=%" PRIu64 " retry_timeout=%" PRIu64 " max_lag=%" PRId64
                " start=%" PRIu64,
                p->ttl, p->loop_wait, p->retry_timeout, p->maximum_lag_on_failover, p->primary_start_timeout);
    strbuf_addf(out, " sync=%d strict=%d count=%d failsafe=%d check_timeline=%d rewind=%d slots=%d\n",
                p->synchronous_mode, p->synchronous_mode_strict, p->synchronous_node_count, p->failsafe_mode,
                p->check_timeline, p->use_pg_rewind, p->use_slots);
}

// Name, title, storage, clock and watchdogs are left out: they change nothing of what is inside a data directory.
void topology_fingerprint(const struct topology *t, struct strbuf *out) {
    strbuf_addf(out, "stack %s\n", t->stack);
    for (size_t i = 0; i < t->nodes.n; i++)
        fingerprint_node(&t->nodes.items[i], out);
    fingerprint_patroni(&t->patroni, out);
    strbuf_addf(out, "etcd heartbeat=%" PRIu64 " election=%" PRIu64 "\n", t->etcd_heartbeat, t->etcd_election);
    fingerprint_settings("postgresql", &t->postgresql, out);
    fingerprint_settings("etcd", &t->etcd, out);
    fingerprint_settings("haproxy", &t->haproxy, out);
}
