// SPDX-License-Identifier: PostgreSQL
// The scenario: what was done, what it waits for, what comes next; what is expected; how it ended.
#include "dashboard/views/parts.h"

struct scenario {
    struct scroll steps;
};

static void *scenario_open(void) {
    struct scenario *v = xcalloc(1, sizeof *v);
    v->steps.follow = true;
    return v;
}

static const struct {
    const char *state, *word;
    int sign;
    enum tone tone;
} states[] = {
    {"done", "done", SIGN_GOOD, TONE_GOOD},       {"started", "at work", SIGN_RIGHT, TONE_STRONG},
    {"waiting", "waiting", SIGN_WARN, TONE_WARN}, {"failed", "FAILED", SIGN_BAD, TONE_BAD},
    {"skipped", "skipped", SIGN_OFF, TONE_DIM},
};

enum { COL_NUMBER, COL_NAME, COL_STATE, COL_TIME, COL_DETAIL };
static const struct column columns[] = {
    [COL_NUMBER] = {"#", 3, 0, true}, [COL_NAME] = {"STEP", 14, 0, false},  [COL_STATE] = {"STATE", 9, 0, false},
    [COL_TIME] = {"AT", 8, 0, true},  [COL_DETAIL] = {"WHAT", 0, 0, false},
};

static void step_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct history *h = arg;
    const struct step_entry *s = &h->steps.items[row];
    char stamp[SHORT_MAX];
    size_t i = 0;
    while (i < ARRAY_SIZE(states) && !str_eq(states[i].state, s->state))
        i++;
    bool begin = s->index < 0;
    switch (column) {
    case COL_NUMBER:
        piece_set(p, TONE_DIM, -1, begin ? "" : "%" PRId64, s->index + 1);
        break;
    case COL_NAME:
        piece_set(p, TONE_STRONG, -1, "%s", s->name);
        break;
    case COL_STATE:
        if (begin || i == ARRAY_SIZE(states))
            piece_set(p, TONE_GOOD, SIGN_GOOD, "%s", begin ? "begun" : s->state);
        else
            piece_set(p, states[i].tone, states[i].sign, "%s", states[i].word);
        break;
    case COL_TIME:
        piece_set(p, TONE_DIM, -1, "%s", stamp_text(stamp, s->t));
        break;
    default:
        piece_set(p, TONE_PLAIN, -1, "%s", s->detail);
        break;
    }
}

static int draw_title(struct canvas *c, struct rect area, const struct dash *d) {
    const struct history *h = d->history;
    int y = 0;
    if (*h->scenario) {
        int x = canvas_text(c, area, y, 1, TONE_STRONG, "%s", h->title);
        (void)canvas_text(c, area, y++, x, TONE_DIM, "  (%s)", h->scenario);
    } else {
        (void)canvas_text(c, area, y++, 1, TONE_STRONG, "No scenario: this lab was started by hand (`bascule up`)");
    }
    (void)canvas_text(c, area, y++, 1, TONE_DIM, "topology %s, seed %" PRIu64 ", bascule %s", h->topology, h->seed,
                      h->program);
    return y;
}

