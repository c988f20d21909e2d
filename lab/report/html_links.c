// SPDX-License-Identifier: PostgreSQL
// The connectivity matrix over the run: every stretch in which a service path of a pair was not both intended and
// measured open.
#include "lab/base/json_write.h"
#include "lab/report/html_fold.h"

static struct html_link *open_stretch(struct html_page *p, const struct event *ev) {
    for (size_t i = p->links.n; i-- > 0;) {
        struct html_link *l = &p->links.items[i];
        if (l->until == USEC_NEVER && str_eq(l->from, ev->u.LINK.from) && str_eq(l->to, ev->u.LINK.to) &&
            l->path == ev->u.LINK.path)
            return l;
    }
    return NULL;
}

void html_link_event(struct html_page *p, const struct event *ev) {
    bool intended = ev->u.LINK.intended, measured = ev->u.LINK.measured;
    struct html_link *l = open_stretch(p, ev);
    if (l && l->intended == intended && l->measured == measured)
        return;
    if (l)
        l->until = ev->t;
    if (intended && measured)
        return;
    l = VEC_ADD(&p->links);
    *l = (struct html_link){.since = ev->t, .until = USEC_NEVER, .intended = intended, .measured = measured};
    STR_COPY(l->from, ev->u.LINK.from);
    STR_COPY(l->to, ev->u.LINK.to);
    l->path = ev->u.LINK.path;
}

void html_links_put(const struct html_page *p, struct strbuf *out) {
    json_begin(out, "links", "[");
    VEC_FOREACH (&p->links, l) {
        json_begin(out, NULL, "[");
        json_put_text(out, NULL, l->from);
        json_put_text(out, NULL, l->to);
        json_put_text(out, NULL, link_path_name(l->path));
        json_put_ms(out, NULL, l->since / MSEC * MSEC); // whole milliseconds: nothing finer can be drawn
        json_put_ms_or_null(out, NULL, l->until == USEC_NEVER ? USEC_NEVER : l->until / MSEC * MSEC);
        json_put_bool(out, NULL, l->intended);
        json_put_bool(out, NULL, l->measured);
        json_end(out, "]");
    }
    json_end(out, "]");
}
