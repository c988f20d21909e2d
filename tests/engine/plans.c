// SPDX-License-Identifier: PostgreSQL
#include "tests/engine/plans.h"

#include <assert.h>

struct plan *test_plan_new(void) {
    struct plan *p = xcalloc(1, sizeof *p);
    p->seed = 1;
    p->settle = 2 * SEC;
    p->observe = 3 * SEC;
    p->timeout = 10 * MINUTE;
    p->workload.writes_per_s = 100;
    p->workload.reads_per_s = 10;
    p->steps.cap = TEST_STEPS_MAX;
    p->steps.items = xcalloc(TEST_STEPS_MAX, sizeof *p->steps.items);
    return p;
}

void test_plan_free(struct plan *p) {
    for (size_t i = 0; i < p->steps.n; i++) {
        VEC_DONE(&p->steps.items[i].when.atoms);
        VEC_DONE(&p->steps.items[i].stays.atoms);
        VEC_DONE(&p->steps.items[i].targets);
        free(p->steps.items[i].when.text);
        free(p->steps.items[i].stays.text);
    }
    VEC_DONE(&p->steps);
    free(p);
}

struct step *test_step(struct plan *p, const char *name, enum step_kind kind) {
    assert(p->steps.n < TEST_STEPS_MAX);
    struct step *s = VEC_ADD(&p->steps);
    STR_COPY(s->name, name);
    s->kind = kind;
    s->after = (int)p->steps.n - 2;
    s->heals = -1;
    return s;
}

struct step *test_inject(struct plan *p, const char *name, const char *mechanism, enum selector_kind who) {
    struct step *s = test_step(p, name, STEP_INJECT);
    STR_COPY(s->mechanism, mechanism);
    test_target(s, who, "");
    return s;
}

struct step *test_wait(struct plan *p, const char *name, enum condition_kind kind, usec_t within) {
    struct step *s = test_step(p, name, STEP_WAIT);
    (void)test_atom(&s->when, kind);
    s->within = within;
    return s;
}

struct step *test_stays(struct plan *p, const char *name, enum condition_kind kind, usec_t how_long) {
    struct step *s = test_step(p, name, STEP_WAIT);
    (void)test_atom(&s->stays, kind);
    s->stays_for = how_long;
    return s;
}

struct step *test_heal(struct plan *p, const char *name, int heals) {
    struct step *s = test_step(p, name, STEP_HEAL);
    s->heals = heals;
    return s;
}

struct step *test_action(struct plan *p, const char *name, const char *action) {
    struct step *s = test_step(p, name, STEP_ACTION);
    STR_COPY(s->mechanism, action);
    return s;
}

void test_target(struct step *s, enum selector_kind kind, const char *node) {
    struct selector *sel = VEC_ADD(&s->targets);
    sel->kind = kind;
    STR_COPY(sel->node, node);
}

struct condition_atom *test_atom(struct condition *c, enum condition_kind kind) {
    struct condition_atom *a = VEC_ADD(&c->atoms);
    a->kind = kind;
    return a;
}
