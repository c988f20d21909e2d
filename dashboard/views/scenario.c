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
    const char *word;
    int sign;
    enum tone tone;
} states[STEP_STATUS_UNKNOWN + 1] = {
    [STEP_STATUS_NONE] = {"", SIGN_GOOD, TONE_GOOD},
    [STEP_STATUS_WAITING] = {"waiting", SIGN_WARN, TONE_WARN},
    [STEP_STATUS_STARTED] = {"at work", SIGN_RIGHT, TONE_STRONG},
    [STEP_STATUS_DONE] = {"done", SIGN_GOOD, TONE_GOOD},
    [STEP_STATUS_FAILED] = {"FAILED", SIGN_BAD, TONE_BAD},
    [STEP_STATUS_SKIPPED] = {"skipped", SIGN_OFF, TONE_DIM},
    [STEP_STATUS_UNKNOWN] = {"?", SIGN_WARN, TONE_WARN},
};

enum { COL_NUMBER, COL_NAME, COL_STATE, COL_TIME, COL_DETAIL };
static const struct column columns[] = {
    [COL_NUMBER] = {"#", 3, 0, true}, [COL_NAME] = {"STEP", 14, 0, false},  [COL_STATE] = {"STATE", 9, 0, false},
    [COL_TIME] = {"AT", 8, 0, true},  [COL_DETAIL] = {"WHAT", 0, 0, false},
};

static const struct step_entry *step_of(const struct history *h, int64_t index) {
    VEC_FOREACH (&h->steps, s)
        if (s->index == index)
            return s;
    return NULL;
}

// ---- a record without the plan: what has begun ---------------------------------------------------------------------

static void state_cell(enum step_status state, struct piece *p) {
    piece_set(p, states[state].tone, states[state].sign, "%s", states[state].word);
}

static void begun_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct history *h = arg;
    const struct step_entry *s = &h->steps.items[row];
    char stamp[SHORT_MAX];
    switch (column) {
    case COL_NUMBER:
        piece_set(p, TONE_DIM, -1, s->index < 0 ? "" : "%" PRId64, s->index + 1);
        break;
    case COL_NAME:
        piece_set(p, TONE_STRONG, -1, "%s", s->name);
        break;
    case COL_STATE:
        if (s->index < 0)
            piece_set(p, TONE_GOOD, SIGN_GOOD, "begun");
        else
            state_cell(s->state, p);
        break;
    case COL_TIME:
        piece_set(p, TONE_DIM, -1, "%s", stamp_text(stamp, s->t));
        break;
    default:
        piece_set(p, TONE_PLAIN, -1, "%s", s->detail);
        break;
    }
}

// ---- the whole plan ------------------------------------------------------------------------------------------------

static const struct fault_band *deed_of(const struct history *h, const char *id) {
    VEC_FOREACH (&h->faults, f)
        if (str_eq(f->id, id))
            return f;
    VEC_FOREACH (&h->acts, f)
        if (str_eq(f->id, id))
            return f;
    return NULL;
}

// Begun: what was done to whom, or what is waited for; else what it is going to do.
static void plan_words(const struct history *h, size_t row, struct piece *p) {
    const struct plan_entry *planned = &h->planned.items[row];
    const struct step_entry *s = step_of(h, (int64_t)row);
    const struct fault_band *deed = s ? deed_of(h, planned->name) : NULL;
    if (s && (s->state == STEP_STATUS_FAILED || s->state == STEP_STATUS_WAITING))
        piece_set(p, TONE_PLAIN, -1, "%s", s->detail);
    else if (deed && *deed->nodes)
        piece_set(p, TONE_PLAIN, -1, "%s on %s", deed->mechanism, deed->nodes);
    else if (h->next.index == (int64_t)row)
        piece_set(p, TONE_PLAIN, -1, "%s", h->next.text);
    else
        piece_set(p, s ? TONE_PLAIN : TONE_DIM, -1, "%s", planned->text);
}

static bool is_next(const struct history *h, size_t row) {
    return h->next.told && h->next.index == (int64_t)row && !h->end_reason;
}

