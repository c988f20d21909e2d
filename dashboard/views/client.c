// SPDX-License-Identifier: PostgreSQL
// What the application felt: acknowledged, failed and slow writes per 100 ms as vertical bars, totals, outages, unknown outcomes.
#include "dashboard/views/parts.h"

#include <stdio.h>

struct client {
    int zoom; // index into steps: how many ticks of 100 ms make a column
};
static const usec_t steps[] = {100 * MSEC, 200 * MSEC, 500 * MSEC, SEC, 5 * SEC, 10 * SEC, 60 * SEC};

static void *client_open(void) {
    return xcalloc(1, sizeof(struct client));
}

struct column_sum {
    double ok, bad, slowest; // per 100 ms: writes acknowledged, not; the worst latency in µs
    bool any;
};
struct sums {
    struct column_sum columns[512];
    int n;
    usec_t from, step;    // of the first column
    double most, slowest; // of the scales: three times the average, so that one burst does not flatten all else
    double top;           // the slowest write in sight
};

// The end of a scale for values with this sum and largest: never less than `least`.
static double scale_end(double sum, int n, double largest, double least) {
    double usual = n ? 3 * sum / n : 0, end = largest < usual ? largest : usual;
    return end < least ? least : end;
}

static void add_tick(struct sums *s, const struct tick *t) {
    usec_t i = (t->at - s->from) / s->step;
    if (t->at < s->from || i >= (usec_t)s->n)
        return;
    struct column_sum *col = &s->columns[i];
    col->ok += t->w_ok;
    col->bad += t->w_bad;
    col->any = true;
    if (t->w_max_us > col->slowest)
        col->slowest = t->w_max_us;
}

static void sum_up(struct sums *s, const struct history *h, usec_t now, usec_t step, int n) {
    *s = (struct sums){.n = n > 512 ? 512 : n < 0 ? 0 : n, .step = step};
    usec_t end = (now + step - 1) / step * step, span = step * (usec_t)s->n;
    s->from = end > span ? end - span : 0;
    for (size_t i = h->ticks.n; i > 0 && h->ticks.items[i - 1].at >= s->from; i--)
        if (h->ticks.items[i - 1].at < now)
            add_tick(s, &h->ticks.items[i - 1]);
    double writes = 0, most = 0, latency = 0;
    int wrote = 0, timed = 0;
    for (int i = 0; i < s->n; i++) {
        struct column_sum *col = &s->columns[i];
        col->ok /= (double)step / (100.0 * MSEC);
        col->bad /= (double)step / (100.0 * MSEC);
        writes += col->ok;
        wrote += col->ok > 0;
        latency += col->slowest;
        timed += col->slowest > 0;
        most = col->ok > most ? col->ok : most;
        s->top = col->slowest > s->top ? col->slowest : s->top;
    }
    const double usual_writes = 10, fast = 10e3; // per 100 ms at the default load; 10 ms
    s->most = scale_end(writes, wrote, most, usual_writes);
    s->slowest = scale_end(latency, timed, s->top, fast);
}

enum { LEFT = 10 }; // the scale

static void scale(struct canvas *c, struct rect area, int y, int rows, const char *top, const char *title) {
    (void)canvas_text(c, area, y, 1, TONE_STRONG, "%s", title);
    (void)canvas_field(c, area, y + 1, 1, LEFT - 2, TONE_DIM, top);
    (void)canvas_text(c, area, y + rows, LEFT - 2, TONE_DIM, "0");
    for (int i = 1; i <= rows; i++)
        (void)canvas_sign(c, area, y + i, LEFT - 1, TONE_DIM, SIGN_VLINE);
}

