// SPDX-License-Identifier: PostgreSQL
#include "lab/model/quorum.h"

size_t quorum_members(const struct model *m, bool answering) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_nodes; i++)
        n += (m->nodes[i].services & SERVICES_ARBITER) && (!answering || m->nodes[i].arbiter_answered);
    return n;
}

static enum quorum_state next_state(const struct quorum_watch *w, const struct model *m, usec_t t) {
    if (model_quorum(m))
        return QUORUM_LED;
    if (w->state == QUORUM_UNKNOWN || w->state == QUORUM_LOST) // members that come back serve nobody yet
        return w->state;
    if (quorum_members(m, true) <= quorum_members(m, false) / 2)
        return QUORUM_LOST;
    return w->state == QUORUM_ELECTS && t > w->since + QUORUM_ELECTION ? QUORUM_LOST : QUORUM_ELECTS;
}

bool quorum_note(struct quorum_watch *w, const struct model *m, usec_t t) {
    enum quorum_state now = next_state(w, m, t);
    if (now == w->state)
        return false;
    if (now == QUORUM_LED || w->state == QUORUM_LED)
        w->since = t;
    w->state = now;
    return true;
}
