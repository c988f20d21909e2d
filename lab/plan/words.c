// SPDX-License-Identifier: PostgreSQL
// The words of a plan: how a scenario writes its kinds, from the tables of plan.h.
#include "lab/plan/plan.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const selector_names[] = {
#define X(kind, name) [SELECTOR_##kind] = name,
    SELECTOR_KINDS(X)
#undef X
};
static const char *const role_names[] = {
#define X(role, text) [CONDITION_ROLE_##role] = text,
    CONDITION_ROLES(X)
#undef X
};

const char *selector_kind_name(enum selector_kind kind) {
    return selector_names[kind];
}

static const struct selector_words selector_people[] = {
    [SELECTOR_NODE] = {"", "the node", "", false},
    [SELECTOR_LEADER] = {"who holds the leader key", "the leader", "the leader", false},
    [SELECTOR_NOT_LEADER] = {"a PostgreSQL node that is not the leader", "a member that does not lead",
                             "a member that does not lead", false},
    [SELECTOR_REPLICA] = {"every replica", "a replica", "every replica", true},
    [SELECTOR_ANY_REPLICA] = {"one replica", "a replica", "a replica", false},
    [SELECTOR_SYNC_STANDBY] = {"the synchronous standby", "a sync standby", "the synchronous standby", true},
    [SELECTOR_ASYNC_STANDBY] = {"a replica that is not synchronous", "an asynchronous standby",
                                "an asynchronous standby", false},
    [SELECTOR_ARBITER_LEADER] = {"the node whose etcd member leads", "an etcd leader", "the leader of etcd", false},
    [SELECTOR_ARBITER_FOLLOWER] = {"an etcd member that does not lead", "an etcd follower", "a follower of etcd",
                                   false},
    [SELECTOR_ARBITER_MAJORITY] = {"the smallest majority of etcd members", "a majority of etcd members",
                                   "a majority of etcd", true},
    [SELECTOR_OLD_LEADER] = {"", "the old leader", "the old leader", false},
    [SELECTOR_APP] = {"the application's node", "the application's node", "the application's node", false},
    [SELECTOR_PROXY] = {"the HAProxy node", "the proxy's node", "the proxy's node", false},
    [SELECTOR_ALL] = {"every node but the application's", "a node of the cluster", "every node", true},
};

const struct selector_words *selector_words(enum selector_kind kind) {
    return &selector_people[kind];
}

const char *condition_role_name(enum condition_role role) {
    return role_names[role];
}

bool selector_keyword(const char *text, enum selector_kind *ret) {
    for (size_t i = SELECTOR_NODE + 1; i < ARRAY_SIZE(selector_names); i++)
        if (str_eq(selector_names[i], text)) {
            *ret = (enum selector_kind)i;
            return true;
        }
    return false;
}

bool condition_role_find(const char *text, enum condition_role *ret) {
    for (size_t i = 0; i < ARRAY_SIZE(role_names); i++)
        if (str_eq(role_names[i], text)) {
            *ret = (enum condition_role)i;
            return true;
        }
    return false;
}

void selector_text(const struct selector *s, char buf[static NODE_NAME_MAX]) {
    (void)str_copy(buf, NODE_NAME_MAX, s->kind == SELECTOR_NODE ? s->node : selector_names[s->kind]);
}

static const char *const condition_texts[] = {
#define X(kind, text) [CONDITION_##kind] = text,
    CONDITION_KINDS(X)
#undef X
};

const char *condition_kind_text(enum condition_kind kind) {
    return condition_texts[kind];
}

bool condition_part_next(const char **form, enum condition_part *ret, char ret_word[static CONDITION_WORD_MAX]) {
    static const char *const parts[] = {
#define X(part, text) [CONDITION_PART_##part] = text,
        CONDITION_PARTS(X)
#undef X
    };
    const char *word = *form + strspn(*form, " ");
    size_t len = strcspn(word, " ");
    *form = word + len;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strlen(parts[i]) == len && strncmp(parts[i], word, len) == 0) {
            *ret = (enum condition_part)i;
            return true;
        }
    *ret = CONDITION_PART_WORD;
    (void)snprintf(ret_word, CONDITION_WORD_MAX, "%.*s", (int)len, word);
    return len > 0;
}

static void part_words(const struct condition_atom *a, enum condition_part part, const char *word, struct strbuf *out) {
    char who[NODE_NAME_MAX];
    switch (part) {
    case CONDITION_PART_WORD:
        strbuf_add(out, word);
        break;
    case CONDITION_PART_WHO:
        selector_text(&a->who, who);
        strbuf_add(out, who);
        break;
    case CONDITION_PART_ROLE:
        strbuf_add(out, condition_role_name(a->role));
        break;
    case CONDITION_PART_NAME:
        strbuf_add(out, a->key);
        break;
    case CONDITION_PART_LIMIT:
        strbuf_add(out, a->above ? "above" : "below");
        break;
    case CONDITION_PART_PRESENCE:
        strbuf_add(out, a->negated ? "gone" : "present");
        break;
    case CONDITION_PART_BYTES:
        strbuf_addf(out, "%" PRId64 " bytes", a->number);
        break;
    case CONDITION_PART_USEC:
        strbuf_addf(out, "%.3g s", (double)a->number / 1e6);
        break;
    }
}

void condition_atom_words(const struct condition_atom *a, struct strbuf *out) {
    const char *form = condition_texts[a->kind];
    char word[CONDITION_WORD_MAX];
    enum condition_part part;
    const char *between = a->negated && !strstr(form, "gone|present") ? "not " : "";
    for (; condition_part_next(&form, &part, word); between = " ") {
        strbuf_add(out, between);
        part_words(a, part, word, out);
    }
}