// Chart: title in row y, bars in the `rows` rows below it.
static void draw_writes(struct canvas *c, struct rect area, int y, int rows, const struct sums *s) {
    char top[SHORT_MAX];
    double most = s->most;
    (void)snprintf(top, sizeof top, "%.0f", most);
    scale(c, area, y, rows, top, "Writes acknowledged per 100 ms (x: failed or unknown, none acknowledged)");
    for (int i = 0; i < s->n; i++) {
        const struct column_sum *col = &s->columns[i];
        column_bar(c, area, y + rows, LEFT + i, rows, TONE_GOOD, col->ok, most);
        if (col->ok > most * 1.01)
            (void)canvas_sign(c, area, y + 1, LEFT + i, TONE_STRONG, SIGN_UP);
        if (!(col->ok > 0) && col->bad > 0)
            for (int k = 0; k < rows && k < 1 + (int)((col->bad < most ? col->bad / most : 1) * (rows - 1) + 0.5); k++)
                (void)canvas_text(c, area, y + rows - k, LEFT + i, TONE_BAD, "x");
        else if (col->bad > 0)
            (void)canvas_text(c, area, y + 1, LEFT + i, TONE_BAD, "x");
        else if (col->any && !(col->ok > 0))
            (void)canvas_text(c, area, y + rows, LEFT + i, TONE_WARN, "_");
    }
}

static void draw_latency(struct canvas *c, struct rect area, int y, int rows, const struct sums *s) {
    char top[SHORT_MAX], title[80];
    double most = s->slowest;
    (void)snprintf(top, sizeof top, most < 1e6 ? "%.0f ms" : "%.1f s", most < 1e6 ? most / 1e3 : most / 1e6);
    (void)snprintf(title, sizeof title,
                   s->top > 0 ? "Slowest write of each column (at most %.0f ms in sight)"
                              : "Slowest write of each column",
                   s->top / 1e3);
    scale(c, area, y, rows, top, title);
    for (int i = 0; i < s->n; i++) {
        double t = s->columns[i].slowest;
        column_bar(c, area, y + rows, LEFT + i, rows, t > 1e6 ? TONE_BAD : t > 100e3 ? TONE_WARN : TONE_PLAIN, t, most);
        if (t > most * 1.01)
            (void)canvas_sign(c, area, y + 1, LEFT + i, t > 1e6 ? TONE_BAD : TONE_WARN, SIGN_UP);
    }
}

static void draw_axis(struct canvas *c, struct rect area, int y, const struct sums *s) {
    for (int i = 0; i < s->n; i++)
        if ((s->from / s->step + (usec_t)i) % 10 == 0 && i + 8 < s->n)
            (void)canvas_text(c, area, y, LEFT + i, TONE_DIM, "%.*f", s->step < SEC ? 1 : 0,
                              (double)(s->from + s->step * (usec_t)i) / 1e6);
    (void)canvas_text(c, area, y, area.cols - 6, TONE_DIM, "s run");
}

static int draw_totals(struct canvas *c, struct rect area, int y, const struct dash *d) {
    const struct model *m = d->model;
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Writes");
    int x = canvas_sign(c, area, y, 9, TONE_GOOD, SIGN_GOOD);
    x = canvas_text(c, area, y, x + 1, TONE_GOOD, "%" PRId64 " acknowledged  ", m->w_ok);
    x = canvas_sign(c, area, y, x, m->w_failed ? TONE_BAD : TONE_DIM, SIGN_BAD);
    x = canvas_text(c, area, y, x + 1, m->w_failed ? TONE_BAD : TONE_DIM, "%" PRId64 " failed  ", m->w_failed);
    x = canvas_sign(c, area, y, x, m->w_unknown ? TONE_WARN : TONE_DIM, SIGN_UNKNOWN);
    (void)canvas_text(c, area, y, x + 1, m->w_unknown ? TONE_WARN : TONE_DIM, "%" PRId64 " unknown", m->w_unknown);
    (void)canvas_field(c, area, y + 1, 1, 8, TONE_STRONG, "Reads");
    (void)canvas_text(c, area, y + 1, 9, TONE_PLAIN, "%" PRId64 " good, %" PRId64 " failed; writes go to %s", m->r_ok,
                      m->r_failed, *m->client_node ? m->client_node : "nobody yet");
    return y + 2;
}

static int draw_lost(struct canvas *c, struct rect area, int y, const struct dash *d) {
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Lost");
    VEC_FOREACH (&d->history->finals, f) {
        int64_t short_of = d->model->w_ok - f->rows;
        if (!f->ok || !f->leader)
            continue;
        if (short_of > 0)
            (void)canvas_text(c, area, y, 9, TONE_BAD,
                              "at least %" PRId64 ": %s holds %" PRId64 " rows (`bascule report` names them)", short_of,
                              f->node, f->rows);
        else
            (void)canvas_text(c, area, y, 9, TONE_PLAIN,
                              "%s holds %" PRId64 " rows at the end; `bascule report` compares each id", f->node,
                              f->rows);
        return y + 1;
    }
    (void)canvas_text(c, area, y, 9, TONE_DIM, "known at the end, when the final leader's rows are counted");
    return y + 1;
}

