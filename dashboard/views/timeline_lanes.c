// SPDX-License-Identifier: PostgreSQL
// Rows of the timeline. Each lane has a sign of its own in UTF-8 and in ASCII, and its word where the band is long enough: colour says
// nothing that is not said otherwise.
#include "dashboard/views/timeline.h"

struct look {
    const char *utf8, *ascii, *word;
    enum tone tone;
    int weight; // of two lanes in one column the heavier is shown: a moment of writable-without-key must not vanish in a minute
};
static const struct look looks[] = {
    [LANE_OFF] = {"·", ".", "power off", TONE_DIM, 5},
    [LANE_UNKNOWN] = {"?", "?", "unknown", TONE_DIM, 1},
    [LANE_STARTING] = {"░", ":", "starting", TONE_WARN, 3},
    [LANE_DOWN] = {"x", "x", "no answer", TONE_BAD, 6},
    [LANE_REPLICA] = {"─", "-", "replica", TONE_REPLICA, 2},
    [LANE_STANDBY_ALONE] = {"~", "~", "no stream", TONE_WARN, 4},
    [LANE_LEADER] = {"█", "#", "LEADER", TONE_LEADER, 7},
    [LANE_WRITABLE_WITHOUT_KEY] = {"!", "!", NULL, TONE_BAD, 9}, // called as the system calls it
    [LANE_LEADER_NOT_WRITABLE] = {"▒", "=", NULL, TONE_WARN, 8},
    [LANE_UNWATCHED] = {"╱", "/", "NOT WATCHED", TONE_WARN, 10}, // over everything: a column of it is no good news
};
static const struct look arbiter_looks[] = {
    [ARBITER_LANE_OFF] = {"·", ".", "power off", TONE_DIM, 5},
    [ARBITER_LANE_UNKNOWN] = {"?", "?", "unknown", TONE_DIM, 1},
    [ARBITER_LANE_DOWN] = {"x", "x", "no answer", TONE_BAD, 6},
    [ARBITER_LANE_LEADERLESS] = {"~", "~", "knows no leader", TONE_WARN, 4},
    [ARBITER_LANE_FOLLOWER] = {"─", "-", NULL, TONE_REPLICA, 2},
    [ARBITER_LANE_LEADER] = {"█", "#", NULL, TONE_GOOD, 7},
    [ARBITER_LANE_UNWATCHED] = {"╱", "/", "NOT WATCHED", TONE_WARN, 10},
};

static const char *look_word(const struct ha_kind *kind, const struct look *table, int lane) {
    if (table[lane].word)
        return table[lane].word;
    if (table == arbiter_looks)
        return lane == ARBITER_LANE_LEADER ? kind->arbiter_leads : kind->arbiter_follows;
    return lane == LANE_WRITABLE_WITHOUT_KEY ? kind->alone.row : kind->stuck_row;
}

// The time at which a column begins.
static usec_t span_at(const struct span *s, int col) {
    return s->from + (usec_t)((double)(s->to - s->from) * col / (s->cols > 0 ? s->cols : 1));
}

int span_col(const struct span *s, usec_t t) {
    if (t == USEC_NEVER || t >= s->to)
        return s->cols;
    if (t < s->from)
        return -1;
    return (int)((double)(t - s->from) * s->cols / (double)(s->to - s->from));
}

