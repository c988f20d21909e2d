// SPDX-License-Identifier: PostgreSQL
// The phases of a fault whose mechanism is an errand. Two teams: one holds what must go on while the fault is in force (a session
// with a lock), the other runs the phases that come later.
#include "injector/errand/process.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"

struct errand_state {
    struct fault *f;
    struct team team, held;
    struct retry *ending;
    fault_phase_done done;
    uint32_t ran_patroni; // bit per node
};

static struct errand_state *state_of(struct fault *f) {
    if (f->state)
        return f->state;
    struct errand_state *s = xcalloc(1, sizeof *s);
    s->f = f;
    s->team = (struct team){.world = f->world, .about = &f->ops->about, .params = f->params};
    s->held = s->team;
    for (size_t i = 0; i < f->world->topology->nodes.n; i++)
        if (f->world->nodes[i] && node_is_on(f->world->nodes[i]) && node_service_pid(f->world->nodes[i], "patroni") > 0)
            s->ran_patroni |= UINT32_C(1) << i;
    f->state = s;
    return s;
}

bool errand_ran_patroni(const struct fault *f, size_t node) {
    const struct errand_state *s = f->state;
    return s && (s->ran_patroni >> node & 1);
}

static void on_answer(void *arg, bool ok, usec_t effective, const char *text) {
    struct errand_state *s = arg;
    if (ok)
        phase_ok(s->f, s->done, effective, "%s", text);
    else
        phase_no(s->f, s->done, "%s", text);
}

static void run(struct errand_state *s, struct team *t, const struct errand_phase *phase, fault_phase_done done,
                void (*answer)(void *arg, bool ok, usec_t effective, const char *text)) {
    team_clear(t);
    s->done = done;
    t->done = answer;
    t->arg = s;
    team_start(t, phase, s->f->nodes, s->f->n_nodes);
}

// What the holding team noted belongs to the later phases too.
static void share_notes(struct errand_state *s) {
    VEC_FOREACH (&s->held.notes, n)
        VEC_PUSH(&s->team.notes, ((struct setting){.key = xstrdup(n->key), .value = xstrdup(n->value)}));
}

static void on_injected(void *arg, bool ok, usec_t effective, const char *text) {
    struct errand_state *s = arg;
    struct err err = {0};
    int (*fn)(struct fault *, struct err *) = s->f->ops->errand->after_inject;
    if (ok && fn && fn(s->f, &err) < 0)
        phase_no(s->f, s->done, "%s", err.msg);
    else
        on_answer(s, ok, effective, text);
}

static void on_first(void *arg, bool ok, usec_t effective, const char *text) {
    struct errand_state *s = arg;
    const struct errand_ops *ops = s->f->ops->errand;
    struct err err = {0};
    if (ops->holds)
        share_notes(s);
    if (!ok || ops->then.where == ERRAND_NOWHERE)
        on_injected(s, ok, effective, text);
    else if (ops->before_then && ops->before_then(s->f, &err) < 0)
        phase_no(s->f, s->done, "%s", err.msg);
    else
        run(s, &s->team, &ops->then, s->done, on_injected);
}

void errand_inject(struct fault *f, fault_phase_done done) {
    struct errand_state *s = state_of(f);
    f->touched = true;
    run(s, f->ops->errand->holds ? &s->held : &s->team, &f->ops->errand->inject, done, on_first);
}

void errand_verify(struct fault *f, fault_phase_done done) {
    struct errand_state *s = state_of(f);
    run(s, &s->team, &f->ops->errand->verify, done, on_answer);
}

static void settle(struct errand_state *s, const char *text) {
    struct err err = {0};
    int (*fn)(struct fault *, struct err *) = s->f->ops->errand->settle;
    if (fn && fn(s->f, &err) < 0)
        phase_no(s->f, s->done, "%s", err.msg);
    else
        phase_ok(s->f, s->done, sink_now(s->f->world->sink), "%s", text);
}

static void on_undone(void *arg, bool ok, usec_t effective, const char *text) {
    struct errand_state *s = arg;
    (void)effective;
    if (ok)
        settle(s, text);
    else
        phase_no(s->f, s->done, "%s", text);
}

static bool held_ended(void *arg) {
    return team_ended(&((const struct errand_state *)arg)->held);
}

static void on_held_end(void *arg, bool met) {
    struct errand_state *s = arg;
    const struct errand_phase *heal = &s->f->ops->errand->heal;
    if (!met)
        phase_no(s->f, s->done, "the process that holds it did not end");
    else if (heal->where != ERRAND_NOWHERE)
        run(s, &s->team, heal, s->done, on_undone);
    else
        settle(s, s->f->ops->errand->holds ? "ended" : "nothing to undo");
}

void errand_heal(struct fault *f, fault_phase_done done) {
    struct errand_state *s = state_of(f);
    struct err err = {0};
    s->done = done;
    team_clear(&s->team);
    team_stop(&s->held);
    if (retry_start(f->world->loop, 10 * MSEC, 8 * SEC, held_ended, on_held_end, s, &s->ending, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

void errand_verify_healed(struct fault *f, fault_phase_done done) {
    struct errand_state *s = state_of(f);
    run(s, &s->team, &f->ops->errand->verify_healed, done, on_answer);
}

void errand_done(struct fault *f) {
    struct errand_state *s = STEAL(f->state);
    if (!s)
        return;
    retry_stop(&s->ending);
    team_done(&s->team);
    team_done(&s->held);
    free(s);
}