static int draw_outages(struct canvas *c, struct rect area, int y, int most, const struct dash *d) {
    const struct history *h = d->history;
    for (size_t i = h->felt.writes.n; i > 0 && most > 0; i--, most--, y++) {
        const struct outage *o = &h->felt.writes.items[i - 1];
        char text[SHORT_MAX];
        usec_t end = outages_until(&h->felt, o, d->now);
        (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, i == h->felt.writes.n ? "Outages" : "");
        enum tone tone = o->to == USEC_NEVER ? TONE_BAD : TONE_PLAIN;
        (void)canvas_sign(c, area, y, 9, tone, o->to == USEC_NEVER ? SIGN_BAD : SIGN_DOT);
        (void)canvas_text(c, area, y, 11, tone, "%s, from %.2f s %s",
                          seconds_text(text, end > o->from ? end - o->from : 0), (double)o->from / 1e6,
                          o->to == USEC_NEVER ? "and going on" : "");
        if (o->to != USEC_NEVER)
            (void)canvas_text(c, area, y, 34, TONE_PLAIN, "to %.2f s", (double)o->to / 1e6);
    }
    if (!h->felt.writes.n)
        (void)canvas_text(c, area, y++, 1, TONE_DIM,
                          "Outages  none so far: no write waited more than 250 ms for an acknowledgement");
    return y;
}

static void draw_errors(struct canvas *c, struct rect area, int y, const struct dash *d) {
    const struct history *h = d->history;
    for (size_t i = h->client_errors.n; i > 0 && y < area.rows; i--, y++) {
        const struct client_error *e = &h->client_errors.items[i - 1];
        char stamp[SHORT_MAX];
        int x = canvas_text(c, area, y, 1, TONE_DIM, "%s ", stamp_text(stamp, e->t));
        (void)canvas_text(c, area, y, x, TONE_PLAIN, "%s %s: %s", client_phase_name(e->phase), e->node, e->text);
    }
}

static void client_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct client *v = view;
    struct sums s;
    sum_up(&s, d->history, d->now, steps[v->zoom], area.cols - LEFT - 1);
    int rows = area.rows >= 40 ? 10 : area.rows >= 22 ? 5 : 3;
    if (!d->history->ticks.n)
        (void)canvas_text(c, area, 0, 1, TONE_DIM, "the application has not begun");
    draw_writes(c, area, 0, rows, &s);
    draw_latency(c, area, rows + 1, rows - 1, &s);
    draw_axis(c, area, 2 * rows + 1, &s);
    char step[USEC_TEXT_MAX];
    (void)canvas_text(c, area, 2 * rows + 1, 1, TONE_DIM, "%s", usec_format(step, s.step));
    int y = 2 * rows + 2;
    y = draw_totals(c, area, y, d);
    y = draw_lost(c, area, y, d);
    y = draw_outages(c, area, y, area.rows >= 30 ? 8 : 2, d);
    if (y + 1 < area.rows) {
        heading(c, area, y, "Errors the application met, newest first", NULL);
        draw_errors(c, area, y + 1, d);
    }
}

static bool client_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)d, (void)ret;
    struct client *v = view;
    if ((key == '-' || key == '_') && v->zoom + 1 < (int)ARRAY_SIZE(steps))
        v->zoom++;
    else if ((key == '+' || key == '=') && v->zoom > 0)
        v->zoom--;
    else
        return key == '+' || key == '-' || key == '=' || key == '_';
    return true;
}

const struct view_ops view_client = {
    .name = "client",
    .title = "Client",
    .letter = 'A',
    .open = client_open,
    .draw = client_draw,
    .key = client_key,
    .help = "+ -      a column is 100 ms, or more (the number under the scale)\n"
            "failed   certainly not done\n"
            "unknown  may have been done or not: the answer never came\n"
            "lost     acknowledged, and not there at the end\n",
    .close = free,
};
