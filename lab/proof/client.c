// SPDX-License-Identifier: PostgreSQL
// The application's two accounts of the same operations, one by ticks in the log and one in the ledger; and what was read of its table at
// the end. Both are written by one hand from one count (lab/workload/report.c), so they agree to the last operation.
#include "lab/base/count.h"
#include "lab/proof/internal.h"
#include "lab/record/thin.h"

static const usec_t MERGED_MAX =
    THIN_TICKS_LATER + SEC; // no record of the ledger is longer; a second for the last of its operations

static void on_tick(struct proof *p, const struct event *ev) {
    __auto_type k = &ev->u.CLIENT_TICK;
    VEC_PUSH(&p->ticks, ((struct proof_tick){k->from, ev->t, k->w_first_ok, k->w_last_ok, k->w_ok, ev->repeats > 0}));
    p->said.w_ok = count_add(p->said.w_ok, k->w_ok);
    p->said.w_failed = count_add(p->said.w_failed, k->w_failed);
    p->said.w_unknown = count_add(p->said.w_unknown, k->w_unknown);
    p->said.r_ok = count_add(p->said.r_ok, k->r_ok);
    p->said.r_failed = count_add(p->said.r_failed, k->r_failed);
}

static void on_rows(struct proof *p, const struct event *ev) {
    struct proof_node *n = proof_node(p, ev->u.FINAL_ROWS.node);
    if (!n)
        return;
    n->bad_rows = idset_add_ranges(&n->rows, ev->u.FINAL_ROWS.ranges) < 0 || n->bad_rows ||
                  ev->u.FINAL_ROWS.chunk != n->chunks_seen;
    n->chunks_seen++;
}

static void on_read(struct proof *p, const struct event *ev) {
    struct proof_node *n = proof_node(p, ev->u.FINAL_READ.node);
    if (!n)
        return;
    n->read = true;
    n->read_ok = ev->u.FINAL_READ.ok;
    n->chunks_said = ev->u.FINAL_READ.chunks;
    n->rows_said = ev->u.FINAL_READ.rows;
    n->duplicates = ev->u.FINAL_READ.duplicates;
}

void proof_take_client(struct proof *p, const struct event *ev) {
    if (ev->kind == EVENT_CLIENT_TICK)
        on_tick(p, ev);
    else if (ev->kind == EVENT_CLIENT_ERROR)
        p->cut = p->cut || ev->u.CLIENT_ERROR.phase == CLIENT_PHASE_PROCESS;
    else if (ev->kind == EVENT_FINAL_ROWS)
        on_rows(p, ev);
    else if (ev->kind == EVENT_FINAL_READ)
        on_read(p, ev);
}

void proof_ledger(struct proof *p, const struct ledger_record *r) {
    if (r->op == LEDGER_BROKEN) {
        p->broken++;
    } else if (r->op == LEDGER_READ) {
        int64_t *n = r->result == LEDGER_OK ? &p->kept.r_ok : &p->kept.r_failed;
        *n = count_add(*n, (int64_t)r->more + 1);
    } else {
        int64_t *n = r->result == LEDGER_OK       ? &p->kept.w_ok
                     : r->result == LEDGER_FAILED ? &p->kept.w_failed
                                                  : &p->kept.w_unknown;
        *n = count_add(*n, (int64_t)r->more + 1);
        if (r->result == LEDGER_OK && r->more)
            VEC_PUSH(&p->merged, ((struct proof_stretch){r->invoked, r->returned}));
        else if (r->result == LEDGER_OK)
            VEC_PUSH(&p->acks, r->returned);
    }
}

// ---- rules -----------------------------------------------------------------------------------------------------------

static void compare(struct proof *p, int64_t said, int64_t kept, const char *what) {
    if (said != kept)
        proof_lack(p, "by the log %" PRId64 " %s, by the ledger %" PRId64, said, what, kept);
}

