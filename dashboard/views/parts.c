// SPDX-License-Identifier: PostgreSQL
// What several views draw or say alike: parts of a rectangle, headings, bars, text in paragraphs; times and amounts as short texts; the
// latest moments of the story. Tables are in table.c, the keys for moving about in nav.c.
#include "dashboard/views/parts.h"

#include <limits.h>
#include <stdio.h>
#include <strings.h>

#include "dashboard/glyph.h"

struct rect rect_rows(struct rect area, int y, int rows) {
    y = y < 0 ? 0 : y > area.rows ? area.rows : y;
    int left = area.rows - y;
    return (struct rect){
        .y = area.y + y, .x = area.x, .rows = rows < 0 || rows > left ? left : rows, .cols = area.cols};
}

struct rect rect_cols(struct rect area, int x, int cols) {
    x = x < 0 ? 0 : x > area.cols ? area.cols : x;
    int left = area.cols - x;
    return (struct rect){
        .y = area.y, .x = area.x + x, .rows = area.rows, .cols = cols < 0 || cols > left ? left : cols};
}

void heading(struct canvas *c, struct rect area, int y, const char *title, const char *note) {
    canvas_hline(c, area, y, 0, area.cols, TONE_DIM);
    int x = canvas_text(c, area, y, 1, TONE_STRONG, " %s ", title);
    int len = note ? (int)strlen(note) : 0;
    if (len && x + len + 4 <= area.cols)
        (void)canvas_text(c, area, y, area.cols - len - 3, TONE_DIM, " %s ", note);
}

static double share(double part, double whole) {
    return !(whole > 0) || !(part > 0) ? 0 : part > whole ? 1 : part / whole;
}

void bar(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone, double part, double whole) {
    int full = (int)(share(part, whole) * width + 0.5);
    for (int i = 0; i < width; i++)
        (void)canvas_sign(c, area, y, x + i, i < full ? tone : TONE_DIM, i < full ? SIGN_FULL : SIGN_LIGHT);
}

void column_bar(struct canvas *c, struct rect area, int y, int x, int rows, enum tone tone, double part, double whole) {
    static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int left = (int)(share(part, whole) * rows * 8 + 0.5);
    if (part > 0 && left == 0)
        left = 1; // something is not nothing
    for (int i = 0; i < rows; i++, left -= 8)
        if (left > 0)
            (void)canvas_text(c, area, y - i, x, tone, "%s", eighths[left > 8 ? 8 : left]);
}

// Where the first line of the text ends in so many columns, at a space if there is one; *ret_next gets where the next line begins.
static const char *line_end(const char *text, int width, const char **ret_next) {
    const char *at = text, *space = NULL;
    for (int used = 0; *at;) {
        const char *next = at;
        used += glyph_width(glyph_next(&next));
        if (used > width)
            break;
        at = next;
        if (*at == ' ')
            space = at;
    }
    const char *end = *at && space ? space : at;
    if (end == text && *text) // not even one character fits: go on all the same
        (void)glyph_next(&end);
    *ret_next = end + strspn(end, " ");
    return end;
}

int paragraph_rows(const char *text, int width) {
    int rows = 0;
    for (; *text && width > 0; rows++)
        (void)line_end(text, width, &text);
    return rows;
}

int paragraph_most(struct canvas *c, struct rect area, int y, int x, int most, enum tone tone, const char *text) {
    int width = area.cols - x;
    for (; *text && y < area.rows && width > 0 && most > 0; most--) {
        const char *next, *end = line_end(text, width, &next);
        if (most == 1 && *next)
            (void)canvas_field(c, area, y++, x, width, tone, text);
        else
            (void)canvas_text(c, area, y++, x, tone, "%.*s", (int)(end - text), text);
        text = next;
    }
    return y;
}

int paragraph(struct canvas *c, struct rect area, int y, int x, enum tone tone, const char *text) {
    return paragraph_most(c, area, y, x, INT_MAX, tone, text);
}

void draw_selected(struct canvas *c, struct rect area, int y, bool selected) {
    if (!selected)
        return;
    canvas_retone(c, area, y, 0, area.cols, TONE_SELECTED);
    (void)canvas_sign(c, area, y, 0, TONE_SELECTED, SIGN_RIGHT);
}

// ---- short texts --------------------------------------------------------------------------------------------------------
char *seconds_text(char buf[static SHORT_MAX], usec_t t) {
    unsigned long s = (unsigned long)(t / SEC);
    if (t < 100 * SEC)
        (void)snprintf(buf, SHORT_MAX, "%.1f s", (double)t / 1e6);
    else if (s < 3600)
        (void)snprintf(buf, SHORT_MAX, "%lu min %02lu s", s / 60, s % 60);
    else
        (void)snprintf(buf, SHORT_MAX, "%lu h %02lu min", s / 3600, s / 60 % 60);
    return buf;
}

