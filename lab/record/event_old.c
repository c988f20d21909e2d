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
    {"member", EVENT_MANAGER, {{NULL, NULL}}, of_patroni},
    {"dcs.member", EVENT_ARBITER, {{"leader", "leads"}, {"leader_id", "follows"}}, of_etcd},
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

const char *event_old_field(const struct old_kind *old, const char *name, size_t n) {
    for (const struct old_field *f = old->fields; f->then; f++)
        if (is(f->then, name, n))
            return f->now;
    return NULL;
}
