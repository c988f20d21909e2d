// SPDX-License-Identifier: PostgreSQL
// The run itself: what it is, its steps, what is expected of it, its end.
#include <math.h>

#include "dashboard/history_fold.h"

static void note_begin(struct history *h, const struct event *ev) {
    STR_COPY(h->scenario, ev->u.RUN_BEGIN.scenario);
    STR_COPY(h->title, ev->u.RUN_BEGIN.title);
    STR_COPY(h->lab, ev->u.RUN_BEGIN.lab);
    STR_COPY(h->topology, ev->u.RUN_BEGIN.topology);
    STR_COPY(h->program, ev->u.RUN_BEGIN.program);
    h->seed = (uint64_t)ev->u.RUN_BEGIN.seed;
    h->wall = ev->u.RUN_BEGIN.wall;
}

static void note_version(struct history *h, const struct event *ev) {
    size_t i = 0;
    while (i < h->n_versions && !str_eq(h->versions[i].component, ev->u.VERSION.component))
        i++;
    if (i == ARRAY_SIZE(h->versions))
        return;
    if (i == h->n_versions)
        h->n_versions++;
    char *said = h->versions[i].version;
    if (*ev->u.VERSION.node && *said && !strstr(said, ev->u.VERSION.version)) { // nodes differ: all of them
        size_t n = strlen(said);
        (void)snprintf(said + n, sizeof h->versions[i].version - n, ", %s", ev->u.VERSION.version);
        return;
    }
    if (*ev->u.VERSION.node && *said)
        return;
    STR_COPY(h->versions[i].component, ev->u.VERSION.component);
    STR_COPY(h->versions[i].version, ev->u.VERSION.version);
}

void fold_run(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    switch ((int)ev->kind) {
    case EVENT_RUN_BEGIN:
        note_begin(h, ev);
        break;
    case EVENT_VERSION:
        note_version(h, ev);
        break;
    case EVENT_LAB_STATE:
        h->lab_state = ev->u.LAB_STATE.state;
        if (ev->u.LAB_STATE.state == LAB_STATE_READY && !h->began)
            h->began = ev->t;
        break;
    case EVENT_RUN_END:
        h->end_reason = ev->u.RUN_END.reason;
        STR_COPY(h->end_detail, ev->u.RUN_END.detail);
        break;
    }
}

void fold_step(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    size_t i = 0;
    while (i < h->steps.n && h->steps.items[i].index != ev->u.STEP.index)
        i++;
    if (i == h->steps.n) {
        if (h->steps.n == KEEP_KEYS)
            return;
        (void)VEC_ADD(&h->steps);
        for (; i > 0 && h->steps.items[i - 1].index > ev->u.STEP.index; i--)
            h->steps.items[i] = h->steps.items[i - 1];
        memset(&h->steps.items[i], 0, sizeof h->steps.items[i]);
    }
    struct step_entry *s = &h->steps.items[i];
    s->index = ev->u.STEP.index;
    STR_COPY(s->name, ev->u.STEP.name);
    s->state = ev->u.STEP.state;
    STR_COPY(s->detail, ev->u.STEP.detail);
    s->t = ev->t;
}

static void note_planned(struct history *h, const struct event *ev) {
    if (h->planned.n == KEEP_KEYS || ev->u.PLAN_STEP.index != (int64_t)h->planned.n)
        return;
    struct plan_entry *p = VEC_ADD(&h->planned);
    STR_COPY(p->name, ev->u.PLAN_STEP.name);
    STR_COPY(p->text, ev->u.PLAN_STEP.text);
}

void fold_plan(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    if (ev->kind == EVENT_PLAN_STEP)
        note_planned(h, ev);
    else if (ev->kind == EVENT_LESSON && h->lesson.len < KEEP_LESSON)
        strbuf_addf(&h->lesson, "%s\n", ev->u.LESSON.text);
    else if (ev->kind == EVENT_STEP_NEXT) {
        h->next.told = true;
        h->next.index = ev->u.STEP_NEXT.index;
        h->next.stands = ev->u.STEP_NEXT.stands;
        STR_COPY(h->next.name, ev->u.STEP_NEXT.name);
        STR_COPY(h->next.text, ev->u.STEP_NEXT.text);
    }
}

void fold_expect(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    VEC_FOREACH (&h->expects, e)
        if (e->index == ev->u.EXPECT.index)
            return;
    if (h->expects.n == KEEP_KEYS)
        return;
    struct expect_entry *e = VEC_ADD(&h->expects);
    e->index = ev->u.EXPECT.index;
    e->kind = ev->u.EXPECT.kind;
    STR_COPY(e->text, ev->u.EXPECT.text);
}
