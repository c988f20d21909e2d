// SPDX-License-Identifier: PostgreSQL
// The story in the words of `bascule run`, and the daemons' log lines.
#include "dashboard/history_fold.h"

static void drop_told(struct told *t) {
    free(t->text);
}

static void drop_log(struct log_entry *e) {
    free(e->text);
}

static uint8_t weight_of(const struct event *ev) {
    switch ((int)ev->kind) {
    case EVENT_FAULT:
        return str_eq(ev->u.FAULT.phase, "asked") || str_eq(ev->u.FAULT.phase, "heal_asked") ? 1 : 2;
    case EVENT_DCS_KEY: // only the leader key is told
    case EVENT_CLIENT_TICK:
    case EVENT_RUN_END:
    case EVENT_LAB_STATE:
    case EVENT_ACTION:
        return 2;
    case EVENT_STEP:
        return str_eq(ev->u.STEP.state, "failed") ? 2 : 0;
    case EVENT_PROGRESS:
    case EVENT_NOISE:
        return 0;
    default:
        return 1;
    }
}

static void add_line(struct history *h, const struct event *ev, const char *line, size_t len) {
    const char *text = line;
    if (*line == '[') { // "[  12.3 s] ": the screens show times in their own way
        const char *close = memchr(line, ']', len);
        text = close && close + 2 <= line + len ? close + 2 : line;
    }
    TRIM_OLDEST(&h->story, KEEP_LINES, drop_told);
    struct told *t = VEC_ADD(&h->story);
    t->t = ev->t;
    t->text = xstrndup(text, (size_t)(line + len - text));
    t->weight = weight_of(ev);
}

void fold_story(struct fold *f, const struct event *ev) {
    strbuf_clear(&f->line);
    report_live_event(f->live, ev, &f->line);
    for (const char *line = strbuf_str(&f->line); *line;) {
        const char *end = strchrnul(line, '\n');
        add_line(&f->h, ev, line, (size_t)(end - line));
        line = *end ? end + 1 : end;
    }
}

void fold_log(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    TRIM_OLDEST(&h->logs, KEEP_LINES, drop_log);
    (void)VEC_ADD(&h->logs);
    size_t i = h->logs.n - 1;
    for (; i > 0 && h->logs.items[i - 1].t > ev->t; i--) // lines of several nodes come a little out of order
        h->logs.items[i] = h->logs.items[i - 1];
    struct log_entry *e = &h->logs.items[i];
    memset(e, 0, sizeof *e);
    e->t = ev->t;
    STR_COPY(e->node, ev->u.LOG_LINE.node);
    STR_COPY(e->service, ev->u.LOG_LINE.service);
    STR_COPY(e->level, ev->u.LOG_LINE.level);
    e->text = xstrdup(ev->u.LOG_LINE.text);
}
