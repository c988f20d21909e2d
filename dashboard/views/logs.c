// SPDX-License-Identifier: PostgreSQL
// The daemons' log lines of all nodes, merged by time. The filter (dash.filter) hides what does not hold it, or, after `f`, only marks
// what does; nodes can be switched off one by one.
#include "dashboard/views/parts.h"

#include <strings.h>

struct logs {
    struct scroll list; // over `shown`
    bool hidden[NODES_MAX];
    size_t cursor;     // in the bar of nodes
    bool mark_only;    // the filter marks, it hides nothing
    bool whole;        // the selected line in full
    VEC(size_t) shown; // indexes into history->logs
};

static void *logs_open(void) {
    struct logs *v = xcalloc(1, sizeof *v);
    v->list.follow = true;
    return v;
}

static void logs_close(void *view) {
    struct logs *v = view;
    if (v)
        VEC_DONE(&v->shown);
    free(v);
}

static bool is_hidden(const struct logs *v, const struct model *m, const char *node) {
    for (size_t i = 0; i < m->n_nodes; i++)
        if (v->hidden[i] && str_eq(m->nodes[i].name, node))
            return true;
    return false;
}

static bool matches(const struct log_entry *e, const char *word) {
    return contains_word(e->text, word) || contains_word(e->node, word) || contains_word(e->service, word) ||
           contains_word(line_level_name(e->level), word);
}

static void collect(struct logs *v, const struct dash *d) {
    VEC_CLEAR(&v->shown);
    for (size_t i = 0; i < d->history->logs.n; i++) {
        const struct log_entry *e = &d->history->logs.items[i];
        if (!is_hidden(v, d->model, e->node) && (v->mark_only || matches(e, d->filter)))
            VEC_PUSH(&v->shown, i);
    }
}

static enum tone level_tone(const struct log_entry *e) {
    switch (e->level) {
    case LINE_LEVEL_ERROR:
    case LINE_LEVEL_FATAL:
        return TONE_BAD;
    case LINE_LEVEL_WARNING:
        return TONE_WARN;
    case LINE_LEVEL_NONE:
    case LINE_LEVEL_UNKNOWN:
    case LINE_LEVEL_INFO:
        return TONE_PLAIN;
    }
    return TONE_PLAIN;
}

// "E", "W" or " ": the level without colour.
static const char *level_letter(const struct log_entry *e) {
    enum tone tone = level_tone(e);
    return tone == TONE_BAD ? "E" : tone == TONE_WARN ? "W" : " ";
}

static void mark(struct canvas *c, struct rect area, int y, int x, const char *text, const char *word) {
    size_t len = strlen(word);
    for (const char *p = text; len && (p = strcasestr(p, word)); p += len) {
        int at = x;
        for (const char *q = text; q < p; q++)
            at += ((unsigned char)*q & 0xc0) != 0x80; // columns of nearly every log line
        canvas_retone(c, area, y, at, (int)len, TONE_SELECTED);
    }
}

static void draw_line(struct canvas *c, struct rect area, int y, const struct dash *d, const struct log_entry *e,
                      bool selected) {
    char stamp[SHORT_MAX];
    int x = canvas_text(c, area, y, 1, TONE_DIM, "%s", stamp_text(stamp, e->t));
    x = canvas_field(c, area, y, x + 1, 4, TONE_STRONG, e->node);
    x = canvas_field(c, area, y, x + 1, 10, TONE_DIM, e->service);
    x = canvas_text(c, area, y, x + 1, level_tone(e), "%s ", level_letter(e));
    (void)canvas_field(c, area, y, x, area.cols - x, level_tone(e), e->text);
    if (selected)
        (void)canvas_sign(c, area, y, 0, TONE_SELECTED, SIGN_RIGHT);
    mark(c, area, y, x, e->text, d->filter);
}

static void draw_nodes(struct canvas *c, struct rect area, const struct logs *v, const struct dash *d) {
    int x = canvas_text(c, area, 0, 1, TONE_STRONG, "Nodes ");
    for (size_t i = 0; i < d->model->n_nodes; i++) {
        x = canvas_text(c, area, 0, x, v->hidden[i] ? TONE_DIM : TONE_GOOD, v->hidden[i] ? " - " : " + ");
        x = canvas_text(c, area, 0, x,
                        i == v->cursor ? TONE_SELECTED
                        : v->hidden[i] ? TONE_DIM
                                       : TONE_PLAIN,
                        "%s", d->model->nodes[i].name);
    }
    if (x + 30 < area.cols)
        (void)canvas_text(c, area, 0, x, TONE_DIM, "   h/l choose, x shows or hides");
}

