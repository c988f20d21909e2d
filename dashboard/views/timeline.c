// SPDX-License-Identifier: PostgreSQL
// States, faults, outages and leader changes on one time axis, with zoom and scroll. It follows the end until it is scrolled back.
#include "dashboard/views/timeline.h"

struct timeline {
    usec_t width;  // of the window; 0 = from the beginning to now
    usec_t end;    // of the window, unless it follows
    bool scrolled; // does not follow
    int top;       // first row shown, when there are more than fit
};

static void *timeline_open(void) {
    struct timeline *v = xcalloc(1, sizeof *v);
    v->width = MINUTE;
    return v;
}

static struct span window(const struct timeline *v, const struct dash *d, int cols) {
    struct span s = {.cols = cols > 0 ? cols : 0};
    usec_t width = v->width ? v->width : d->now < 10 * SEC ? 10 * SEC : d->now;
    s.to = v->scrolled ? v->end : d->now;
    s.to = s.to < width ? width : s.to;
    s.from = s.to - width;
    return s;
}

static usec_t tick_distance(const struct span *s) {
    static const usec_t nice[] = {100 * MSEC, 200 * MSEC, 500 * MSEC, SEC,         2 * SEC,     5 * SEC,     10 * SEC,
                                  30 * SEC,   MINUTE,     5 * MINUTE, 10 * MINUTE, 60 * MINUTE, 600 * MINUTE};
    usec_t room = (s->to - s->from) / (usec_t)(s->cols / 9 > 0 ? s->cols / 9 : 1); // 9 columns a label
    for (size_t i = 0; i < ARRAY_SIZE(nice); i++)
        if (nice[i] >= room)
            return nice[i];
    return 6000 * MINUTE;
}

static void axis_label(char buf[static SHORT_MAX], usec_t t, usec_t distance) {
    unsigned long s = (unsigned long)(t / SEC);
    if (distance < SEC)
        (void)snprintf(buf, SHORT_MAX, "%.1f", (double)t / 1e6);
    else if (s < 600)
        (void)snprintf(buf, SHORT_MAX, "%lu", s);
    else if (s < 36000)
        (void)snprintf(buf, SHORT_MAX, "%lu:%02lu", s / 60, s % 60);
    else
        (void)snprintf(buf, SHORT_MAX, "%lu:%02lu h", s / 3600, s / 60 % 60);
}

static void draw_axis(struct canvas *c, struct rect area, int y, const struct span *s) {
    usec_t distance = tick_distance(s);
    (void)canvas_text(c, area, y, 1, TONE_DIM, "seconds");
    for (usec_t t = (s->from + distance - 1) / distance * distance; t < s->to; t += distance) {
        char text[SHORT_MAX];
        axis_label(text, t, distance);
        int x = TIMELINE_LEFT + span_col(s, t);
        (void)canvas_sign(c, area, y, x, TONE_DIM, SIGN_VLINE);
        (void)canvas_text(c, area, y, x + 1, TONE_DIM, "%s", text);
    }
}

static bool is_lane(const struct model_node *n) {
    return n->services & (SERVICE_POSTGRES | SERVICES_ARBITER);
}

// Rows from the top: nodes, then the faults in sight, newest first. Returns how many there are.
static int draw_rows(struct canvas *c, struct rect area, const struct span *s, const struct dash *d, int skip) {
    const struct history *h = d->history;
    int row = 0;
    for (size_t i = 0; i < d->model->n_nodes; i++)
        if (is_lane(&d->model->nodes[i]) && row++ >= skip)
            timeline_node(c, area, row - 1 - skip, s, d, i);
    for (size_t i = h->faults.n; i > 0; i--) {
        const struct fault_band *f = &h->faults.items[i - 1];
        if (f->from >= s->to || f->to < s->from || f->from > d->now)
            continue;
        if (row++ >= skip)
            timeline_fault(c, area, row - 1 - skip, s, f, d->now);
    }
    return row;
}

static void draw_state(struct canvas *c, struct rect area, const struct timeline *v, const struct span *s) {
    char width[SHORT_MAX];
    int x = canvas_text(c, area, 0, 1, TONE_STRONG, "Timeline  ");
    x = canvas_text(c, area, 0, x, TONE_PLAIN, "%s in sight%s, ", seconds_text(width, s->to - s->from),
                    v->width ? "" : " (all)");
    x = canvas_text(c, area, 0, x, v->scrolled ? TONE_WARN : TONE_GOOD, "%s",
                    v->scrolled ? "scrolled back (End: now)" : "follows now");
    if (x + 34 < area.cols)
        (void)canvas_text(c, area, 0, x, TONE_DIM, "   + - zoom, 0 all, h l scroll");
}