char *stamp_text(char buf[static SHORT_MAX], usec_t t) {
    unsigned long s = (unsigned long)(t / SEC);
    if (s < 10000)
        (void)snprintf(buf, SHORT_MAX, "%6.1f", (double)t / 1e6);
    else
        (void)snprintf(buf, SHORT_MAX, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    return buf;
}

char *bytes_text(char buf[static SHORT_MAX], int64_t bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double x = (double)bytes;
    size_t u = 0;
    for (; x >= 1000 && u + 1 < ARRAY_SIZE(units); u++)
        x /= 1024;
    if (bytes < 0)
        (void)snprintf(buf, SHORT_MAX, "?");
    else
        (void)snprintf(buf, SHORT_MAX, "%.*f %s", u && x < 10 ? 1 : 0, x, units[u]);
    return buf;
}

// How old the last word about the node is. PostgreSQL and its manager are asked at least once a second, an arbiter alone every 5 s.
char *age_text(char buf[static SHORT_MAX], const struct dash *d, size_t node, bool *ret_stale) {
    const struct model_node *n = &d->model->nodes[node];
    usec_t heard = d->history->heard[node];
    usec_t limit = n->services & SERVICE_POSTGRES ? 2 * SEC : 7 * SEC;
    usec_t age = d->now > heard ? d->now - heard : 0;
    bool probed = n->services & (SERVICE_POSTGRES | SERVICES_ARBITER);
    *ret_stale = probed && n->on && heard && age > limit;
    if (!probed || !n->on || !heard)
        (void)snprintf(buf, SHORT_MAX, "-");
    else if (age < 100 * SEC)
        (void)snprintf(buf, SHORT_MAX, "%lu s", (unsigned long)(age / SEC));
    else
        (void)snprintf(buf, SHORT_MAX, "%lum", (unsigned long)(age / MINUTE));
    return buf;
}

double writes_per_second(const struct dash *d) {
    const struct history *h = d->history;
    usec_t now = d->now, held = d->model->thinned_ticks;
    usec_t seen = h->ticks.n ? h->ticks.items[h->ticks.n - 1].at + 100 * MSEC : 0;
    if (held && seen < now && now - seen <= held + SEC) // what came since is held back by whoever writes the record
        now = seen;
    double sum = 0;
    for (size_t i = h->ticks.n; i > 0 && h->ticks.items[i - 1].at + 1100 * MSEC > now; i--)
        if (h->ticks.items[i - 1].at + 100 * MSEC <= now)
            sum += h->ticks.items[i - 1].w_ok;
    return sum;
}

const struct outage *last_outage(const struct history *h) {
    return h->felt.writes.n ? &h->felt.writes.items[h->felt.writes.n - 1] : NULL;
}

bool contains_word(const char *text, const char *word) {
    return !*word || strcasestr(text, word) != NULL;
}

usec_t log_silence(const struct dash *d) {
    usec_t last = d->history->now;
    return last && d->now > last + 2 * SEC + d->model->thinned_ticks && !d->history->end_reason ? d->now - last : 0;
}

// Colour is never the only sign: what is bad or good says so in its words.
static enum tone moment_tone(const struct moment *m) {
    return m->weight == TOLD_MAIN ? TONE_STRONG : m->weight == TOLD_EVENT ? TONE_PLAIN : TONE_DIM;
}

static void story_line(const struct moment *m, struct strbuf *out) {
    moment_text(m, out);
    if (*m->detail)
        strbuf_addf(out, ": %s", m->detail);
}

void draw_story(struct canvas *c, struct rect area, const struct dash *d, usec_t from, usec_t to) {
    enum { TEXT_AT = 9, LINES_MAX = 128 };
    const struct story *s = d->history->story;
    const struct moment *lines[LINES_MAX];
    int rows[LINES_MAX], left = area.rows, most = area.rows > 12 ? 4 : 2; // rows of one moment
    size_t n = 0;
    enum moment_weight wanted = area.rows > 12 ? TOLD_DETAIL : TOLD_EVENT;
    for (size_t i = story_count(s); i > 0 && n < LINES_MAX && left > 0; i--) {
        const struct moment *m = story_at(s, i - 1);
        if (m->weight < wanted || m->t < from || m->t > to)
            continue;
        cleanup_strbuf struct strbuf text = {0};
        story_line(m, &text);
        int need = paragraph_rows(strbuf_str(&text), area.cols - TEXT_AT - 1);
        need = need > most ? most : need;
        if (need > left && n > 0)
            break;
        rows[n] = need > left ? left : need;
        left -= rows[n];
        lines[n++] = m;
    }
    struct rect narrower = rect_cols(area, 0, area.cols - 1);
    for (int y = 0; n > 0; n--) {
        cleanup_strbuf struct strbuf text = {0};
        char stamp[SHORT_MAX];
        story_line(lines[n - 1], &text);
        (void)canvas_text(c, area, y, 1, TONE_DIM, "%s", stamp_text(stamp, lines[n - 1]->t));
        y = paragraph_most(c, narrower, y, TEXT_AT, rows[n - 1], moment_tone(lines[n - 1]), strbuf_str(&text));
    }
}
