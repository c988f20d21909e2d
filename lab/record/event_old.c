// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event_old.h"

#include "lab/base/utf8.h"

// Patroni was the only manager.
static void of_patroni(struct event *ev) {
    STR_COPY(ev->u.MANAGER.service, "patroni");
}

// And etcd the only arbiter.
static void of_etcd(struct event *ev) {
    STR_COPY(ev->u.ARBITER.service, "etcd");
}

static void of_etcds_watch(struct event *ev) {
    STR_COPY(ev->u.STORE_WATCH.store, "etcd");
}

// A key was a key; the one that says who may lead is more than an entry.
static void of_key(struct event *ev) {
    const __typeof__(ev->u.ENTRY) then = ev->u.ENTRY;
    if (!str_eq(then.key, "leader")) {
        STR_COPY(ev->u.ENTRY.store, "etcd");
        return;
    }
    ev->kind = EVENT_AUTHORITY;
    memset(&ev->u, 0, sizeof ev->u);
    STR_COPY(ev->u.AUTHORITY.voice, "etcd");
    STR_COPY(ev->u.AUTHORITY.holder, then.value);
    utf8_repair(ev->u.AUTHORITY.holder, sizeof ev->u.AUTHORITY.holder); // a value may be longer and was cut
    ev->u.AUTHORITY.gone = then.gone;
    STR_COPY(ev->u.AUTHORITY.grant, then.grant);
    ev->u.AUTHORITY.epoch = then.created;
    ev->u.AUTHORITY.revision = then.revision;
    ev->u.AUTHORITY.initial = then.initial;
}

static const struct old_kind kinds[] = {
    {.name = "member", .kind = EVENT_MANAGER, .complete = of_patroni},
    {.name = "node.info",
     .kind = EVENT_NODE_INFO,
     .fields = {{.then = "postgres", .now = "services", .adds = "postgres,patroni"},
                {.then = "etcd", .now = "services", .adds = "etcd"},
                {.then = "haproxy", .now = "services", .adds = "haproxy"},
                {.then = "app", .now = "services", .adds = "app"}}},
    {.name = "dcs.member",
     .kind = EVENT_ARBITER,
     .fields = {{.then = "leader", .now = "leads"}, {.then = "leader_id", .now = "follows"}},
     .complete = of_etcd},
    {.name = "dcs.watch", .kind = EVENT_STORE_WATCH, .complete = of_etcds_watch},
    {.name = "dcs.key", .kind = EVENT_ENTRY, .fields = {{.then = "lease", .now = "grant"}}, .complete = of_key},
    {.name = "dcs.lease",
     .kind = EVENT_GRANT,
     .fields = {{.then = "lease", .now = "id"}, {.then = "ttl_s", .now = "length", .seconds = true}}},
};

static bool is(const char *word, const char *name, size_t n) {
    return strlen(word) == n && memcmp(word, name, n) == 0;
}

const struct old_kind *event_old_kind(const char *name, size_t n) {
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (is(kinds[i].name, name, n))
            return &kinds[i];
    return NULL;
}

const struct old_field *event_old_field(const struct old_kind *old, const char *name, size_t n) {
    for (const struct old_field *f = old->fields; f->then; f++)
        if (is(f->then, name, n))
            return f;
    return NULL;
}
