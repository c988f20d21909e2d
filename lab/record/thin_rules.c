// SPDX-License-Identifier: PostgreSQL
#include "lab/record/thin_rules.h"

#include <ctype.h>

#include "lab/record/event_fields.h"

// Ticks and keys are compared by hand, below. `gap` is what a kind's own beat (docs/events.md) may be late by, and less than what its reader
// takes for a hole.
static const struct thin_rule rules[] = {
    {.kind = EVENT_CLIENT_TICK, .key = "", .moving = ""},
    {.kind = EVENT_SQL, .key = "node", .moving = "lsn replayed lsn_asked latency_us asked previous", .gap = 3 * SEC},
    {.kind = EVENT_MANAGER, .key = "node", .moving = "lsn replayed dcs_last_seen latency_us", .gap = 5 * SEC},
    {.kind = EVENT_REPLICATION, .key = "node standby", .moving = "sent flushed replayed lag_bytes", .gap = 10 * SEC},
    {.kind = EVENT_SLOT, .key = "node slot", .moving = "restart retained_bytes", .gap = 10 * SEC},
    {.kind = EVENT_ARBITER, .key = "node", .moving = "db_bytes raft_index", .gap = 10 * SEC},
    {.kind = EVENT_AUTHORITY, .key = "voice", .moving = "revision"},
    {.kind = EVENT_ENTRY, .key = "store key", .moving = "value revision"},
    {.kind = EVENT_LINK, .key = "from to path", .moving = "rtt_us", .gap = 20 * SEC},
    {.kind = EVENT_NOISE, .key = "", .moving = "late_max_us late_p99_us steal_ms cpu_some load1", .gap = 2 * SEC},
    {.kind = EVENT_LOG_LINE, .key = "node service", .moving = "read", .free = true},
};

const struct thin_rule *thin_rule_of(enum event_kind kind) {
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (rules[i].kind == kind)
            return &rules[i];
    return NULL;
}

static bool names(const char *list, const struct event_field *f) {
    for (const char *p = list; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        if (n == f->name_len && memcmp(p, f->name, n) == 0)
            return true;
        p += n;
    }
    return false;
}

static bool equal(const struct event_field *f, const struct event *a, const struct event *b) {
    const void *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
    switch (f->type) {
    case EVENT_FIELD_N:
    case EVENT_FIELD_S:
        return str_eq(x, y);
    case EVENT_FIELD_B:
        return *(const bool *)x == *(const bool *)y;
    case EVENT_FIELD_D:
        return memcmp(x, y, sizeof(double)) == 0;
    case EVENT_FIELD_E:
        return *(const unsigned *)x == *(const unsigned *)y;
    case EVENT_FIELD_I:
    case EVENT_FIELD_C:
    case EVENT_FIELD_R:
    case EVENT_FIELD_U:
    case EVENT_FIELD_W:
    case EVENT_FIELD_L:
        return memcmp(x, y, sizeof(uint64_t)) == 0;
    }
    return false;
}

bool thin_same_key(const struct thin_rule *rule, const struct event *a, const struct event *b) {
    size_t n;
    const struct event_field *fields = event_fields(rule->kind, &n);
    for (size_t i = 0; i < n; i++)
        if (names(rule->key, &fields[i]) && !equal(&fields[i], a, b))
            return false;
    return true;
}

// Did the operations of both end the same way?
static bool same_outcomes(const struct event *a, const struct event *b) {
    __auto_type x = &a->u.CLIENT_TICK;
    __auto_type y = &b->u.CLIENT_TICK;
    return !x->w_ok == !y->w_ok && !x->w_failed == !y->w_failed && !x->w_unknown == !y->w_unknown &&
           !x->r_ok == !y->r_ok && !x->r_failed == !y->r_failed;
}

// What a member and the leader write of themselves each loop_wait: the same words, other positions. Numbers alone may differ: a new
// timeline comes with a new leader, which is news by itself.
static bool same_words(const char *a, const char *b) {
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static bool same_value(const struct event *a, const struct event *b) {
    const char *key = a->u.ENTRY.key;
    if (str_eq(key, "status") || str_starts(key, "members/"))
        return same_words(a->u.ENTRY.value, b->u.ENTRY.value);
    return str_eq(a->u.ENTRY.value, b->u.ENTRY.value);
}

bool thin_same(const struct thin_rule *rule, const struct event *a, const struct event *b) {
    size_t n;
    if (rule->kind == EVENT_CLIENT_TICK)
        return same_outcomes(a, b);
    if (rule->kind == EVENT_ENTRY && !same_value(a, b))
        return false;
    const struct event_field *fields = event_fields(rule->kind, &n);
    for (size_t i = 0; i < n; i++)
        if (!names(rule->moving, &fields[i]) && !equal(&fields[i], a, b))
            return false;
    return true;
}

// A grant is told again and again while its renewal is narrowed down; its loss is not. Progress is text for people.
bool thin_is_routine(const struct event *ev) {
    return (ev->kind == EVENT_GRANT && !ev->u.GRANT.gone) || ev->kind == EVENT_PROGRESS;
}
