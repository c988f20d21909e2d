// SPDX-License-Identifier: PostgreSQL
// When a step starts (at, after, when) and what a wait waits for.
#include "lab/scenario/steps/step_reader.h"

#include "lab/scenario/yaml/scalar.h"

#define WITHIN_DEFAULT                                                                                                 \
    MINUTE // long enough for a failover at ttl 30 and its worst case, short enough to notice a mistake

int step_find(const struct plan *plan, const char *name) {
    for (size_t i = 0; i < plan->steps.n; i++)
        if (str_eq(plan->steps.items[i].name, name))
            return (int)i;
    return -1;
}

// A file whose syntax broke may hold the step further down: no complaint then.
int step_named(const struct step_reader *s, const struct ynode *n, const char *text) {
    int found = step_find(s->plan, text);
    if (found >= 0 || !s->r->whole)
        return found;
    cleanup_words struct words names = {0};
    for (size_t i = 0; i < s->plan->steps.n; i++)
        if (i != s->index)
            words_add(&names, s->plan->steps.items[i].name);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&names, &list);
    complain(s->r, n->mark, "there is no step '%s'%s; steps: %s", SHOWN(text), HINT(text, words_all(&names)),
             names.list.n ? strbuf_str(&list) : "none but this one");
    return -1;
}

// ---- when it starts -------------------------------------------------------------------------------------------------

static void read_delay(const struct step_reader *s, const struct ynode *n) {
    usec_t delay = 0;
    read_duration(s->r, n, &delay);
    s->step->delay += delay;
}

static void read_after_step(const struct step_reader *s, const struct ynode *n) {
    const char *text = text_of(s->r, n, "the name of a step");
    int found = text ? step_named(s, n, text) : -1;
    if (found >= 0)
        s->step->after = found;
}

static void read_after_text(const struct step_reader *s, const struct ynode *n) {
    usec_t delay;
    double number;
    char why[WHY_MAX];
    if (usec_parse(n->text, &delay) == 0)
        s->step->delay += delay;
    else if (scalar_number(n->text, &number, why))
        read_delay(s, n); // complains about the unit
    else
        read_after_step(s, n);
}

static void read_after(const struct step_reader *s, const struct ynode *n) {
    struct {
        const struct ynode *step, *delay;
    } draft = {0};
    const struct field fields[] = {{"step", read_node, 0, true}, {"delay", read_node, sizeof draft.step, false}, {0}};
    s->marks->after = n->mark;
    if (n->kind == YNODE_TEXT) {
        read_after_text(s, n);
        return;
    }
    if (n->kind != YNODE_MAP) {
        complain_kind(s->r, n, "the name of a step, a duration after the previous step, or {step: NAME, delay: 5s}");
        return;
    }
    decode_fields(s->r, n, "'after'", fields, &draft);
    if (draft.step)
        read_after_step(s, draft.step);
    if (draft.delay)
        read_delay(s, draft.delay);
}

void step_read_start(const struct step_reader *s) {
    const struct draft *d = s->draft;
    s->step->after = (int)s->index - 1; // by default: one after the other
    if (d->at) {
        s->step->after = -1;
        read_delay(s, d->at);
    }
    if (d->after && d->at)
        complain(s->r, d->after->key_mark,
                 "'at' and 'after' exclude each other: one counts from the beginning, the other "
                 "from a step's end");
    else if (d->after)
        read_after(s, d->after);
}

// `when`, or the `becomes` of a wait, with its hold and deadline.
static void read_when(const struct step_reader *s, const struct ynode *when, const struct ynode *hold,
                      const struct ynode *within) {
    s->marks->when = when->mark;
    (void)condition_read(s->r, when, &s->step->when);
    s->step->within = WITHIN_DEFAULT;
    if (hold)
        read_duration(s->r, hold, &s->step->hold);
    if (within)
        read_duration(s->r, within, &s->step->within);
    if (within && s->step->within == 0)
        complain(s->r, within->mark, "'within: 0' leaves no moment in which the condition could be seen");
    else if (hold && s->step->hold > s->step->within)
        complain(s->r, hold->mark, "the condition shall hold longer than its deadline ('within') allows");
}

