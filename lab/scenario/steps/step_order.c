// SPDX-License-Identifier: PostgreSQL
// What can be said of the order of steps before anything runs. A step starts when its `after` has ended, so the steps
// form a forest below "the scenario began" - unless the author made a circle.
#include "lab/scenario/steps/steps.h"

// Is `a` the step b, or does it come before b on b's way from the beginning? Safe on circles: as many hops as there are
// steps.
static bool comes_before(const struct plan *plan, size_t a, size_t b) {
    int at = (int)b;
    for (size_t hops = 0; at >= 0 && hops <= plan->steps.n; hops++) {
        if ((size_t)at == a)
            return true;
        at = plan->steps.items[at].after;
    }
    return false;
}

static bool in_circle(const struct plan *plan, size_t i) {
    int at = plan->steps.items[i].after;
    for (size_t hops = 0; at >= 0 && hops <= plan->steps.n; hops++) {
        if ((size_t)at == i)
            return true;
        at = plan->steps.items[at].after;
    }
    return false;
}

static void check_circles(struct reader *r, const struct plan *plan, const struct step_marks *marks, bool *ret_circle) {
    for (size_t i = 0; i < plan->steps.n; i++) {
        const struct step *s = &plan->steps.items[i];
        if (!in_circle(plan, i))
            continue;
        *ret_circle = true;
        complain(r, marks[i].after.line ? marks[i].after : marks[i].step,
                 "step '%s' can never start: it waits for '%s', which waits for it", s->name,
                 s->after == (int)i ? s->name : plan->steps.items[s->after].name);
    }
}

// The earliest end of a step: every delay, hold and watch on its way, as if all conditions were true at once.
static usec_t earliest_end(const struct plan *plan, size_t i) {
    usec_t sum = 0;
    for (int at = (int)i; at >= 0; at = plan->steps.items[at].after) {
        const struct step *s = &plan->steps.items[at];
        sum += s->delay + s->hold + s->stays_for;
    }
    return sum;
}

// Only the first step on a way that is too late is told; what follows it would be the same complaint again.
static void check_times(struct reader *r, const struct plan *plan, const struct step_marks *marks) {
    char end[USEC_TEXT_MAX], limit[USEC_TEXT_MAX];
    for (size_t i = 0; i < plan->steps.n; i++) {
        const struct step *s = &plan->steps.items[i];
        if (earliest_end(plan, i) > plan->timeout &&
            (s->after < 0 || earliest_end(plan, (size_t)s->after) <= plan->timeout))
            complain(r, marks[i].step,
                     "step '%s' can't be reached: at the earliest it is over after %s, the scenario's timeout is %s",
                     s->name, usec_format(end, earliest_end(plan, i)), usec_format(limit, plan->timeout));
        else if (s->within > plan->timeout)
            warn(r, marks[i].when, "the deadline of step '%s' (%s) is beyond the scenario's timeout of %s", s->name,
                 usec_format(end, s->within), usec_format(limit, plan->timeout));
    }
}

static void check_heal(struct reader *r, const struct plan *plan, const struct step_marks *marks, size_t i) {
    const struct step *s = &plan->steps.items[i];
    if (s->heals < 0)
        return;
    const struct step *injecting = &plan->steps.items[s->heals];
    if (injecting->kind != STEP_INJECT)
        complain(r, marks[i].heals, "step '%s' injects nothing that could be healed", injecting->name);
    else if (comes_before(plan, i, (size_t)s->heals))
        complain(r, marks[i].heals, "step '%s' comes after this one: there is nothing to heal yet", injecting->name);
}

// "leader changed" and old_leader look back to the first injection.
static bool something_happens_before(const struct plan *plan, size_t i) {
    for (size_t j = 0; j < plan->steps.n; j++) {
        bool acts = plan->steps.items[j].kind == STEP_INJECT || plan->steps.items[j].kind == STEP_ACTION;
        if (acts && !comes_before(plan, i, j))
            return true;
    }
    return false;
}

static bool targets_old_leader(const struct step *s) {
    for (size_t i = 0; i < s->targets.n; i++)
        if (s->targets.items[i].kind == SELECTOR_OLD_LEADER)
            return true;
    return false;
}

static void check_looking_back(struct reader *r, const struct plan *plan, const struct step_marks *marks, size_t i) {
    const struct step *s = &plan->steps.items[i];
    static const char text[] = "looks back to the first injection, but no step before this one injects anything";
    if (something_happens_before(plan, i))
        return;
    if (condition_needs_injection(&s->when))
        complain(r, marks[i].when, "'%s' %s", SHOWN(s->when.text), text);
    if (condition_needs_injection(&s->stays))
        complain(r, marks[i].stays, "'%s' %s", SHOWN(s->stays.text), text);
    if (targets_old_leader(s))
        complain(r, marks[i].target, "'old_leader' %s: write 'leader'", text);
}

static bool needs_flow(const struct condition *c, enum condition_kind kind) {
    for (size_t i = 0; i < c->atoms.n; i++)
        if (c->atoms.items[i].kind == kind && !c->atoms.items[i].negated)
            return true;
    return false;
}

static void check_flow(struct reader *r, const struct plan *plan, const struct step_marks *marks, size_t i) {
    const struct step *s = &plan->steps.items[i];
    const struct {
        const struct condition *condition;
        struct mark mark;
    } both[] = {{&s->when, marks[i].when}, {&s->stays, marks[i].stays}};
    for (size_t j = 0; j < ARRAY_SIZE(both); j++) {
        if (plan->workload.writes_per_s <= 0 && needs_flow(both[j].condition, CONDITION_WRITES_FLOW))
            complain(r, both[j].mark, "writes never flow: workload.writes is 0");
        if (plan->workload.reads_per_s <= 0 && needs_flow(both[j].condition, CONDITION_READS_FLOW))
            complain(r, both[j].mark, "reads never flow: workload.reads is 0");
    }
}

void steps_check_order(struct reader *r, const struct plan *plan, const struct step_marks *marks) {
    bool circle = false;
    size_t injections = 0;
    check_circles(r, plan, marks, &circle);
    if (!circle)
        check_times(r, plan, marks);
    for (size_t i = 0; i < plan->steps.n; i++) {
        check_heal(r, plan, marks, i);
        if (!circle)
            check_looking_back(r, plan, marks, i);
        check_flow(r, plan, marks, i);
        if (plan->steps.items[i].kind == STEP_INJECT && ++injections == INJECTIONS_MAX + 1)
            complain(r, marks[i].step, "more than %d injections", INJECTIONS_MAX);
    }
}
