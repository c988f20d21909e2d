// SPDX-License-Identifier: PostgreSQL
#include "lab/reach/pairs.h"

void pair_text(const struct topology *t, const struct pair_set *s, struct strbuf *out) {
    enum { SHOWN = 8 };
    size_t n = 0;
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++) {
            bool both = pair_has(s, i, j) && pair_has(s, j, i);
            if (!pair_has(s, i, j) || (both && j < i))
                continue;
            if (n++ < SHOWN)
                strbuf_addf(out, "%s%s%s%s", n > 1 ? ", " : "", t->nodes.items[i].name, both ? "<->" : "->",
                            t->nodes.items[j].name);
        }
    if (n > SHOWN)
        strbuf_addf(out, " and %zu more", n - SHOWN);
}