static void plan_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct history *h = arg;
    const struct step_entry *s = step_of(h, (int64_t)row);
    char stamp[SHORT_MAX];
    bool next = is_next(h, row) && (!s || h->next.stands);
    switch (column) {
    case COL_NUMBER:
        piece_set(p, TONE_DIM, -1, "%zu", row + 1);
        break;
    case COL_NAME:
        piece_set(p, TONE_STRONG, -1, "%s", h->planned.items[row].name);
        break;
    case COL_STATE:
        if (next)
            piece_set(p, TONE_STRONG, SIGN_RIGHT, "next");
        else if (s)
            state_cell(s->state, p);
        else
            piece_set(p, TONE_DIM, SIGN_OFF, "to come");
        break;
    case COL_TIME:
        piece_set(p, TONE_DIM, -1, "%s", s && !next ? stamp_text(stamp, s->t) : "");
        break;
    default:
        plan_words(h, row, p);
        break;
    }
}

// The last step that has begun, so that a long plan shows where the run is.
static size_t last_begun(const struct history *h) {
    int64_t last = 0;
    VEC_FOREACH (&h->steps, s)
        last = s->index > last ? s->index : last;
    return h->next.told && h->next.stands && h->next.index > last ? (size_t)h->next.index : (size_t)last;
}

static int draw_steps(struct scenario *v, struct canvas *c, struct rect area, int y, int room,
                      const struct history *h) {
    bool whole = h->planned.n > 0;
    size_t n = whole ? h->planned.n : h->steps.n, follows = whole ? last_begun(h) + 1 : n;
    heading(c, area, y++, "Steps", whole ? NULL : "a step is listed once the one before it has ended");
    if (!n) {
        (void)canvas_text(
            c, area, y++, 1, TONE_DIM,
            "none has begun: the scenario starts when the cluster is complete and the application writes");
        return y;
    }
    scroll_to_show(&v->steps, v->steps.follow && follows < n ? follows : n, (size_t)room);
    return y +
           (int)table_draw(c, rect_rows(area, y, room + 1), columns, (int)ARRAY_SIZE(columns), n, v->steps.first,
                           v->steps.selected, whole ? plan_cell : begun_cell, h) +
           1;
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

static int draw_field(struct canvas *c, struct rect area, int y, const char *name, enum tone tone, enum sign sign,
                      const char *text) {
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, name);
    (void)canvas_sign(c, area, y, 9, tone, sign);
    return y + paragraph_most(c, rect_cols(rect_rows(area, y, -1), 11, -1), 0, 0, 3, tone, text);
}

// What a step waits for now, whole, for the table cuts it.
static int draw_step_now(struct canvas *c, struct rect area, int y, const struct dash *d, const struct step_entry *s) {
    char since[SHORT_MAX];
    bool waits = s->state == STEP_STATUS_WAITING;
    cleanup_strbuf struct strbuf b = {0};
    // "for 'condition': what was missing": the second half was true when the waiting began, it may not be now.
    const char *why = strstr(s->detail, "': ");
    int words = why ? (int)(why - s->detail) + 1 : (int)strlen(s->detail);
    strbuf_addf(&b, "%s: %s %.*s, for %s so far", s->name, waits ? "waiting" : "at work:", words, s->detail,
                seconds_text(since, d->now > s->t ? d->now - s->t : 0));
    if (why)
        strbuf_addf(&b, " (when that began: %s)", why + 3);
    return draw_field(c, area, y, "Now", waits ? TONE_WARN : TONE_STRONG, waits ? SIGN_WARN : SIGN_RIGHT,
                      strbuf_str(&b));
}

static const struct step_entry *step_now(const struct history *h) {
    VEC_FOREACH (&h->steps, s) {
        bool stands_still = h->next.told && h->next.stands && s->index >= h->next.index;
        if (s->index >= 0 && !stands_still && (s->state == STEP_STATUS_WAITING || s->state == STEP_STATUS_STARTED))
            return s;
    }
    return NULL;
}

// No step is under way. The lab's progress is of its start and of its end: in between it says what was.
static void between_words(const struct dash *d, char *buf, size_t size) {
    const struct history *h = d->history;
    bool ready = h->lab_state == LAB_STATE_READY, begun = step_of(h, -1);
    char why[EVENT_TEXT_MAX];
    if (!ready)
        (void)str_copy(buf, size, d->model->progress);
    else if (begun)
        (void)str_copy(buf, size, "no step is left: what is still broken is healed, and every member is waited for");
    else if (model_complete(d->model, why, sizeof why))
        (void)str_copy(buf, size, "the cluster is complete: it settles, and the application's writes are waited for");
    else
        (void)snprintf(buf, size, "waiting for a complete cluster: %s", why);
}