static void draw_filter(struct canvas *c, struct rect area, const struct logs *v, const struct dash *d) {
    (void)canvas_field(c, area, 1, 1, 7, TONE_STRONG, "Filter");
    if (*d->filter)
        (void)canvas_text(c, area, 1, 8, TONE_KEY, "%s \"%s\": %zu of %zu lines",
                          v->mark_only ? "marking" : "only lines with", d->filter, v->shown.n, d->history->logs.n);
    else
        (void)canvas_text(c, area, 1, 8, TONE_DIM, "none (/ sets one): %zu of %zu lines", v->shown.n,
                          d->history->logs.n);
    if (area.cols >= 70)
        (void)canvas_text(c, area, 1, area.cols - 16, v->list.follow ? TONE_GOOD : TONE_WARN,
                          v->list.follow ? "follows the end" : "stopped; End: go");
}

static void logs_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct logs *v = view;
    collect(v, d);
    size_t visible = area.rows > 3 ? (size_t)area.rows - 3 : 1;
    scroll_to_show(&v->list, v->shown.n, visible);
    if (v->whole && v->list.selected < v->shown.n) {
        const struct log_entry *e = &d->history->logs.items[v->shown.items[v->list.selected]];
        heading(c, area, 0, "Log line", "Esc: back");
        (void)canvas_text(c, area, 1, 1, TONE_DIM, "%s on %s at %.3f s, level %s", e->service, e->node,
                          (double)e->t / 1e6, e->level ? line_level_name(e->level) : "none");
        (void)paragraph(c, area, 3, 1, level_tone(e), e->text);
        return;
    }
    draw_nodes(c, area, v, d);
    draw_filter(c, area, v, d);
    canvas_hline(c, area, 2, 0, area.cols, TONE_DIM);
    if (!v->shown.n)
        (void)canvas_text(c, area, 3, 1, TONE_DIM, "%s",
                          d->history->logs.n ? "no line passes the filter" : "no log line yet");
    for (size_t i = 0; i < visible && v->list.first + i < v->shown.n; i++) {
        size_t row = v->list.first + i;
        draw_line(c, area, 3 + (int)i, d, &d->history->logs.items[v->shown.items[row]], row == v->list.selected);
    }
}

// The next line that holds the filter's word, in the direction of `by`.
static void jump(struct logs *v, const struct dash *d, int by) {
    long at = (long)v->list.selected;
    for (long i = at + by; *d->filter && i >= 0 && i < (long)v->shown.n; i += by)
        if (matches(&d->history->logs.items[v->shown.items[i]], d->filter)) {
            v->list.selected = (size_t)i;
            v->list.follow = false;
            return;
        }
}

static bool logs_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct logs *v = view;
    size_t n = d->model->n_nodes;
    enum nav nav = nav_of(key);
    collect(v, d); // what is on the screen may be of before
    if (nav == NAV_ENTER && v->shown.n)
        v->whole = !v->whole;
    else if (nav == NAV_BACK && v->whole)
        v->whole = false;
    else if (nav == NAV_LEFT && n)
        v->cursor = (v->cursor + n - 1) % n;
    else if (nav == NAV_RIGHT && n)
        v->cursor = (v->cursor + 1) % n;
    else if (key == 'x' && v->cursor < n)
        v->hidden[v->cursor] = !v->hidden[v->cursor];
    else if (key == 'a')
        memset(v->hidden, 0, sizeof v->hidden);
    else if (key == 'f')
        v->mark_only = !v->mark_only;
    else if (key == '>' || key == '<')
        jump(v, d, key == '>' ? 1 : -1);
    else
        return scroll_key(&v->list, nav, v->shown.n, 15);
    return true;
}

const struct view_ops view_logs = {
    .name = "logs",
    .title = "Logs",
    .letter = 'L',
    .open = logs_open,
    .draw = logs_draw,
    .key = logs_key,
    .help = "Up Down PgUp PgDn  scroll; End follows new lines\n"
            "Enter       the whole line, Esc back\n"
            "Left Right  choose a node, x shows or hides its lines, a shows all\n"
            "/           filter by a word; f only marks it, < > jump between marks\n"
            "E W         error, warning\n",
    .close = logs_close,
};
