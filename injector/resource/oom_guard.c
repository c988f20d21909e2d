// SPDX-License-Identifier: PostgreSQL
#include "injector/resource/oom_guard.h"

#include <signal.h>

#include "injector/process/salvo.h"

// How often it looks, how often it looks when it has killed once, and how often for processes that were born.
static const usec_t LOOK = 10 * MSEC, CALM = 100 * MSEC, FIND = 100 * MSEC;

struct oom_guard {
    struct oom_guard_spec spec;
    sd_event_source *tick;
    struct memory_use use;
    usec_t every; // between two looks
    usec_t found; // when the processes were looked for
    struct salvo *salvo;
    struct oom_kill kill; // the one under way
};

static void unburden(const struct oom_guard_spec *s, const struct memory_use *use) {
    for (size_t i = 1; s->raised != s->born && i < use->processes.n; i++)
        if (oom_score_adj_read(s->node, use->processes.items[i].process.pid) == s->raised)
            (void)oom_score_adj_write(s->node, use->processes.items[i].process.pid, s->born, NULL);
}

void oom_guard_unburden(const struct oom_guard_spec *s) {
    struct memory_use use = {0};
    if (s->raised != s->born && memory_use_find(s->node, &s->postmaster, &use, NULL) >= 0)
        unburden(s, &use);
    memory_use_done(&use);
}

static void on_shot(void *arg, struct salvo *salvo) {
    struct oom_guard *g = arg;
    struct oom_kill k = g->kill;
    const struct shot *shot = &salvo->shots.items[0];
    k.error = shot->result.error;
    k.sent = shot->result.sent;
    k.ended = shot->result.ended;
    if (!k.error && !k.ended)
        k.error = -ETIMEDOUT;
    salvo_drop(&g->salvo);
    g->found = 0;
    g->every = CALM;
    g->spec.killed(g->spec.arg, &k); // may free g
}

static void fire(struct oom_guard *g) {
    // Whoever was born since the last look may be the one.
    if (memory_use_find(g->spec.node, &g->spec.postmaster, &g->use, NULL) < 0)
        return;
    unburden(&g->spec, &g->use);
    memory_use_measure(g->spec.node, &g->use);
    const struct memory_process *m = memory_use_choose(g->spec.node, &g->use);
    if (!m)
        return;
    g->kill = (struct oom_kill){.victim = *m, .total = g->use.total};
    victim_list one = {0};
    struct victim v = {.node = g->spec.node, .process = m->process};
    STR_COPY(v.what, m->process.pid == g->spec.postmaster.pid ? "postmaster" : "process");
    VEC_PUSH(&one, v);
    salvo_fire(&one, SIGKILL, false, true, on_shot, g, &g->salvo);
    VEC_DONE(&one);
}

static int on_tick(sd_event_source *src, uint64_t at, void *arg) {
    (void)at;
    struct oom_guard *g = arg;
    usec_t now = usec_now();
    // Before anything that may free the guard.
    (void)sd_event_source_set_time_relative(src, g->every);
    (void)sd_event_source_set_enabled(src, SD_EVENT_ONESHOT);
    if (now < g->found + FIND) {
        memory_use_follow(g->spec.node, &g->use);
    } else if (memory_use_find(g->spec.node, &g->spec.postmaster, &g->use, NULL) >= 0) {
        g->found = now;
        unburden(&g->spec, &g->use);
        memory_use_measure(g->spec.node, &g->use);
    } else if (!g->salvo) {
        (void)sd_event_source_set_enabled(src, SD_EVENT_OFF);
        g->spec.gone(g->spec.arg);
        return 0;
    }
    if (!g->salvo && g->use.total > g->spec.limit)
        fire(g);
    return 0;
}

int oom_guard_new(sd_event *loop, const struct oom_guard_spec *spec, struct oom_guard **ret, struct err *err) {
    struct oom_guard *g = xcalloc(1, sizeof *g);
    g->spec = *spec;
    g->every = LOOK;
    int r = sd_event_add_time_relative(loop, &g->tick, CLOCK_MONOTONIC, 0, 1, on_tick, g);
    if (r < 0) {
        free(g);
        return err_sys(err, -r, "timer on the event loop");
    }
    *ret = g;
    return 0;
}

bool oom_guard_firing(const struct oom_guard *g) {
    return g && g->salvo;
}

void oom_guard_free(struct oom_guard **g) {
    if (!*g)
        return;
    sd_event_source_disable_unref((*g)->tick);
    salvo_drop(&(*g)->salvo);
    memory_use_done(&(*g)->use);
    free(*g);
    *g = NULL;
}
