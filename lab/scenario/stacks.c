// SPDX-License-Identifier: PostgreSQL
// `needs: [sync, rejoin]`, and the names of stacks.
#include "lab/scenario/stacks.h"

const struct ha_kind *stack_named(struct reader *r, const char *name, struct mark at) {
    const struct ha_kind *k = ha_kind_known(name);
    if (k)
        return k;
    cleanup_words struct words all = {0};
    for (size_t i = 0; ha_kinds[i]; i++)
        words_add(&all, ha_kinds[i]->name);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    complain(r, at, "unknown stack '%s'%s; there are: %s", SHOWN(name), HINT(name, words_all(&all)), strbuf_str(&list));
    return NULL;
}

static void read_need(struct reader *r, const struct ynode *n, struct plan *plan) {
    const char *text = text_of(r, n, "a word such as sync");
    unsigned bit = text ? ability_find(text) : 0;
    if (!text)
        return;
    if (bit & plan->needs)
        complain(r, n->mark, "'%s' is here twice", SHOWN(text));
    plan->needs |= bit;
    if (bit)
        return;
    cleanup_words struct words all = {0};
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        words_add(&all, ability_word(i));
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    complain(r, n->mark, "no stack is known to have '%s'%s; allowed: %s", SHOWN(text), HINT(text, words_all(&all)),
             strbuf_str(&list));
}

void needs_read(struct reader *r, const struct ynode *n, struct plan *plan) {
    plan->needs_line = n->key_mark.line;
    if (n->kind == YNODE_TEXT)
        read_need(r, n, plan);
    else if (n->kind != YNODE_LIST)
        complain_kind(r, n, "a list of what the stack must have, such as [sync, rejoin]");
    else
        for (size_t i = 0; i < n->items.n; i++)
            read_need(r, n->items.items[i], plan);
}

bool needs_met(const struct plan *plan) {
    return !plan->topology || ha_kind_check_needs(ha_kind_find(plan->topology->stack), plan->needs, NULL) == 0;
}
