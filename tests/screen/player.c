// SPDX-License-Identifier: PostgreSQL
#include "player.h"

#include "lab/record/run.h"

static bool keep(void *arg, const struct event *ev) {
    struct player *p = arg;
    VEC_PUSH(&p->events, *ev);
    return true;
}

static void begin(struct player *p) {
    p->dash.model = model_new();
    p->dash.history = history_new();
    p->dash.live = p->dash.alive = true;
    p->dash.speed = 1;
    p->dash.log_end = p->events.items[p->events.n - 1].t;
}

void player_take(struct player *p, const struct event *events, size_t n) {
    *p = (struct player){0};
    for (size_t i = 0; i < n; i++)
        VEC_PUSH(&p->events, events[i]);
    begin(p);
}

void player_open(struct player *p, const char *name) {
    *p = (struct player){0};
    cleanup_free char *path = xasprintf("tests/screen/logs/%s.jsonl", name);
    struct run_read_stats stats = {0};
    struct err err = {0};
    if (run_log_read(path, keep, p, &stats, &err) < 0 || !stats.events) {
        (void)fprintf(stderr, "%s: %s\n", path, err.msg);
        abort();
    }
    begin(p);
}

void player_to(struct player *p, usec_t t) {
    for (; p->next < p->events.n && p->events.items[p->next].t <= t; p->next++) {
        model_apply(p->dash.model, &p->events.items[p->next]);
        history_apply(p->dash.history, p->dash.model, &p->events.items[p->next]);
    }
    p->dash.now = t;
}

void player_close(struct player *p) {
    VEC_DONE(&p->events);
    model_free(p->dash.model);
    history_free(p->dash.history);
    *p = (struct player){0};
}

void stage_open(struct stage *s, const char *view, int rows, int cols, bool utf8) {
    *s = (struct stage){0};
    for (size_t i = 0; views[i]; i++)
        if (str_eq(views[i]->name, view))
            s->view = views[i];
    if (!s->view)
        abort();
    s->state = s->view->open();
    canvas_init(&s->canvas, rows, cols, utf8);
}

void stage_draw(struct stage *s, const struct player *p) {
    canvas_clear(&s->canvas);
    s->view->draw(s->state, &p->dash, &s->canvas, canvas_rect(&s->canvas));
}

bool stage_key(struct stage *s, struct player *p, int key) {
    struct request request = {0};
    return s->view->key(s->state, &p->dash, key, &request);
}

void stage_close(struct stage *s) {
    s->view->close(s->state);
    canvas_done(&s->canvas);
}