// What it waits for now, whole, for the table cuts it.
static int draw_now(struct canvas *c, struct rect area, int y, const struct dash *d) {
    const struct history *h = d->history;
    char since[SHORT_MAX];
    VEC_FOREACH (&h->steps, s) {
        if (*h->end_reason || s->index < 0 || !(str_eq(s->state, "waiting") || str_eq(s->state, "started")))
            continue;
        bool waits = str_eq(s->state, "waiting");
        (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Now");
        (void)canvas_sign(c, area, y, 9, waits ? TONE_WARN : TONE_STRONG, waits ? SIGN_WARN : SIGN_RIGHT);
        struct rect rest = rect_cols(rect_rows(area, y, 2), 11, -1);
        cleanup_strbuf struct strbuf b = {0};
        // "for 'condition': what was missing": the second half was true when the waiting began, it may not be now.
        const char *why = strstr(s->detail, "': ");
        int words = why ? (int)(why - s->detail) + 1 : (int)strlen(s->detail);
        strbuf_addf(&b, "%s: %s %.*s, for %s so far", s->name, waits ? "waiting" : "at work:", words, s->detail,
                    seconds_text(since, d->now > s->t ? d->now - s->t : 0));
        if (why)
            strbuf_addf(&b, " (when that began: %s)", why + 3);
        return y + paragraph(c, rest, 0, 0, waits ? TONE_WARN : TONE_STRONG, strbuf_str(&b));
    }
    if (*d->model->progress && !*h->end_reason) {
        (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Now");
        (void)canvas_field(c, area, y, 9, area.cols - 10, TONE_PLAIN, d->model->progress);
        return y + 1;
    }
    return y;
}

static int draw_end(struct canvas *c, struct rect area, int y, const struct history *h) {
    static const struct {
        const char *reason, *words;
        bool good;
    } reasons[] = {
        {"completed", "every step was done; `bascule report` judges the rest", true},
        {"expectation", "a condition of the scenario was not met", false},
        {"unverified", "a fault could not be verified: the run proves nothing", false},
        {"unwatched", "nobody watched when it mattered: the run proves nothing", false},
        {"interrupted", "somebody stopped it", false},
        {"broken", "the lab broke", false},
        {"skipped", "this machine can't run it", false},
    };
    if (!*h->end_reason)
        return y;
    size_t i = 0;
    while (i < ARRAY_SIZE(reasons) && !str_eq(reasons[i].reason, h->end_reason))
        i++;
    bool good = i < ARRAY_SIZE(reasons) && reasons[i].good;
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Ended");
    int x = canvas_sign(c, area, y, 9, good ? TONE_GOOD : TONE_BAD, good ? SIGN_GOOD : SIGN_BAD);
    (void)canvas_text(c, area, y++, x + 1, good ? TONE_GOOD : TONE_BAD, "%s: %s", h->end_reason,
                      i < ARRAY_SIZE(reasons) ? reasons[i].words : "");
    if (*h->end_detail)
        y = paragraph(c, area, y, 11, TONE_PLAIN, h->end_detail);
    return y;
}

// What is known of an expectation while the run goes on: only the write outage is measured live.
static void expect_so_far(const struct dash *d, const struct expect_entry *e, struct piece *p) {
    const struct outage *o = last_outage(d->history);
    char text[SHORT_MAX];
    usec_t longest = 0;
    VEC_FOREACH (&d->history->felt.writes, x) {
        usec_t end = outages_until(&d->history->felt, x, d->now);
        longest = end > x->from && end - x->from > longest ? end - x->from : longest;
    }
    if (str_eq(e->kind, "write_outage") && o)
        piece_set(p, TONE_PLAIN, -1, "so far %s%s", seconds_text(text, longest),
                  o->to == USEC_NEVER ? ", going on" : "");
    else if (str_eq(e->kind, "write_outage"))
        piece_set(p, TONE_PLAIN, -1, "so far no outage");
    else
        piece_set(p, TONE_DIM, -1, "judged at the end");
}

static void draw_expects(struct canvas *c, struct rect area, const struct dash *d) {
    int y = 0;
    if (!d->history->expects.n)
        (void)canvas_text(c, area, y, 1, TONE_DIM, "nothing in particular");
    VEC_FOREACH (&d->history->expects, e) {
        struct piece p;
        expect_so_far(d, e, &p);
        (void)canvas_field(c, area, y, 1, 18, TONE_PLAIN, e->kind);
        (void)canvas_field(c, area, y, 20, 28, TONE_STRONG, e->text);
        (void)piece_draw(c, area, y++, 49, area.cols - 50, &p);
    }
}

static void scenario_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct scenario *v = view;
    const struct history *h = d->history;
    int y = draw_title(c, area, d);
    y = draw_now(c, area, y, d);
    y = draw_end(c, area, y, h);
    int expects = (int)h->expects.n + 1, room = area.rows - y - expects - 3;
    room = room < 3 ? 3 : room;
    heading(c, area, y++, "Steps", "a step is listed once the one before it has ended");
    scroll_to_show(&v->steps, h->steps.n, (size_t)room);
    if (!h->steps.n)
        (void)canvas_text(
            c, area, y++, 1, TONE_DIM,
            "none has begun: the scenario starts when the cluster is complete and the application writes");
    else
        y += (int)table_draw(c, rect_rows(area, y, room + 1), columns, (int)ARRAY_SIZE(columns), h->steps.n,
                             v->steps.first, v->steps.selected, step_cell, h) +
             1;
    if (y < area.rows)
        heading(c, area, y++, "Expected", NULL);
    draw_expects(c, rect_rows(area, y, -1), d);
}

static bool scenario_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct scenario *v = view;
    return scroll_key(&v->steps, nav_of(key), d->history->steps.n, 10);
}

const struct view_ops view_scenario = {
    .name = "scenario",
    .title = "Scenario",
    .letter = 'S',
    .open = scenario_open,
    .draw = scenario_draw,
    .key = scenario_key,
    .help = "Up Down  scroll the steps, End follows them\n"
            "n        let a held scenario take its next step, p holds it\n"
            "Expected outages are measured while they happen; all else is judged at the end\n",
    .close = free,
};
