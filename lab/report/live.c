// SPDX-License-Identifier: PostgreSQL
// The lines of `bascule run`: every moment of the story as soon as it is known, with the time at which it happened.
#include "lab/report/paint.h"

struct report_live {
    struct report_style style;
    struct story *story;
};

struct report_live *report_live_new(const struct report_style *style) {
    struct report_live *r = xcalloc(1, sizeof *r);
    r->style = *style;
    r->story = story_new();
    return r;
}

void report_live_free(struct report_live *r) {
    if (!r)
        return;
    story_free(r->story);
    free(r);
}

static void put_line(const struct report_live *r, const struct moment *m, struct strbuf *out) {
    cleanup_strbuf struct strbuf raw = {0}, clean = {0};
    moment_text(m, &raw);
    if (*m->detail)
        strbuf_addf(&raw, ": %s", m->detail);
    paint_clean(&clean, &r->style, strbuf_str(&raw));
    strbuf_addf(out, "[%6.1f s] ", (double)m->t / 1e6);
    paint_add(out, &r->style, paint_moment(m), strbuf_str(&clean));
    strbuf_addn(out, "\n", 1);
}

void report_live_event(struct report_live *r, const struct event *ev, struct strbuf *out) {
    story_event(r->story, ev);
    for (size_t i = 0; i < story_news_count(r->story); i++)
        put_line(r, story_news(r->story, i), out);
}
