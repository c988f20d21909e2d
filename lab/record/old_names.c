// SPDX-License-Identifier: PostgreSQL
#include "lab/record/old_names.h"

#include <stdio.h>

#include "lab/base/str.h"
#include "lab/base/utf8.h"

struct old_name {
    const char *then, *now;
};

static const struct old_name names[] = {
    // Patroni was the only system that managed a cluster, and its acts had its name.
    {"patroni.switchover", "cluster.switchover"}, {"patroni.failover", "cluster.failover"},
    {"patroni.restart", "cluster.restart"},       {"patroni.reload", "cluster.reload"},
    {"patroni.reinit", "cluster.reinit"},         {"patroni.pause", "cluster.pause"},
    {"patroni.resume", "cluster.resume"},         {"patroni.edit_config", "cluster.edit_config"},
    {"patroni.set_tags", "cluster.set_tags"},
};

static const struct old_name *find(const char *word, size_t n) {
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i].then) == n && memcmp(names[i].then, word, n) == 0)
            return &names[i];
    return NULL;
}

const char *old_name_now(const char *name) {
    const struct old_name *old = find(name, strlen(name));
    return old ? old->now : name;
}

const char *old_name_then(const char *now) {
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_eq(names[i].now, now))
            return names[i].then;
    return NULL;
}

static size_t word_at(const char *text) {
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
}

static void renew(char *text, size_t size, size_t at) {
    size_t n = word_at(text + at);
    const struct old_name *old = find(text + at, n);
    if (!old)
        return;
    cleanup_free char *rest = xstrdup(text + at + n);
    (void)snprintf(text + at, size - at, "%s%s", old->now, rest);
    utf8_repair(text, size);
}

void old_name_renew_first(char *text, size_t size) {
    renew(text, size, 0);
}

void old_name_renew_all(char *text, size_t size) {
    for (size_t at = 0, n; text[at]; at += n ? n : 1) {
        renew(text, size, at);
        n = word_at(text + at);
    }
}