void step_read_when(const struct step_reader *s) {
    const struct draft *d = s->draft;
    if (d->when) {
        read_when(s, d->when, d->hold, d->within);
        return;
    }
    if (d->hold && d->inject)
        complain(s->r, d->hold->key_mark,
                 "'for' belongs to 'when'; for an injection that ends by itself write 'duration'");
    else if (d->hold)
        complain(s->r, d->hold->key_mark,
                 "'for' needs a 'when' (in a wait it stands inside: wait: {stays: ..., for: 10s})");
    if (d->within)
        complain(s->r, d->within->key_mark,
                 "'within' needs a 'when' (in a wait it stands inside: wait: {becomes: ..., "
                 "within: 60s})");
}

// ---- waits ----------------------------------------------------------------------------------------------------------

struct wait_draft {
    const struct ynode *becomes, *stays, *hold, *within;
};
static const struct field wait_fields[] = {{"becomes", read_node, offsetof(struct wait_draft, becomes), false},
                                           {"stays", read_node, offsetof(struct wait_draft, stays), false},
                                           {"for", read_node, offsetof(struct wait_draft, hold), false},
                                           {"within", read_node, offsetof(struct wait_draft, within), false},
                                           {0}};

static void read_becomes(const struct step_reader *s, const struct ynode *becomes, const struct ynode *hold,
                         const struct ynode *within) {
    if (s->draft->when)
        complain(s->r, s->draft->when->key_mark, "a wait has no 'when' beside its own condition: join them with 'and'");
    else
        read_when(s, becomes, hold, within);
}

static void read_stays(const struct step_reader *s, const struct wait_draft *w) {
    s->marks->stays = w->stays->mark;
    if (s->draft->when)
        step_read_when(s); // the watch begins when this has come true
    (void)condition_read(s->r, w->stays, &s->step->stays);
    if (w->within)
        complain(s->r, w->within->key_mark,
                 "'within' belongs to 'becomes'; 'stays' holds from its beginning, 'for' a time");
    if (w->hold)
        read_duration(s->r, w->hold, &s->step->stays_for);
    else if (s->r->whole)
        complain(s->r, w->stays->key_mark, "'stays' needs 'for': how long the condition has to hold");
    if (w->hold && w->hold->kind == YNODE_TEXT && str_eq(w->hold->text, "0"))
        complain(s->r, w->hold->mark, "'for: 0' would watch no moment at all");
}

static void read_wait_map(const struct step_reader *s, const struct ynode *n) {
    struct wait_draft w = {0};
    decode_fields(s->r, n, "a wait", wait_fields, &w);
    if (w.becomes && w.stays)
        complain(s->r, w.stays->key_mark, "'becomes' and 'stays' exclude each other: write two steps");
    else if (w.becomes)
        read_becomes(s, w.becomes, w.hold, w.within);
    else if (w.stays)
        read_stays(s, &w);
    else if (s->r->whole)
        complain(s->r, n->mark, "a wait needs 'becomes' or 'stays' (for a mere pause write 'wait: 5s')");
}

void step_read_wait(const struct step_reader *s, const struct ynode *n) {
    usec_t delay;
    double number;
    char why[WHY_MAX];
    if (n->kind == YNODE_MAP)
        read_wait_map(s, n);
    else if (n->kind != YNODE_TEXT)
        complain_kind(s->r, n,
                      "a duration, a condition, or {becomes: CONDITION, within: 60s} or {stays: CONDITION, for: 10s}");
    else if (usec_parse(n->text, &delay) < 0 && !scalar_number(n->text, &number, why))
        read_becomes(s, n, NULL, NULL);
    else {
        read_delay(s, n);
        if (s->draft->when)
            complain(s->r, s->draft->when->key_mark, "a pause has no 'when': write a step for each");
    }
}
