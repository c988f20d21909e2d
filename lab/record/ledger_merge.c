// SPDX-License-Identifier: PostgreSQL
#include <string.h>

#include "lab/base/vec.h"
#include "lab/record/ledger.h"

static int class_of(const struct ledger_record *x, const struct ledger_record *y) {
    const int differences[] = {x->op - y->op,       x->result - y->result, x->node - y->node,
                               x->phase - y->phase, x->flags - y->flags,   strcmp(x->sqlstate, y->sqlstate)};
    for (size_t i = 0; i < ARRAY_SIZE(differences); i++)
        if (differences[i])
            return differences[i];
    return 0;
}

static int by_class(const void *a, const void *b) {
    const struct ledger_record *x = a, *y = b;
    int c = class_of(x, y);
    if (c)
        return c;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->returned < y->returned ? -1 : x->returned > y->returned;
}

// Ids come back in any order: one that waits in a row of later ones comes back long after them, and a pause may lie between.
static bool near(const struct ledger_record *into, const struct ledger_record *r, usec_t pause) {
    usec_t first = into->more ? into->invoked : into->returned;
    return r->returned <= into->returned + pause && r->returned + pause >= first;
}

static bool joins(const struct ledger_record *into, const struct ledger_record *r, usec_t pause) {
    bool next = r->op == LEDGER_READ || (r->id == into->id + into->more + 1 && near(into, r, pause));
    return next && class_of(into, r) == 0 && into->more < LEDGER_MORE_MAX;
}

static void join(struct ledger_record *into, const struct ledger_record *r) {
    if (into->more++ == 0)
        into->invoked = into->returned;
    into->invoked = r->returned < into->invoked ? r->returned : into->invoked;
    into->scheduled = r->scheduled < into->scheduled ? r->scheduled : into->scheduled;
    into->returned = r->returned > into->returned ? r->returned : into->returned;
}

size_t ledger_merge(struct ledger_record *records, size_t n, usec_t pause) {
    size_t kept = 0;
    if (n > 1)
        qsort(records, n, sizeof *records, by_class);
    for (size_t i = 0; i < n; i++)
        if (kept > 0 && joins(&records[kept - 1], &records[i], pause))
            join(&records[kept - 1], &records[i]);
        else
            records[kept++] = records[i];
    return kept;
}
