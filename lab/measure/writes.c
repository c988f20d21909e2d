// SPDX-License-Identifier: PostgreSQL
// What became of every write: the ledger's word against the rows that the final leader holds.
//
//   lost        acknowledged, absent           unexpected  failed for certain or never tried, yet present
//   local only  acknowledged with the warning that no synchronous standby confirmed: unknown by its nature, counted apart
//   recovered   unknown and present (legal)    duplicated  an id more than once in the table
//   foreign     a streaming standby holds rows that its leader lacks: it follows another history (timeline numbers and
//               history files can be identical then; contents can't)
//   unreported  present, and not in the ledger of an application that was ended before it had reported everything: what it
//               did last is not known. What is found is found, but "none lost" can't be said
//
// Without the leader's complete final read, or with a ledger that misses acknowledged writes, nothing is called lost or
// not lost.
#include <stdio.h>

#include "lab/base/count.h"
#include "lab/measure/fold.h"

// One id has one fate. Should a ledger name it twice, the stronger word stands: acknowledged, then unknown, then
// failed.
static void note_fate(struct measure *m, const struct ledger_record *r, uint64_t id) {
    bool durable = r->result == LEDGER_OK && !(r->flags & LEDGER_FLAG_LOCAL_ONLY);
    if (durable) {
        (void)idset_add(&m->ok, id);
        idset_remove(&m->unknown, id);
        idset_remove(&m->local_only, id);
        idset_remove(&m->failed, id);
    } else if (r->result == LEDGER_FAILED) {
        if (!idset_has(&m->ok, id) && !idset_has(&m->unknown, id))
            (void)idset_add(&m->failed, id);
    } else if (!idset_has(&m->ok, id)) {
        (void)idset_add(&m->unknown, id);
        idset_remove(&m->failed, id);
        if (r->result == LEDGER_OK)
            (void)idset_add(&m->local_only, id);
    }
}

void measure_ledger(struct measure *m, const struct ledger_record *r) {
    m->ledger_broken += r->op == LEDGER_BROKEN;
    if (r->op != LEDGER_WRITE || r->id == 0 || r->id + r->more > IDSET_MAX || m->finished)
        return;
    if (m->ledger_records++ == 0)
        m->first_try = m->last_try = r->scheduled;
    m->first_try = r->scheduled < m->first_try ? r->scheduled : m->first_try;
    m->last_try = r->scheduled > m->last_try ? r->scheduled : m->last_try;
    for (uint64_t id = r->id; id <= r->id + r->more; id++)
        note_fate(m, r, id);
    if (r->result != LEDGER_OK)
        return;
    struct ack *a = VEC_ADD(&m->acks);
    a->id = r->id, a->last = r->id + r->more;
    m->acked = count_add(m->acked, (int64_t)r->more + 1);
    a->invoked = r->invoked && !r->more ? r->invoked : r->scheduled;
    a->first = r->more ? r->invoked : r->returned;
    a->returned = r->returned;
    a->node = fold_ledger_node(m, r->node);
    a->durable = !(r->flags & LEDGER_FLAG_LOCAL_ONLY);
}

static void count_ticks(const struct measure *m, struct write_counts *w) {
    VEC_FOREACH (&m->ticks, k) {
        w->attempted = count_add(w->attempted, k->w_tried);
        w->acknowledged = count_add(w->acknowledged, k->w_ok);
        w->failed = count_add(w->failed, k->w_failed);
        w->unknown = count_add(w->unknown, k->w_unknown);
    }
}

const struct node_state *fold_final_leader(const struct measure *m) {
    const struct node_state *best = NULL;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].read && m->nodes[i].read_leader && (!best || str_eq(m->nodes[i].name, m->model->leader)))
            best = &m->nodes[i];
    return best;
}

bool fold_read_whole(const struct node_state *n) {
    return n->read && n->chunks_said == n->chunks_seen;
}

static const char *why_unchecked(const struct measure *m, const struct node_state *leader, int64_t tick_acks) {
    if (m->ledger_broken > 0)
        return "the ledger holds damaged records";
    if (m->ledger_records == 0)
        return "there is no ledger of the writes";
    if (!leader)
        return "the leader's table was not read at the end";
    if (!fold_read_whole(leader))
        return "parts of the final read of the leader's table are missing";
    // Local-only acknowledgements are acknowledgements for the client's ticks, too.
    if (tick_acks > m->acked)
        return "the ledger misses acknowledged writes";
    return NULL;
}

static void find_lost_times(struct measure *m, const struct idset *rows) {
    struct write_counts *w = &m->out.writes;
    VEC_FOREACH (&m->acks, o) {
        if (!o->durable || idset_has_all(rows, o->id, o->last))
            continue;
        w->lost_first =
            w->lost_first == 0 || o->first < w->lost_first ? o->first : w->lost_first; // of many: at the earliest
        w->lost_last = o->returned > w->lost_last ? o->returned : w->lost_last;
    }
}

static void find_foreign(struct measure *m, const struct node_state *leader) {
    struct write_counts *w = &m->out.writes;
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct node_state *n = &m->nodes[i];
        if (n == leader || !fold_read_whole(n) || n->read_leader || !n->in_recovery)
            continue; // a former primary that has not rejoined may hold what it likes
        int64_t foreign = idset_count_minus(&n->rows, &leader->rows);
        if (foreign == 0)
            continue;
        size_t len = strlen(w->foreign_nodes);
        (void)snprintf(w->foreign_nodes + len, sizeof w->foreign_nodes - len, "%s%s", len ? ", " : "", n->name);
        w->foreign = count_add(w->foreign, foreign);
    }
}

static void check_rows(struct measure *m, const struct node_state *leader) {
    struct write_counts *w = &m->out.writes;
    w->checked = true;
    w->lost = idset_count_minus(&m->ok, &leader->rows);
    w->local_only_lost = idset_count_minus(&m->local_only, &leader->rows);
    w->recovered = idset_count_both(&m->unknown, &leader->rows);
    int64_t explained = idset_count_both(&m->ok, &leader->rows) + w->recovered;
    int64_t failed = idset_count_both(&m->failed, &leader->rows), rest = idset_count(&leader->rows) - explained;
    w->unexpected = m->client_cut ? failed : rest; // failed ones and those that nobody ever sent
    w->unreported = rest - w->unexpected;
    if (m->client_cut)
        STR_COPY(w->cut_why, "the application's process ended before it had reported everything");
    w->duplicated = leader->duplicates;
    find_lost_times(m, &leader->rows);
    find_foreign(m, leader);
}

void writes_measure(struct measure *m) {
    struct write_counts *w = &m->out.writes, ticks = {0};
    count_ticks(m, &ticks);
    if (m->ledger_records > 0) {
        w->from_ledger = true;
        w->acknowledged = idset_count(&m->ok);
        w->failed = idset_count(&m->failed);
        w->unknown = idset_count(&m->unknown);
        w->local_only = idset_count(&m->local_only);
        w->attempted = w->acknowledged + w->failed + w->unknown;
    } else {
        *w = ticks;
    }
    const struct node_state *leader = fold_final_leader(m);
    const char *why = why_unchecked(m, leader, ticks.acknowledged);
    if (why)
        STR_COPY(w->unchecked_why, why);
    else
        check_rows(m, leader);
}