static void timeline_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct timeline *v = view;
    struct span s = window(v, d, area.cols - TIMELINE_LEFT - 1);
    if (s.cols < 4 || area.rows < 4) {
        (void)canvas_text(c, area, 0, 0, TONE_WARN, "too small for a timeline");
        return;
    }
    draw_state(c, area, v, &s);
    draw_axis(c, area, 1, &s);
    timeline_leaders(c, area, 2, &s, d);
    timeline_outages(c, area, 3, &s, d);
    timeline_writes(c, area, 4, &s, d);
    int legend = area.cols >= 120 ? 1 : 2, room = area.rows - 5 - legend - 1;
    room = room < 1 ? 1 : room;
    struct rect nowhere = rect_rows(area, 0, 0);
    int all = draw_rows(c, nowhere, &s, d, 0);
    v->top = v->top > all - room ? all - room : v->top;
    v->top = v->top < 0 ? 0 : v->top;
    (void)draw_rows(c, rect_rows(area, 5, room), &s, d, v->top);
    if (all > room)
        (void)canvas_text(c, area, area.rows - legend - 1, 1, TONE_DIM, "rows %d-%d of %d: j k", v->top + 1,
                          v->top + room, all);
    (void)timeline_legend(c, area, area.rows - legend, d);
    int y = 5 + all + 1, left = area.rows - legend - 1 - y;
    if (left < 3)
        return;
    heading(c, area, y, "What happened in sight", NULL);
    draw_story(c, rect_rows(area, y + 1, left - 1), d, s.from, s.to);
}

static void zoom(struct timeline *v, const struct dash *d, bool in) {
    const usec_t least = SEC, most = 1000 * 60 * MINUTE;
    usec_t width = v->width ? v->width : d->now;
    usec_t wanted = in ? width / 2 : width * 2;
    wanted = wanted < least ? least : wanted > most ? most : wanted;
    if (v->scrolled) { // the middle stays where it is
        usec_t middle = v->end > width / 2 ? v->end - width / 2 : 0;
        v->end = middle + wanted / 2;
    }
    v->width = wanted;
}

static void scroll(struct timeline *v, const struct dash *d, long quarters) {
    usec_t width = v->width ? v->width : d->now, step = width / 4 * (usec_t)(quarters < 0 ? -quarters : quarters);
    usec_t end = v->scrolled ? v->end : d->now;
    end = quarters > 0 ? end + step : end > width + step ? end - step : width;
    v->scrolled = end < d->now;
    v->end = end;
}

static bool timeline_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct timeline *v = view;
    enum nav nav = nav_of(key);
    if (key == '+' || key == '=')
        zoom(v, d, true);
    else if (key == '-' || key == '_')
        zoom(v, d, false);
    else if (key == '0') {
        v->width = 0;
        v->scrolled = false;
    } else if (nav == NAV_LEFT || nav == NAV_RIGHT)
        scroll(v, d, nav == NAV_LEFT ? -1 : 1);
    else if (nav == NAV_PAGE_UP || nav == NAV_PAGE_DOWN)
        scroll(v, d, nav == NAV_PAGE_UP ? -4 : 4);
    else if (nav == NAV_HOME)
        scroll(v, d, -1000000);
    else if (nav == NAV_END)
        v->scrolled = false;
    else if (nav == NAV_UP || nav == NAV_DOWN)
        v->top += nav == NAV_UP ? -1 : 1; // put in range when drawn
    else
        return false;
    return true;
}

const struct view_ops view_timeline = {
    .name = "timeline",
    .title = "Timeline",
    .tab = "Time",
    .letter = 'T',
    .open = timeline_open,
    .draw = timeline_draw,
    .key = timeline_key,
    .help = "+ -         zoom in, out; 0 shows everything\n"
            "Left Right  scroll by a quarter, PgUp PgDn by the whole; End follows now\n"
            "Up Down     more rows\n"
            "When two states share a column the graver one is shown\n",
    .close = free,
};
