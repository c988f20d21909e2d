// SPDX-License-Identifier: PostgreSQL
// The connectivity matrix over the run: every stretch in which a service path of a pair was not both intended and
// measured open.
#include "lab/base/json.h"
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
    strbuf_add(out, ",\"links\":[");
    VEC_FOREACH (&p->links, l) {
        strbuf_add(out, l == p->links.items ? "[" : ",[");
        json_quote(out, l->from);
        strbuf_add(out, ",");
        json_quote(out, l->to);
        strbuf_add(out, ",");
        json_quote(out, link_path_name(l->path));
        strbuf_addf(out, ",%" PRIu64 ",", l->since / 1000);
        if (l->until == USEC_NEVER)
            strbuf_add(out, "null");
        else
            strbuf_addf(out, "%" PRIu64, l->until / 1000);
        strbuf_addf(out, ",%s,%s]", l->intended ? "true" : "false", l->measured ? "true" : "false");
    }
    strbuf_add(out, "]");
}
