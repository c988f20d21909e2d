// SPDX-License-Identifier: PostgreSQL
// One frame: the title, the view (or menu, or help) and the last line, which is the key bar, a message or a prompt.
#include <stdio.h>

#include "dashboard/help.h"
#include "dashboard/keys.h"
#include "dashboard/tui_internal.h"

enum { ROWS_MIN = 8, COLS_MIN = 40 };

void tui_view_names(struct strbuf *out) {
    for (int i = 0; views[i]; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", views[i]->name);
}

int tui_view(const char *name, struct err *err) {
    for (int i = 0; views[i]; i++)
        if (!name || str_eq(views[i]->name, name))
            return i;
    cleanup_strbuf struct strbuf all = {0};
    tui_view_names(&all);
    return err_set(err, EINVAL, "there is no view '%s'; there are: %s", name, strbuf_str(&all));
}

void tui_say(struct tui *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(t->dash.message, sizeof t->dash.message, fmt, ap);
    va_end(ap);
    t->dirty = true;
}

void *frame_view_state(struct tui *t) {
    if (!t->states[t->view] && views[t->view]->open)
        t->states[t->view] = views[t->view]->open();
    return t->states[t->view];
}

void frame_close_views(struct tui *t) {
    for (int i = 0; views[i] && i < VIEWS_MAX; i++)
        if (t->states[i] && views[i]->close)
            views[i]->close(t->states[i]);
}

// ---- the title ------------------------------------------------------------------------------------------------------

static void clock_text(usec_t t, char *buf, size_t size) {
    unsigned tenths = (unsigned)(t / (100 * MSEC)), s = tenths / 10;
    if (s >= 3600)
        (void)snprintf(buf, size, "%u:%02u:%02u.%u", s / 3600, s / 60 % 60, s % 60, tenths % 10);
    else
        (void)snprintf(buf, size, "%02u:%02u.%u", s / 60, s % 60, tenths % 10);
}

static void mode_text(const struct tui *t, char *buf, size_t size) {
    const struct dash *d = &t->dash;
    char at[32], end[32];
    clock_text(d->now, at, sizeof at);
    clock_text(d->log_end, end, sizeof end);
    if (t->is_replay)
        (void)snprintf(buf, size, "REPLAY %s x%g  %s of %s",
                       t->more     ? "SEEKS"
                       : d->paused ? "STOPPED"
                                   : "PLAYS",
                       d->speed, at, end);
    else
        (void)snprintf(buf, size, "%s%s%s  %s", d->readonly ? "READ-ONLY " : "",
                       source_held(t) && d->alive ? "HELD " : "",
                       !d->alive   ? "the lab has ended"
                       : d->paused ? "PAUSED"
                                   : "LIVE",
                       at);
}

// What is to be doubted in the record, in a word or two; "" = nothing.
static void doubt_text(const struct tui *t, char *buf, size_t size) {
    int64_t unclear = feed_unclear_lines(source_unclear(t));
    (void)str_copy(buf, size, record_mark(t->o->record));
    if (!*buf && unclear)
        (void)snprintf(buf, size, "%" PRId64 " UNCLEAR LINE%s", unclear, unclear == 1 ? "" : "S");
}

static void draw_title(const struct tui *t, struct canvas *c, struct rect row) {
    const struct history *h = t->dash.history;
    char mode[120], mark[40];
    mode_text(t, mode, sizeof mode);
    doubt_text(t, mark, sizeof mark); // all the time: whatever is shown comes from this record
    int width = (int)(strlen(mode) + strlen(mark) + (*mark ? 2 : 0)), room = row.cols - width - 2;
    canvas_fill(c, row, ' ', TONE_BAR);
    cleanup_strbuf struct strbuf text = {0};
    strbuf_addf(&text, " bascule  %s", h->lab);
    if (h->scenario[0])
        strbuf_addf(&text, "  %s", h->scenario);
    else if (h->topology[0])
        strbuf_addf(&text, "  %s", h->topology);
    strbuf_addf(&text, "  %s", lab_state_name(t->dash.model->lab_state));
    if (h->title[0] && (int)(text.len + strlen(h->title)) + 4 < room)
        strbuf_addf(&text, "  %s", h->title);
    if (room > 0)
        (void)canvas_field(c, row, 0, 0, room, TONE_BAR, strbuf_str(&text));
    int x = row.cols > width ? row.cols - width - 1 : 0;
    if (*mark)
        x = canvas_text(c, row, 0, x, record_state(t->o->record) == RECORD_DAMAGED ? TONE_BAD : TONE_WARN, "!%s",
                        mark) +
            1;
    (void)canvas_text(c, row, 0, x, TONE_BAR, "%s", mode);
}

// ---- the rest -------------------------------------------------------------------------------------------------------

static void draw_body(struct tui *t, struct canvas *c, struct rect area) {
    if (t->help)
        help_draw(c, area, views[t->view], t->is_replay, &t->help_top);
    else if (t->menu.page != MENU_CLOSED)
        menu_draw(&t->menu, &t->dash, c, area);
    else
        views[t->view]->draw(frame_view_state(t), &t->dash, c, area);
}

static void draw_last_line(const struct tui *t, struct canvas *c, struct rect row) {
    if (t->dash.message[0])
        (void)canvas_field(c, row, 0, 0, row.cols, TONE_STRONG, t->dash.message);
    else
        keys_bar(c, row, t->view, t->is_replay);
}

void frame_draw(struct tui *t, struct canvas *c, int *ret_y, int *ret_x) {
    *ret_y = *ret_x = -1;
    canvas_clear(c);
    struct rect all = canvas_rect(c);
    if (c->rows < ROWS_MIN || c->cols < COLS_MIN) {
        (void)canvas_text(c, all, 0, 0, TONE_WARN, "too small: %dx%d at least", COLS_MIN, ROWS_MIN);
        return;
    }
    struct rect title = {0, 0, 1, c->cols}, body = {1, 0, c->rows - 2, c->cols}, last = {c->rows - 1, 0, 1, c->cols};
    draw_body(t, c, body);
    draw_title(t, c, title);
    if (t->prompt.kind == PROMPT_NONE) {
        draw_last_line(t, c, last);
        return;
    }
    *ret_x = prompt_draw(&t->prompt, &t->dash, c, last);
    *ret_x = *ret_x < c->cols ? *ret_x : c->cols - 1;
    *ret_y = c->rows - 1;
}
