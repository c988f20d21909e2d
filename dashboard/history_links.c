// SPDX-License-Identifier: PostgreSQL
// Connectivity of every directed pair of nodes, per service path, as it is now.
#include "dashboard/history_fold.h"

void fold_link(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    size_t i = 0;
    while (i < h->links.n &&
           !(str_eq(h->links.items[i].from, ev->u.LINK.from) && str_eq(h->links.items[i].to, ev->u.LINK.to) &&
             h->links.items[i].path == ev->u.LINK.path))
        i++;
    if (i == h->links.n) {
        if (h->links.n == (size_t)NODES_MAX * NODES_MAX * 8) // more paths than there are
            return;
        (void)VEC_ADD(&h->links);
    }
    struct link_entry *l = &h->links.items[i];
    STR_COPY(l->from, ev->u.LINK.from);
    STR_COPY(l->to, ev->u.LINK.to);
    l->path = ev->u.LINK.path;
    l->intended = ev->u.LINK.intended;
    l->measured = ev->u.LINK.measured;
    l->known = true;
    l->t = ev->t;
}
