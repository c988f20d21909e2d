// SPDX-License-Identifier: PostgreSQL
// Steps, in two passes: first all names (a step may name a later one), then each step's own keys.
#include "lab/scenario/steps/step_reader.h"

#define STEP_FIELD(key, member)                                                                                        \
    { key, read_node, offsetof(struct draft, member), false }
static const struct field step_fields[] = {STEP_FIELD("name", name),         STEP_FIELD("inject", inject),
                                           STEP_FIELD("heal", heal),         STEP_FIELD("do", act),
                                           STEP_FIELD("wait", wait),         STEP_FIELD("target", target),
                                           STEP_FIELD("with", with),         STEP_FIELD("at", at),
                                           STEP_FIELD("after", after),       STEP_FIELD("when", when),
                                           STEP_FIELD("for", hold),          STEP_FIELD("within", within),
                                           STEP_FIELD("duration", duration), {0}};

// ---- names ----------------------------------------------------------------------------------------------------------

static bool step_name_ok(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    usec_t duration;
    if (!*name || strlen(name) >= STEP_NAME_MAX || strspn(name, allowed) != strlen(name))
        return false;
    return !str_eq(name, "all") && usec_parse(name, &duration) < 0; // `heal: all`, `after: 5s`
}

static void name_step(struct reader *r, const struct ynode *map, struct plan *plan) {
    struct step step = {.after = -1, .heals = -1, .line = map->mark.line};
    (void)snprintf(step.name, sizeof step.name, "step-%zu", plan->steps.n + 1);
    const struct ynode *name = map->kind == YNODE_MAP ? ynode_get(map, "name") : NULL;
    const char *text = name ? text_of(r, name, "a name") : NULL;
    int other = text ? step_find(plan, text) : -1;
    if (other >= 0)
        complain(r, name->mark, "step '%s' is here twice (first in line %d)", SHOWN(text),
                 plan->steps.items[other].line);
    else if (text && !step_name_ok(text))
        complain(r, name->mark,
                 "'%s' can't be a step's name: letters, digits, '-', '_' and '.', at most %d, and neither "
                 "'all' nor a duration",
                 SHOWN(text), STEP_NAME_MAX - 1);
    else if (text)
        (void)STR_COPY(step.name, text);
    VEC_PUSH(&plan->steps, step);
}

static void read_heal(const struct step_reader *s, const struct ynode *n) {
    const char *text = text_of(s->r, n, "the name of an injecting step, or all");
    s->marks->heals = n->mark;
    if (!text || str_eq(text, "all"))
        return;
    s->step->heals = step_named(s, n, text);
}

// ---- one step -------------------------------------------------------------------------------------------------------

static void refuse_key(const struct step_reader *s, const struct ynode *n, const char *only_for) {
    if (n)
        complain(s->r, n->key_mark, "'%s' belongs to %s, not to this step", n->key, only_for);
}

static void read_kind(const struct step_reader *s) {
    const struct draft *d = s->draft;
    if (d->inject) {
        s->step->kind = STEP_INJECT;
        step_read_mechanism(s, d->inject, false);
    } else if (d->act) {
        s->step->kind = STEP_ACTION;
        step_read_mechanism(s, d->act, true);
        refuse_key(s, d->duration, "'inject'");
    } else if (d->heal) {
        s->step->kind = STEP_HEAL;
        read_heal(s, d->heal);
    } else {
        s->step->kind = STEP_WAIT;
        step_read_wait(s, d->wait);
    }
    if (d->heal || d->wait) {
        refuse_key(s, d->target, "'inject' and 'do'");
        refuse_key(s, d->with, "'inject' and 'do'");
        refuse_key(s, d->duration, "'inject'");
    }
}

static void read_step(struct reader *r, const struct ynode *map, struct plan *plan, size_t index,
                      struct step_marks *marks) {
    struct draft d = {0};
    marks->step = map->mark;
    decode_fields(r, map, "a step", step_fields, &d);
    if (map->kind != YNODE_MAP)
        return;
    const struct step_reader s = {
        .r = r, .plan = plan, .step = &plan->steps.items[index], .index = index, .draft = &d, .marks = marks};
    int kinds = (d.inject != NULL) + (d.heal != NULL) + (d.act != NULL) + (d.wait != NULL);
    step_read_start(&s);
    // A wait reads `when` itself, to say that it has none.
    if (!d.wait || kinds != 1)
        step_read_when(&s);
    else if (!d.when || d.wait->kind == YNODE_TEXT)
        refuse_key(&s, d.hold, "the inside of 'wait: {...}'"), refuse_key(&s, d.within, "the inside of 'wait: {...}'");
    if (kinds == 1)
        read_kind(&s);
    else if (kinds > 1 || r->whole)
        complain(r, map->mark, "a step does %s: expected exactly one of inject, heal, do, wait",
                 kinds ? "several things" : "nothing");
}

struct step_marks *steps_read(struct reader *r, const struct ynode *list, struct plan *plan) {
    if (list->kind != YNODE_LIST) {
        complain_kind(r, list, "a list of steps");
        return NULL;
    }
    size_t n = list->items.n;
    if (n > STEPS_MAX) {
        complain(r, list->items.items[STEPS_MAX]->mark, "more than %d steps", STEPS_MAX);
        n = STEPS_MAX;
    }
    if (n == 0) {
        complain(r, list->mark, "a scenario has at least one step");
        return NULL;
    }
    struct step_marks *marks = xcalloc(n, sizeof *marks);
    for (size_t i = 0; i < n; i++)
        name_step(r, list->items.items[i], plan);
    for (size_t i = 0; i < n; i++)
        read_step(r, list->items.items[i], plan, i, &marks[i]);
    return marks;
}
