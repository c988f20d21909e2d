// SPDX-License-Identifier: PostgreSQL
// The words of a plan: how a scenario writes its kinds, from the tables of plan.h.
#include "lab/plan/plan.h"

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
