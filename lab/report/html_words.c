// SPDX-License-Identifier: PostgreSQL
// The page's list: the moments of the story, and beside them what daemons and tools said themselves, word for word. Periodic answers that bring nothing
// new make no row.
#include <stdio.h>

#include "lab/report/html_fold.h"

enum { LOOK_BACK = 12 }; // rows searched for an equal log line: a daemon that repeats itself does so at once

static struct html_row *row(struct html_page *p, const struct event *ev, enum moment_weight w, const char *node,
                            const char *fmt, ...) PRINTF_LIKE(5, 6);
static struct html_row *row(struct html_page *p, const struct event *ev, enum moment_weight w, const char *node,
                            const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    struct html_row *r = VEC_ADD(&p->rows);
    r->t = r->last = ev->t;
    r->count = 1;
    r->kind = event_kind_name(ev->kind);
    r->weight = w;
    STR_COPY(r->node, node);
    r->text = xstrdup(strbuf_str(&text));
    return r;
}

static const char *colon(const char *detail) {
    return *detail ? ": " : "";
}

static void say_manager(struct html_page *p, const struct event *ev) {
    int i = html_node(p, ev->u.MANAGER.node);
    if (i < 0)
        return;
    struct html_seen *s = &p->seen[i];
    if (s->manager_told && s->manager_answered == ev->u.MANAGER.answered && s->role == ev->u.MANAGER.role &&
        str_eq(s->state, ev->u.MANAGER.state))
        return;
    s->manager_told = true;
    s->manager_answered = ev->u.MANAGER.answered;
    s->role = ev->u.MANAGER.role;
    STR_COPY(s->state, ev->u.MANAGER.state);
    if (s->manager_answered)
        (void)row(p, ev, TOLD_EVENT, ev->u.MANAGER.node, "%s says: %s, %s", p->model->kind->title,
                  manager_role_name(s->role), s->state);
    else
        (void)row(p, ev, TOLD_EVENT, ev->u.MANAGER.node, "%s does not answer%s%s", p->model->kind->title,
                  colon(ev->u.MANAGER.error), ev->u.MANAGER.error);
}

static void say_entry(struct html_page *p, const struct event *ev) {
    const char *key = ev->u.ENTRY.key;
    if (str_eq(key, "sync") || str_eq(key, "status")) // the story's; moves with every loop of the leader
        return;
    if (ev->u.ENTRY.gone)
        (void)row(p, ev, TOLD_EVENT, "", "key '%s' is gone", key);
    else
        (void)row(p, ev, TOLD_DETAIL, "", "key '%s' is %s%s", key, ev->u.ENTRY.value,
                  ev->u.ENTRY.initial ? " (found by the first read)" : "");
}

// The same line of the same daemon a moment ago gets a count instead of a row.
static struct html_row *said_before(struct html_page *p, const struct event *ev, const char *node, const char *service,
                                    const char *text) {
    size_t floor = p->rows.n > LOOK_BACK ? p->rows.n - LOOK_BACK : 0;
    for (size_t i = p->rows.n; i > floor; i--) {
        struct html_row *r = &p->rows.items[i - 1];
        if (str_eq(r->kind, event_kind_name(ev->kind)) && str_eq(r->node, node) && str_eq(r->service, service) &&
            str_eq(r->text, text))
            return r;
    }
    return NULL;
}

static void say_repeatable(struct html_page *p, const struct event *ev, const char *node, const char *service,
                           const char *level, const char *text) {
    struct html_row *r = said_before(p, ev, node, service, text);
    if (r) {
        r->count++;
        r->last = ev->t;
        return;
    }
    bool loud = str_eq(level, "error") || str_eq(level, "warning");
    r = row(p, ev, loud ? TOLD_EVENT : TOLD_DETAIL, node, "%s", text);
    STR_COPY(r->service, service);
    STR_COPY(r->level, level);
}

