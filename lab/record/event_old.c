// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event_old.h"

// Patroni was the only manager.
static void of_patroni(struct event *ev) {
    STR_COPY(ev->u.MANAGER.service, "patroni");
}

// And etcd the only arbiter.
static void of_etcd(struct event *ev) {
    STR_COPY(ev->u.ARBITER.service, "etcd");
}

static const struct old_kind kinds[] = {
    {.name = "member", .kind = EVENT_MANAGER, .complete = of_patroni},
    {.name = "dcs.member",
     .kind = EVENT_ARBITER,
     .fields = {{.then = "leader", .now = "leads"}, {.then = "leader_id", .now = "follows"}},
     .complete = of_etcd},
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
