// SPDX-License-Identifier: PostgreSQL
#include "lab/plan/plan.h"

void condition_done(struct condition *c) {
    VEC_DONE(&c->atoms);
    free(c->text);
    c->text = NULL;
}

static void step_done(struct step *s) {
    condition_done(&s->when);
    condition_done(&s->stays);
    VEC_DONE(&s->targets);
    for (size_t i = 0; i < s->params.n; i++) {
        free(s->params.items[i].key);
        free(s->params.items[i].value);
    }
    VEC_DONE(&s->params);
}

static void defect_done(struct known_defect *d) {
    free(d->id);
    free(d->software);
    free(d->versions);
    free(d->reference);
    free(d->text);
    free(d->explains);
}

void expects_done(expect_list *list) {
    VEC_FOREACH (list, e)
        free(e->text);
    VEC_DONE(list);
}

void plan_free(struct plan *p) {
    if (!p)
        return;
    free(p->file);
    free(p->name);
    free(p->title);
    free(p->lesson);
    topology_free(p->topology);
    for (size_t i = 0; i < p->steps.n; i++)
        step_done(&p->steps.items[i]);
    VEC_DONE(&p->steps);
    expects_done(&p->expects);
    for (size_t i = 0; i < p->defects.n; i++)
        defect_done(&p->defects.items[i]);
    VEC_DONE(&p->defects);
    free(p);
}

static const struct {
    const char *name, *about;
} groups[] = {
#define X(group, name, about) [GROUP_##group] = {name, about},
    SCENARIO_GROUPS(X)
#undef X
};

const char *scenario_group_name(enum scenario_group g) {
    return groups[g].name;
}

const char *scenario_group_about(enum scenario_group g) {
    return groups[g].about;
}