static int by_time(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int by_end(const void *a, const void *b) {
    const struct proof_stretch *x = a, *y = b;
    return x->to < y->to ? -1 : x->to > y->to;
}

// Acknowledgements at or before t.
static size_t acks_until(const struct proof *p, uint64_t t) {
    size_t from = 0, to = p->acks.n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (p->acks.items[middle] <= t)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

// Where the ledger is merged nobody can tell how many of a record's writes lie in one tick: there only the sums are compared.
static bool in_merged(const struct proof *p, const struct proof_tick *k) {
    size_t from = 0, to = p->merged.n; // sorted by `to`, none of them long
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (p->merged.items[middle].to < k->first_ok)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < p->merged.n && p->merged.items[from].to <= k->last_ok + MERGED_MAX; from++)
        if (p->merged.items[from].from <= k->last_ok)
            return true;
    return false;
}

static bool tick_agrees(const struct proof *p, const struct proof_tick *k) {
    if (!k->w_ok)
        return true;
    if (!k->first_ok || k->last_ok < k->first_ok)
        return false;
    if (in_merged(p, k))
        return true;
    return (int64_t)(acks_until(p, k->last_ok) - acks_until(p, k->first_ok - 1)) == k->w_ok;
}

static void judge_ticks(struct proof *p) {
    int64_t differ = 0, shifted = 0;
    VEC_SORT(&p->acks, by_time);
    VEC_SORT(&p->merged, by_end);
    VEC_FOREACH (&p->ticks, k) {
        differ += !tick_agrees(p, k);
        shifted += !k->merged && k + 1 < p->ticks.items + p->ticks.n &&
                   k->t != k->from + EVENT_BUCKET; // the last one may be shorter
    }
    if (differ)
        proof_lack(p, "%" PRId64 " of %zu client.tick disagree with the ledger about when writes were acknowledged",
                   differ, p->ticks.n);
    if (shifted)
        proof_lack(p, "%" PRId64 " of %zu client.tick are not of 100 ms", shifted, p->ticks.n);
}

static void judge_ledger(struct proof *p) {
    if (p->broken)
        proof_lack(p, "%" PRId64 " records of ledger.bin can't be read", p->broken);
    if (p->cut) // what it did last is in no account, and the measures know it
        return;
    compare(p, p->said.w_ok, p->kept.w_ok, "writes were acknowledged");
    compare(p, p->said.w_failed, p->kept.w_failed, "writes failed");
    compare(p, p->said.w_unknown, p->kept.w_unknown, "writes had an unknown outcome");
    compare(p, p->said.r_ok, p->kept.r_ok, "reads were answered");
    compare(p, p->said.r_failed, p->kept.r_failed, "reads failed");
    judge_ticks(p);
}

static void judge_read(struct proof *p, const struct proof_node *n) {
    int64_t rows = idset_count(&n->rows);
    if (!n->read)
        proof_lack(p, "the log does not say what the table of %s held at the end (final.read)", n->name);
    else if (n->chunks_seen != n->chunks_said || (n->read_ok && n->bad_rows))
        proof_lack(p, "parts of what was read of the table of %s are missing (final.rows)", n->name);
    else if (n->read_ok && rows != n->rows_said && rows + n->duplicates != n->rows_said)
        proof_lack(p, "%" PRId64 " rows were read of the table of %s, the log names %" PRId64, n->rows_said, n->name,
                   rows);
}

void proof_judge_client(struct proof *p, bool has_ledger) {
    if (has_ledger)
        judge_ledger(p);
    else if (p->ticks.n)
        proof_lack(p, "ledger.bin is missing");
    if (proof_scenario(p) && !p->ticks.n && !p->idle)
        proof_lack(p, "the log has no word of the application (client.tick)");
    if (p->kept.w_ok && !p->kinds[EVENT_CLIENT_SERVER])
        proof_lack(p, "writes were acknowledged, and the log does not say by which server (client.server)");
    if (!p->collecting)
        return;
    for (size_t i = 0; i < p->n_nodes; i++)
        if (p->nodes[i].services & SERVICE_POSTGRES)
            judge_read(p, &p->nodes[i]);
}
