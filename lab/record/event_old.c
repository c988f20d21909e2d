// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event_old.h"

// Patroni was the only manager.
static void of_patroni(struct event *ev) {
    STR_COPY(ev->u.MANAGER.service, "patroni");
}

static const struct old_kind kinds[] = {
    {"member", EVENT_MANAGER, of_patroni},
};

const struct old_kind *event_old_kind(const char *name, size_t n) {
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0)
            return &kinds[i];
    return NULL;
}
