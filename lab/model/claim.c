// SPDX-License-Identifier: PostgreSQL
// Who leads where no authority says it: the node whose manager alone says that it leads.
//
//   said      a manager's last word stands until it says something else or its machine loses power. That it is silent takes nothing back: a server
//             goes on without its manager.
//   several   say it: those count whose server accepts writes, else those whose server answers. One that is left leads; of more, nobody knows which
//             (leader_disputed).
//   nobody    says it: the last leader is still taken for it, as with a key that has no end, until its own manager takes it back. A machine without
//             power has withdrawn nothing, and nobody in the cluster knows of it yet.
//
// When one began or ceased to lead is known as well as the word that shows it: it lies after the word before. Whoever accepts writes between the two has
// begun by then.
#include "lab/model/fold.h"

void model_note_claim(struct model_node *n, usec_t t, usec_t before) {
    bool claims = n->role == MANAGER_ROLE_LEADER;
    if (claims != n->claims)
        n->claim_error = before && before < t ? t - before : 0;
    n->claims = claims;
}

enum proof { PROOF_WORD, PROOF_ANSWERS, PROOF_WRITES };

static size_t claimants(struct model *m, enum proof proof, struct model_node **ret_one) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_nodes; i++) {
        struct model_node *node = &m->nodes[i];
        if (!node->claims || (proof >= PROOF_ANSWERS && !node->pg_answered) ||
            (proof == PROOF_WRITES && !node->writable))
            continue;
        *ret_one = node;
        n++;
    }
    return n;
}

static bool took_back(const struct model_node *n) {
    return n && n->manager_answered && !n->claims;
}

// Since when, at the earliest, the event's news may be true.
static usec_t since(const struct model_node *n, const struct event *ev) {
    usec_t error = 0;
    if (ev->kind == EVENT_MANAGER && n)
        error = n->claim_error;
    else if (ev->kind == EVENT_SQL && ev->u.SQL.previous && ev->u.SQL.previous < ev->t)
        error = ev->t - ev->u.SQL.previous;
    return usec_sub(ev->t, error);
}

static void set_leader(struct model *m, struct model_node *n, const struct event *ev) {
    if (n == model_leader(m))
        return;
    usec_t from = since(n ? n : model_leader(m), ev), t = ev->t;
    from = from > m->leader_changed ? from : m->leader_changed;
    if (n && n->writable && n->pg_changed > from && n->pg_changed < t)
        t = n->pg_changed;
    m->leader_changed = t;
    m->leader_error = usec_sub(t, from);
    STR_COPY(m->leader, n ? n->name : "");
    if (n)
        model_diverge_leader(m, n, false, t);
    model_derive_replication(m);
}

void model_derive_leader(struct model *m, const struct event *ev) {
    if (m->kind->has & HA_AUTHORITY)
        return;
    struct model_node *one = NULL;
    size_t n = 0;
    m->leader_known |= ev->kind == EVENT_MANAGER && ev->u.MANAGER.answered;
    for (int proof = PROOF_WRITES; proof >= PROOF_WORD && !n; proof--)
        n = claimants(m, (enum proof)proof, &one);
    m->leader_disputed = n > 1;
    if (n == 1)
        set_leader(m, one, ev);
    else if (n > 1 || took_back(model_leader(m)))
        set_leader(m, NULL, ev);
}
