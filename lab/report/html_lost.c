// SPDX-License-Identifier: PostgreSQL
// Which writes were lost. The definitions are those of lab/measure/writes.c; measure keeps counts, the page wants ids.
#include "lab/report/html_fold.h"

void html_page_ledger(struct html_page *p, const struct ledger_record *r) {
    if (r->op != LEDGER_WRITE || r->id == 0 || r->id + r->more > IDSET_MAX)
        return;
    bool durable = r->result == LEDGER_OK && !(r->flags & LEDGER_FLAG_LOCAL_ONLY);
    if (!durable) {
        for (uint64_t id = r->id; r->result != LEDGER_FAILED && id <= r->id + r->more; id++)
            (void)idset_add(&p->unknown, id);
        return;
    }
    for (uint64_t id = r->id; id <= r->id + r->more; id++)
        (void)idset_add(&p->ok, id);
    struct html_ack *a = VEC_ADD(&p->acks);
    a->id = r->id, a->last = r->id + r->more;
    a->returned = r->returned;
    const struct model_node *n = model_ledger_node(p->model, r->node);
    a->node = n ? (int)(n - p->model->nodes) : -1;
}

static const struct idset *final_rows(const struct html_page *p) {
    const struct idset *best = NULL;
    for (size_t i = 0; i < p->model->n_nodes; i++)
        if (p->read_leader[i] && (!best || str_eq(p->model->nodes[i].name, p->model->leader)))
            best = &p->found[i];
    return best;
}

static struct html_range *extend(range_list *l, uint64_t id) {
    struct html_range *last = l->n ? &l->items[l->n - 1] : NULL;
    if (last && last->to + 1 == id) {
        last->to = id;
        return last;
    }
    struct html_range *r = VEC_ADD(l);
    r->from = r->to = id;
    r->node = -1;
    return r;
}

static int by_id(const void *a, const void *b) {
    const struct html_ack *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void find_lost(const struct html_page *p, const struct idset *rows, range_list *out) {
    VEC(struct html_ack) gone = {0};
    VEC_FOREACH (&p->acks, a)
        for (uint64_t id = a->id; id <= a->last; id++)
            if (!idset_has(rows, id))
                VEC_PUSH(&gone, ((struct html_ack){.id = id, .last = id, .returned = a->returned, .node = a->node}));
    VEC_SORT(&gone, by_id);
    uint64_t last = 0;
    VEC_FOREACH (&gone, a) {
        if (a->id == last) // a ledger that names an id twice
            continue;
        last = a->id;
        struct html_range *r = extend(out, a->id);
        bool fresh = r->from == a->id;
        r->node = fresh || r->node == a->node ? a->node : -1;
        r->first = fresh || a->returned < r->first ? a->returned : r->first;
        r->last = a->returned > r->last ? a->returned : r->last;
    }
    VEC_DONE(&gone);
}

static void find_unexpected(const struct html_page *p, const struct idset *rows, range_list *out) {
    for (uint64_t id = 1; id < (uint64_t)rows->n_words * 64; id++)
        if (idset_has(rows, id) && !idset_has(&p->ok, id) && !idset_has(&p->unknown, id))
            (void)extend(out, id);
}

void html_lost(const struct html_page *p, range_list *lost, range_list *unexpected) {
    const struct idset *rows = final_rows(p);
    if (!rows)
        return;
    find_lost(p, rows, lost);
    find_unexpected(p, rows, unexpected);
}