// The first segment that ends after t.
static size_t segment_after(const segment_list *l, usec_t t) {
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (l->items[mid].to <= t)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int lane_in(const segment_list *l, const struct look *table, usec_t from, usec_t to, usec_t now) {
    int best = -1;
    for (size_t i = segment_after(l, from); i < l->n && l->items[i].from < to && l->items[i].from <= now; i++)
        if (best < 0 || table[l->items[i].lane].weight > table[best].weight)
            best = (int)l->items[i].lane;
    return best;
}

static void draw_lane(struct canvas *c, struct rect area, int y, const struct span *s, const segment_list *l,
                      const struct look *table, const struct dash *d) {
    int begun = 0, last = -1;
    usec_t now = d->now;
    for (int col = 0; col <= s->cols; col++) {
        usec_t from = span_at(s, col);
        int lane = col == s->cols || from > now ? -1 : lane_in(l, table, from, span_at(s, col + 1), now);
        if (lane != last) {
            const char *word = last >= 0 ? look_word(d->model->kind, table, last) : "";
            if (last >= 0 && col - begun >= (int)strlen(word) + 3)
                (void)canvas_text(c, area, y, TIMELINE_LEFT + begun + 1, table[last].tone, " %s ", word);
            begun = col;
            last = lane;
        }
        if (lane >= 0)
            (void)canvas_text(c, area, y, TIMELINE_LEFT + col, table[lane].tone, "%s",
                              c->utf8 ? table[lane].utf8 : table[lane].ascii);
    }
}

void timeline_node(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d, size_t node) {
    const struct model_node *n = &d->model->nodes[node];
    bool pg = n->services & SERVICE_POSTGRES;
    (void)canvas_field(c, area, y, 1, TIMELINE_LEFT - 2, TONE_STRONG, n->name);
    draw_lane(c, area, y, s, pg ? &d->history->lanes[node] : &d->history->arbiter_lanes[node],
              pg ? looks : arbiter_looks, d);
}

void timeline_leaders(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d) {
    (void)canvas_field(c, area, y, 1, TIMELINE_LEFT - 2, TONE_STRONG, d->model->kind->lead);
    int end = -1; // nothing is drawn over the label before
    const char *before = "";
    VEC_FOREACH (&d->history->leadership.keys, k) {
        int col = span_col(s, k->t);
        bool news = !str_eq(k->value, before);
        before = k->value;
        if (!news || col < 0 || col >= s->cols || k->t > d->now)
            continue;
        if (col < end)
            col = end;
        int x = TIMELINE_LEFT + col;
        enum tone tone = k->gone ? TONE_BAD : TONE_LEADER;
        (void)canvas_sign(c, area, y, x, tone, k->gone ? SIGN_BAD : SIGN_LEADER);
        end = canvas_text(c, area, y, x + 1, tone, "%s", k->gone ? "gone" : k->value) - TIMELINE_LEFT;
    }
}

static void draw_band(struct canvas *c, struct rect area, int y, const struct span *s, usec_t from, usec_t to,
                      usec_t now, enum tone tone, enum sign sign) {
    usec_t last = to == USEC_NEVER || to > now ? now : to;
    int a = span_col(s, from), b = span_col(s, last);
    if (a >= s->cols || last < s->from || from > now)
        return;
    a = a < 0 ? 0 : a;
    for (int col = a; col < s->cols && (col < b || col == a); col++)
        (void)canvas_sign(c, area, y, TIMELINE_LEFT + col, tone, sign);
}

void timeline_outages(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d) {
    (void)canvas_field(c, area, y, 1, TIMELINE_LEFT - 2, TONE_STRONG, "outage");
    VEC_FOREACH (&d->history->felt.writes, o) {
        usec_t end = outages_until(&d->history->felt, o, d->now);
        draw_band(c, area, y, s, o->from, end, d->now, TONE_BAD, SIGN_BAD);
        int a = span_col(s, o->from), b = span_col(s, end);
        char text[SHORT_MAX];
        a = a < 0 ? 0 : a;
        if (b - a >= 14)
            (void)canvas_text(c, area, y, TIMELINE_LEFT + a + 1, TONE_BAD, " %s ",
                              seconds_text(text, end > o->from ? end - o->from : 0));
    }
}

// The application tried nothing: that no write came back then says nothing of the cluster.
static bool stood_still(const struct history *h, usec_t t) {
    for (size_t i = h->still.n; i > 0 && h->still.items[i - 1].to > t; i--)
        if (h->still.items[i - 1].from <= t)
            return true;
    return false;
}

// Writes acknowledged, as a bar per column against the most of any column in sight.
void timeline_writes(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d) {
    double sums[1024] = {0}, most = 0;
    bool any[1024] = {0};
    (void)canvas_field(c, area, y, 1, TIMELINE_LEFT - 2, TONE_STRONG, "writes");
    for (size_t i = d->history->ticks.n; i > 0 && d->history->ticks.items[i - 1].at >= s->from; i--) {
        const struct tick *t = &d->history->ticks.items[i - 1];
        int col = span_col(s, t->at);
        if (col < 0 || col >= s->cols || col >= 1024 || t->at >= d->now)
            continue;
        any[col] = true;
        sums[col] += t->w_ok;
    }
    double sum = 0, n = 0;
    for (int col = 0; col < s->cols && col < 1024; col++) {
        sum += sums[col];
        n += sums[col] > 0;
    }
    most = n > 0 ? 1.3 * sum / n : 1; // the usual is a high bar; the burst after an outage is no more than that
    for (int col = 0; col < s->cols && col < 1024; col++)
        if (sums[col] > 0)
            column_bar(c, area, y, TIMELINE_LEFT + col, 1, TONE_GOOD, sums[col], most);
        else if (stood_still(d->history, span_at(s, col)))
            (void)canvas_text(c, area, y, TIMELINE_LEFT + col, TONE_WARN, "%s",
                              c->utf8 ? looks[LANE_UNWATCHED].utf8 : looks[LANE_UNWATCHED].ascii);
        else if (any[col])
            (void)canvas_text(c, area, y, TIMELINE_LEFT + col, TONE_BAD, "x");
}

void timeline_fault(struct canvas *c, struct rect area, int y, const struct span *s, const struct fault_band *f,
                    usec_t now) {
    (void)canvas_field(c, area, y, 1, TIMELINE_LEFT - 2, TONE_FAULT, f->id);
    draw_band(c, area, y, s, f->from, f->to, now, TONE_FAULT, SIGN_FAULT);
    int a = span_col(s, f->from), b = span_col(s, f->to == USEC_NEVER || f->to > now ? now : f->to);
    a = a < 0 ? 0 : a;
    int len = (int)strlen(f->mechanism) + (int)strlen(f->nodes) + 5;
    if (f->from > now || a >= s->cols)
        return;
    if (b - a > len + 2)
        (void)canvas_text(c, area, y, TIMELINE_LEFT + a + 1, TONE_FAULT, " %s on %s ", f->mechanism, f->nodes);
    else if (b >= 0 && (b > a ? b : a + 1) + len < s->cols)
        (void)canvas_text(c, area, y, TIMELINE_LEFT + (b > a ? b : a + 1) + 1, TONE_DIM, "%s on %s", f->mechanism,
                          f->nodes);
    else if (b >= 0 && a >= len)
        (void)canvas_text(c, area, y, TIMELINE_LEFT + a - len, TONE_DIM, "%s on %s", f->mechanism, f->nodes);
}

int timeline_legend(struct canvas *c, struct rect area, int y, const struct dash *d) {
    static const enum lane order[] = {LANE_LEADER,
                                      LANE_REPLICA,
                                      LANE_STANDBY_ALONE,
                                      LANE_LEADER_NOT_WRITABLE,
                                      LANE_WRITABLE_WITHOUT_KEY,
                                      LANE_STARTING,
                                      LANE_DOWN,
                                      LANE_OFF};
    int x = 1, row = 0;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const struct look *l = &looks[order[i]];
        const char *word = look_word(d->model->kind, looks, (int)order[i]);
        int len = (int)strlen(word) + 4;
        if (x + len > area.cols) {
            row++;
            x = 1;
        }
        x = canvas_text(c, area, y + row, x, l->tone, "%s", c->utf8 ? l->utf8 : l->ascii);
        x = canvas_text(c, area, y + row, x + 1, TONE_DIM, "%s  ", word);
    }
    return row + 1;
}
