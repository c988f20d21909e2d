// SPDX-License-Identifier: PostgreSQL
// Actions that are an errand: asked -> the errand -> done or failed. A daemon that never answers is given up after `patience`.
#include "injector/errand/process.h"
#include "injector/live.h"

struct errand_act {
    struct injector *in;
    char id[EVENT_NAME_MAX], action[EVENT_NAME_MAX];
    setting_list params; // our own copy: the caller's may go
    struct team team;
    sd_event_source *deadline;
};

static void on_end(void *arg, bool ok, usec_t effective, const char *text) {
    struct errand_act *a = arg;
    (void)effective;
    a->deadline = sd_event_source_disable_unref(a->deadline);
    struct event ev = EVENT_NEW(ACTION);
    STR_COPY(ev.u.ACTION.id, a->id);
    STR_COPY(ev.u.ACTION.action, a->action);
    ev.u.ACTION.phase = ok ? ACTION_PHASE_DONE : ACTION_PHASE_FAILED;
    STR_COPY(ev.u.ACTION.detail, text);
    sink_emit(a->in->world->sink, &ev);
}

static int on_deadline(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    struct errand_act *a = arg;
    team_clear(&a->team);
    on_end(a, false, 0, "no answer in time: given up");
    return 0;
}

void errand_act_free(struct errand_act *a) {
    sd_event_source_disable_unref(a->deadline);
    team_done(&a->team);
    VEC_FOREACH (&a->params, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(&a->params);
    free(a);
}

int errand_act_start(struct injector *in, const char *id, const struct mechanism *about,
                     const struct errand_phase *phase, usec_t patience, char (*nodes)[NODE_NAME_MAX], size_t n,
                     const setting_list *params, struct err *err) {
    struct errand_act *a = xcalloc(1, sizeof *a);
    a->in = in;
    STR_COPY(a->id, id);
    STR_COPY(a->action, about->name);
    for (size_t i = 0; params && i < params->n; i++)
        VEC_PUSH(&a->params,
                 ((struct setting){.key = xstrdup(params->items[i].key), .value = xstrdup(params->items[i].value)}));
    VEC_PUSH(&in->errands, a);
    int r = sd_event_add_time(in->world->loop, &a->deadline, CLOCK_MONOTONIC, usec_now() + patience, 1, on_deadline, a);
    if (r < 0)
        return err_sys(err, -r, "timer on the event loop");
    a->team = (struct team){.world = in->world, .about = about, .params = &a->params, .done = on_end, .arg = a};
    team_start(&a->team, phase, nodes, n);
    return 0;
}