static int draw_now(struct canvas *c, struct rect area, int y, const struct dash *d) {
    const struct history *h = d->history;
    char text[EVENT_TEXT_MAX + 80] = "";
    const struct step_entry *s = step_now(h);
    if (h->end_reason || !*h->scenario)
        return y;
    if (s)
        return draw_step_now(c, area, y, d, s);
    if (h->next.told && h->next.stands) {
        (void)snprintf(text, sizeof text, "HELD before step %" PRId64 ", '%s'%s", h->next.index + 1, h->next.name,
                       d->live && d->alive ? ": n takes this step, p goes on by itself" : "");
        return draw_field(c, area, y, "Now", TONE_WARN, SIGN_WARN, text);
    }
    between_words(d, text, sizeof text);
    return *text ? draw_field(c, area, y, "Now", TONE_PLAIN, SIGN_RIGHT, text) : y;
}

static int draw_next(struct canvas *c, struct rect area, int y, const struct history *h) {
    char text[EVENT_TEXT_MAX + 80];
    if (h->end_reason || !h->next.told || h->next.index < 0)
        return y;
    (void)snprintf(text, sizeof text, "%s: %s", h->next.name, h->next.text);
    return draw_field(c, area, y, "Next", TONE_PLAIN, SIGN_RIGHT, text);
}

static const char *end_words(enum end_reason reason) {
    switch (reason) {
    case END_REASON_COMPLETED:
        return "every step was done; `bascule report` judges the rest";
    case END_REASON_EXPECTATION:
        return "a condition of the scenario was not met";
    case END_REASON_UNVERIFIED:
        return "a fault could not be verified: the run proves nothing";
    case END_REASON_UNWATCHED:
        return "nobody watched when it mattered: the run proves nothing";
    case END_REASON_INTERRUPTED:
        return "somebody stopped it";
    case END_REASON_BROKEN:
        return "the lab broke";
    case END_REASON_SKIPPED:
        return "this machine can't run it";
    case END_REASON_NONE:
    case END_REASON_UNKNOWN:
        return "";
    }
    return "";
}

static int draw_end(struct canvas *c, struct rect area, int y, const struct history *h) {
    if (!h->end_reason)
        return y;
    bool good = h->end_reason == END_REASON_COMPLETED;
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Ended");
    int x = canvas_sign(c, area, y, 9, good ? TONE_GOOD : TONE_BAD, good ? SIGN_GOOD : SIGN_BAD);
    (void)canvas_text(c, area, y++, x + 1, good ? TONE_GOOD : TONE_BAD, "%s: %s", end_reason_name(h->end_reason),
                      end_words(h->end_reason));
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
    if (e->kind == EXPECT_WRITE_OUTAGE && o)
        piece_set(p, TONE_PLAIN, -1, "so far %s%s", seconds_text(text, longest),
                  o->to == USEC_NEVER ? ", going on" : "");
    else if (e->kind == EXPECT_WRITE_OUTAGE)
        piece_set(p, TONE_PLAIN, -1, "so far no outage");
    else
        piece_set(p, TONE_DIM, -1, "judged at the end");
}

static void draw_expects(struct canvas *c, struct rect area, const struct dash *d) {
    int y = 0;
    if (!d->history->expects.n)
        (void)canvas_text(c, area, y, 1, TONE_DIM, "nothing in particular");
    const int column = 20, narrow = 28, wide = 34; // wide: limits and the law; what was seen so far is told behind it
    int width = narrow;
    VEC_FOREACH (&d->history->expects, e)
        width = strlen(e->text) > (size_t)narrow ? wide : width;
    VEC_FOREACH (&d->history->expects, e) {
        struct piece p;
        expect_so_far(d, e, &p);
        (void)canvas_field(c, area, y, 1, 18, TONE_PLAIN, expect_kind_name(e->kind));
        (void)canvas_field(c, area, y, column, width, TONE_STRONG, e->text);
        (void)piece_draw(c, area, y++, column + width + 1, area.cols - column - width - 2, &p);
    }
}

static void scenario_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct scenario *v = view;
    const struct history *h = d->history;
    int y = draw_title(c, area, d);
    y = draw_now(c, area, y, d);
    y = draw_next(c, area, y, h);
    y = draw_end(c, area, y, h);
    int expects = (int)h->expects.n + 1, room = area.rows - y - expects - 3;
    room = room < 3 ? 3 : room;
    y = draw_steps(v, c, area, y, room, h);
    if (y < area.rows)
        heading(c, area, y++, "Expected", NULL);
    draw_expects(c, rect_rows(area, y, -1), d);
}

static bool scenario_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct scenario *v = view;
    const struct history *h = d->history;
    return scroll_key(&v->steps, nav_of(key), h->planned.n ? h->planned.n : h->steps.n, 10);
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
