// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/steps/selector.h"

// Words that can't name a node, because they mean something in a condition or as a target.
static bool word_is_reserved(const char *word) {
    static const char *const grammar[] = {"cluster", "lag",  "slot",  "key",    "lease", "etcd", "writes",
                                          "reads",   "a",    "no",    "not",    "and",   "is",   "none",
                                          "yes",     "true", "false", "others", "on",    "off"};
    enum selector_kind kind;
    enum condition_role role;
    if (selector_keyword(word, &kind) || condition_role_find(word, &role))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(grammar); i++)
        if (str_eq(grammar[i], word))
            return true;
    return false;
}

bool node_name_fits(const char *name, unsigned services) {
    if (str_eq(name, "app"))
        return services & SERVICE_APP;
    if (str_eq(name, "proxy"))
        return services & SERVICE_HAPROXY;
    return !word_is_reserved(name);
}

bool selector_read(struct reader *r, struct mark at, const char *text, struct selector *ret) {
    cleanup_strbuf struct strbuf why = {0};
    bool ok = selector_find(text, r->t, ret, &why);
    if (!ok)
        complain(r, at, "%s", strbuf_str(&why));
    return ok;
}
