// SPDX-License-Identifier: PostgreSQL
#include "lab/model/blame.h"

bool blame_has_bitten(usec_t asked, usec_t effect, usec_t t) {
    usec_t bite = effect ? effect : asked;
    return bite && (bite <= t || (asked && asked <= t && bite <= usec_add(t, BLAME_SEEN_LATE)));
}

bool blame_covers(usec_t asked, usec_t over, usec_t t) {
    return asked <= t && (over == USEC_NEVER || t <= usec_add(over, BLAME_AFTERMATH));
}

static usec_t bite_of(const struct blame_candidate *c) {
    return c->effect ? c->effect : c->asked;
}

int blame_choose(const struct blame_candidate *c, size_t n, usec_t began, usec_t ended, usec_t resolution) {
    usec_t t = usec_add(began, resolution), late = usec_add(began, BLAME_HICCUP);
    late = late < ended ? late : ended;
    int best = -1, next = -1;
    for (size_t i = 0; i < n; i++) {
        if (c[i].until < t)
            continue;
        if (blame_has_bitten(c[i].asked, c[i].effect, t)) {
            if (best < 0 || bite_of(&c[i]) >= bite_of(&c[best]))
                best = (int)i;
        } else if (bite_of(&c[i]) && bite_of(&c[i]) <= late && (next < 0 || bite_of(&c[i]) < bite_of(&c[next]))) {
            next = (int)i;
        }
    }
    return best >= 0 ? best : next;
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
