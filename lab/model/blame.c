// SPDX-License-Identifier: PostgreSQL
#include "lab/model/blame.h"

bool blame_covers(usec_t asked, usec_t over, usec_t t) {
    return asked <= t && (over == USEC_NEVER || t <= usec_add(over, BLAME_AFTERMATH));
}

bool model_explains(const struct model *m, const char *node, usec_t t) {
    if (m->acts_open || (m->acted && blame_covers(0, m->acted, t)))
        return true;
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct model_node *n = &m->nodes[i];
        if ((!*node || str_eq(n->name, node)) && n->watchdog_expired &&
            blame_covers(n->watchdog_expired, n->watchdog_expired, t))
            return true;
    }
    for (size_t i = 0; i < m->n_faults; i++) {
        const struct model_fault *f = &m->faults[i];
        if ((!*node || str_list_has(f->nodes, node)) && blame_covers(f->asked, f->over ? f->over : USEC_NEVER, t))
            return true;
    }
    return false;
}