static void say_final(struct html_page *p, const struct event *ev) {
    if (ev->u.FINAL_READ.ok)
        (void)row(p, ev, TOLD_DETAIL, ev->u.FINAL_READ.node, "%" PRId64 " rows at the end, timeline %" PRId64 "%s",
                  ev->u.FINAL_READ.rows, ev->u.FINAL_READ.timeline, ev->u.FINAL_READ.leader ? " (leader)" : "");
    else
        (void)row(p, ev, TOLD_EVENT, ev->u.FINAL_READ.node, "the rows could not be read at the end: %s",
                  ev->u.FINAL_READ.error);
}

static void say_client_error(struct html_page *p, const struct event *ev) {
    char text[EVENT_TEXT_MAX + 3 * EVENT_NAME_MAX];
    (void)snprintf(text, sizeof text, "application: %s failed%s%s: %s", client_phase_name(ev->u.CLIENT_ERROR.phase),
                   *ev->u.CLIENT_ERROR.sqlstate ? ", SQLSTATE " : "", ev->u.CLIENT_ERROR.sqlstate,
                   ev->u.CLIENT_ERROR.text);
    say_repeatable(p, ev, ev->u.CLIENT_ERROR.node, "application", "warning", text);
}

static void say(struct html_page *p, const struct event *ev) {
    switch ((int)ev->kind) {
    case EVENT_RUN_BEGIN:
        (void)row(p, ev, TOLD_DETAIL, "", "run begins: bascule %s, Linux %s", ev->u.RUN_BEGIN.program,
                  ev->u.RUN_BEGIN.kernel);
        break;
    case EVENT_MANAGER:
        say_manager(p, ev);
        break;
    case EVENT_STORE_WATCH:
        (void)row(p, ev, TOLD_DETAIL, ev->u.STORE_WATCH.node, "observer's %s watch %s", ev->u.STORE_WATCH.store,
                  store_watch_state_name(ev->u.STORE_WATCH.state));
        break;
    case EVENT_ENTRY:
        say_entry(p, ev);
        break;
    case EVENT_CLIENT_ERROR:
        say_client_error(p, ev);
        break;
    case EVENT_FINAL_READ:
        say_final(p, ev);
        break;
    case EVENT_LOG_LINE:
        say_repeatable(p, ev, ev->u.LOG_LINE.node, ev->u.LOG_LINE.service, line_level_name(ev->u.LOG_LINE.level),
                       ev->u.LOG_LINE.text);
        break;
    default: // the story's; tables, ticks and noise have their own places on the page
        break;
    }
}

// The last row goes to its place in time: log lines have the time at which they were written, moments that at which they happened.
static void move_to_its_time(struct html_page *p) {
    size_t i = p->rows.n - 1;
    struct html_row last = p->rows.items[i];
    for (; i > 0 && p->rows.items[i - 1].t > last.t; i--)
        p->rows.items[i] = p->rows.items[i - 1];
    p->rows.items[i] = last;
}

void html_words(struct html_page *p, const struct event *ev) {
    size_t before = p->rows.n;
    say(p, ev);
    if (p->rows.n > before)
        move_to_its_time(p);
}

static int by_time(const void *a, const void *b) {
    const struct html_row *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void html_moments(struct html_page *p) {
    static const char *const levels[] = {
        [MOOD_NEUTRAL] = "", [MOOD_GOOD] = "info", [MOOD_BAD] = "error", [MOOD_WARN] = "warning"};
    size_t said = p->rows.n, moments = story_count(p->story);
    for (size_t i = 0; i < moments; i++) {
        const struct moment *m = story_at(p->story, i);
        cleanup_strbuf struct strbuf text = {0};
        moment_text(m, &text);
        strbuf_addf(&text, "%s%s", *m->detail ? ": " : "", m->detail);
        struct html_row *r = VEC_ADD(&p->rows);
        *r = (struct html_row){
            .t = m->t, .last = m->t, .count = 1, .kind = moment_kind_name(m->kind), .weight = m->weight};
        STR_COPY(r->node, m->node);
        STR_COPY(r->level, levels[m->mood]);
        r->text = xstrdup(strbuf_str(&text));
    }
    for (size_t i = 0; i < p->rows.n; i++)
        p->rows.items[i].order = i < said ? i + moments : i - said; // at the same time: the moments first
    if (p->rows.n)
        qsort(p->rows.items, p->rows.n, sizeof *p->rows.items, by_time);
}
