// SPDX-License-Identifier: PostgreSQL
#include "dashboard/views/parts.h"

#include <stdio.h>
#include <strings.h>

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

int paragraph(struct canvas *c, struct rect area, int y, int x, enum tone tone, const char *text) {
    int width = area.cols - x;
    while (*text && y < area.rows && width > 0) {
        size_t n = strlen(text), cut = n;
        if (n > (size_t)width) {
            cut = (size_t)width;
            while (cut > 0 && text[cut] != ' ')
                cut--;
            cut = cut ? cut : (size_t)width; // one long word
            while (cut > 1 && ((unsigned char)text[cut] & 0xc0) == 0x80)
                cut--; // not inside a character
        }
        (void)canvas_text(c, area, y++, x, tone, "%.*s", (int)cut, text);
        text += cut;
        text += strspn(text, " ");
    }
    return y;
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

// How old the last word about the node is. PostgreSQL and Patroni are asked at least once a second, etcd alone every 5 s.
char *age_text(char buf[static SHORT_MAX], const struct dash *d, size_t node, bool *ret_stale) {
    const struct model_node *n = &d->model->nodes[node];
    usec_t heard = d->history->heard[node];
    usec_t limit = n->services & SERVICE_POSTGRES ? 2 * SEC : 7 * SEC;
    usec_t age = d->now > heard ? d->now - heard : 0;
    bool probed = n->services & (SERVICE_POSTGRES | SERVICE_ETCD);
    *ret_stale = probed && n->on && heard && age > limit;
    if (!probed || !n->on || !heard)
        (void)snprintf(buf, SHORT_MAX, "-");
    else if (age < 100 * SEC)
        (void)snprintf(buf, SHORT_MAX, "%lu s", (unsigned long)(age / SEC));
    else
        (void)snprintf(buf, SHORT_MAX, "%lum", (unsigned long)(age / MINUTE));
    return buf;
}

double writes_per_second(const struct history *h, usec_t now) {
    double sum = 0;
    for (size_t i = h->ticks.n; i > 0 && h->ticks.items[i - 1].at + 1100 * MSEC > now; i--)
        if (h->ticks.items[i - 1].at + 100 * MSEC <= now)
            sum += h->ticks.items[i - 1].w_ok;
    return sum;
}

const struct outage *last_outage(const struct history *h) {
    return h->outages.n ? &h->outages.items[h->outages.n - 1] : NULL;
}

bool contains_word(const char *text, const char *word) {
    return !*word || strcasestr(text, word) != NULL;
}

usec_t log_silence(const struct dash *d) {
    usec_t last = d->history->now;
    return last && d->now > last + 2 * SEC && !*d->history->end_reason ? d->now - last : 0;
}

// Colour is never the only sign: what is bad or good says so in its words.
static enum tone moment_tone(const struct moment *m) {
    return m->weight == TOLD_MAIN ? TONE_STRONG : m->weight == TOLD_EVENT ? TONE_PLAIN : TONE_DIM;
}

void draw_story(struct canvas *c, struct rect area, const struct dash *d, usec_t from, usec_t to) {
    const struct story *s = d->history->story;
    const struct moment *lines[128];
    size_t n = 0, most = area.rows < 0 ? 0 : (size_t)area.rows;
    most = most > ARRAY_SIZE(lines) ? ARRAY_SIZE(lines) : most;
    enum moment_weight wanted = area.rows > 12 ? TOLD_DETAIL : TOLD_EVENT;
    for (size_t i = story_count(s); i > 0 && n < most; i--) {
        const struct moment *m = story_at(s, i - 1);
        if (m->weight >= wanted && m->t >= from && m->t <= to)
            lines[n++] = m;
    }
    for (size_t i = 0; i < n; i++) {
        const struct moment *m = lines[n - 1 - i];
        cleanup_strbuf struct strbuf text = {0};
        char stamp[SHORT_MAX];
        moment_text(m, &text);
        if (*m->detail)
            strbuf_addf(&text, ": %s", m->detail);
        int x = canvas_text(c, area, (int)i, 1, TONE_DIM, "%s ", stamp_text(stamp, m->t));
        (void)canvas_field(c, area, (int)i, x + 1, area.cols - x - 2, moment_tone(m), strbuf_str(&text));
    }
}
