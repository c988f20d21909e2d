// SPDX-License-Identifier: PostgreSQL
// The phases of a fault, and nothing about any mechanism. Each becomes an event:
//
//   asked -> inject -> effective -> verify -> verified ... -> heal_asked -> heal -> healed -> verify_healed ->
//   heal_verified
//
// What can go wrong, and what we do:
// - inject fails: "failed" with the reason; what was half done is healed at once. Nothing touched: that is the end of
// it.
// - a phase never ends (a hung daemon): its deadline ends it as a failure. A completion that comes later finds another
// stage and
//   is ignored.
// - heal is asked while inject is under way: remembered, begun as soon as it is over. While verify is under way: healed
// at once,
//   on time, and the fault stays unverified.
// - heal fails: "heal_unverified" with the reason; the fault still counts as active and may be healed again.
// - everything is healed: frozen things first (a frozen process can't be stopped or started), then newest first, one
// after another. Emitting an event may call us back (the engine reacts at once): the stage is always set before an
// event leaves.
#include "injector/live.h"

#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/net/net_cuts.h"
#include "injector/process/frozen.h"
#include "injector/relay/shaper.h"

static const usec_t PATIENCE = 15 * SEC;

static void heal_next(struct injector *in);

// ---- events --------------------------------------------------------------------------------------------------------

static void join_nodes(const struct fault *f, char *out, size_t size) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->n_nodes && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? "," : "", f->nodes[i]);
}

// "service=postgres process=postmaster": what was written, then the table's defaults.
static void join_params(const struct fault *f, char *out, size_t size) {
    cleanup_strbuf struct strbuf text = {0};
    for (const struct mechanism_param *p = f->ops->about.params; p && p->name; p++) {
        const char *value = fault_param(f, p->name);
        if (!str_empty(value))
            strbuf_addf(&text, "%s%s=%s", text.len ? " " : "", p->name, value);
    }
    (void)str_copy(out, size, strbuf_str(&text));
}

static void tell_at(const struct live *lv, enum fault_phase phase, usec_t t, const char *detail) {
    struct event ev = EVENT_NEW(FAULT);
    ev.t = t;
    ev.u.FAULT.effective_seen = t != 0 && phase == FAULT_PHASE_EFFECTIVE;
    STR_COPY(ev.u.FAULT.id, lv->f.id);
    STR_COPY(ev.u.FAULT.mechanism, lv->f.ops->about.name);
    ev.u.FAULT.phase = phase;
    STR_COPY(ev.u.FAULT.target, lv->f.target);
    STR_COPY(ev.u.FAULT.detail, detail);
    join_nodes(&lv->f, ev.u.FAULT.nodes, sizeof ev.u.FAULT.nodes);
    if (phase == FAULT_PHASE_ASKED || phase == FAULT_PHASE_FAILED)
        join_params(&lv->f, ev.u.FAULT.params, sizeof ev.u.FAULT.params);
    sink_emit(lv->in->world->sink, &ev);
}

static void tell(const struct live *lv, enum fault_phase phase, const char *detail) {
    tell_at(lv, phase, 0, detail);
}

// ---- phases --------------------------------------------------------------------------------------------------------

static void on_injected(struct fault *f, bool ok, usec_t effective, const char *text);
static void on_verified(struct fault *f, bool ok, usec_t effective, const char *text);
static void on_healed(struct fault *f, bool ok, usec_t effective, const char *text);
static void on_checked(struct fault *f, bool ok, usec_t effective, const char *text);

static const fault_phase_done completions[] = {[STAGE_INJECTING] = on_injected,
                                               [STAGE_VERIFYING] = on_verified,
                                               [STAGE_HEALING] = on_healed,
                                               [STAGE_CHECKING] = on_checked};

static usec_t patience(const struct live *lv) {
    return lv->f.ops->patience ? lv->f.ops->patience : PATIENCE;
}

static void disarm(struct live *lv) {
    sd_event_source_disable_unref(STEAL(lv->deadline));
}

static int on_deadline(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    struct live *lv = arg;
    char text[96], after[USEC_TEXT_MAX];
    (void)snprintf(text, sizeof text, "not finished after %s: given up", usec_format(after, patience(lv)));
    completions[lv->stage](&lv->f, false, 0, text);
    return 0;
}

static void run_phase(struct live *lv, enum stage stage, void (*phase)(struct fault *f, fault_phase_done done)) {
    disarm(lv);
    lv->stage = stage;
    int r = sd_event_add_time(lv->in->world->loop, &lv->deadline, CLOCK_MONOTONIC, usec_now() + patience(lv), 1,
                              on_deadline, lv);
    if (r < 0)
        completions[stage](&lv->f, false, 0, "no timer on the event loop");
    else
        phase(&lv->f, completions[stage]);
}

// The fault whose phase this completes, or NULL when that phase is over already.
static struct live *completed(struct fault *f, enum stage stage) {
    struct live *lv = (struct live *)f;
    if (lv->stage != stage)
        return NULL;
    disarm(lv);
    return lv;
}

static void begin_heal(struct live *lv) {
    lv->stage = STAGE_HEALING;
    lv->heal_wanted = false;
    lv->f.healing = true;
    lv->f.healed = false;
    tell(lv, FAULT_PHASE_HEAL_ASKED, "");
    run_phase(lv, STAGE_HEALING, lv->f.ops->heal);
}

static void injection_failed(struct live *lv, const char *text) {
    bool undo = lv->f.touched;
    if (!undo)
        lv->stage = STAGE_FAILED;
    tell(lv, FAULT_PHASE_FAILED, text);
    if (undo) {
        begin_heal(lv);
        return;
    }
    lv->queued = false;
    heal_next(lv->in);
}

static void on_broke(struct fault *f, const char *text) {
    struct live *lv = (struct live *)f;
    if (lv->stage != STAGE_VERIFYING && lv->stage != STAGE_ACTIVE)
        return; // under way, healed or given up already: that phase has its own end
    disarm(lv);
    lv->stage = STAGE_HEALING; // a late completion of verify is ignored
    f->touched = true;
    injection_failed(lv, text);
}

static void on_injected(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct live *lv = completed(f, STAGE_INJECTING);
    if (!lv)
        return;
    if (!ok) {
        injection_failed(lv, text);
        return;
    }
    f->injected = true;
    f->effective = effective ? effective : sink_now(lv->in->world->sink);
    tell_at(lv, FAULT_PHASE_EFFECTIVE, effective, text); // whoever wants to heal in here is remembered: still INJECTING
    if (lv->heal_wanted) {
        lv->stage = STAGE_ACTIVE;
        tell(lv, FAULT_PHASE_UNVERIFIED, "healed before it could be measured");
        begin_heal(lv);
    } else {
        run_phase(lv, STAGE_VERIFYING, f->ops->verify);
    }
}

static void on_verified(struct fault *f, bool ok, usec_t effective, const char *text) {
    (void)effective;
    struct live *lv = completed(f, STAGE_VERIFYING);
    if (!lv)
        return;
    lv->stage = STAGE_ACTIVE;
    tell(lv, ok ? FAULT_PHASE_VERIFIED : FAULT_PHASE_UNVERIFIED, text);
}

static void on_healed(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct live *lv = completed(f, STAGE_HEALING);
    if (!lv)
        return;
    struct injector *in = lv->in;
    if (!ok) {
        lv->stage = STAGE_STUCK;
        lv->queued = false;
        tell(lv, FAULT_PHASE_HEAL_UNVERIFIED, text);
        heal_next(in);
        return;
    }
    f->healed = true;
    tell_at(lv, FAULT_PHASE_HEALED, effective, text); // still HEALING: a heal asked for in here is no second one
    if (f->ops->verify_healed)
        run_phase(lv, STAGE_CHECKING, f->ops->verify_healed);
    else {
        lv->stage = STAGE_CHECKING;
        on_checked(f, true, 0, "nothing to measure");
    }
    lv->queued = false;
    heal_next(in);
}

static void on_checked(struct fault *f, bool ok, usec_t effective, const char *text) {
    (void)effective;
    struct live *lv = completed(f, STAGE_CHECKING);
    if (!lv)
        return;
    lv->stage = ok ? STAGE_HEALED : STAGE_UNSURE;
    tell(lv, ok ? FAULT_PHASE_HEAL_VERIFIED : FAULT_PHASE_HEAL_UNVERIFIED, text);
}

// ---- inject --------------------------------------------------------------------------------------------------------

static void copy_params(struct live *lv, const setting_list *params) {
    for (size_t i = 0; params && i < params->n; i++) {
        struct setting *s = VEC_ADD(&lv->params);
        s->key = xstrdup(params->items[i].key);
        s->value = xstrdup(params->items[i].value ? params->items[i].value : "");
    }
    lv->f.params = &lv->params;
}

static struct live *live_new(struct injector *in, const char *id, const struct fault_ops *ops, const char *target,
                             char (*nodes)[NODE_NAME_MAX], size_t n_nodes, const setting_list *params) {
    struct live *lv = xcalloc(1, sizeof *lv);
    lv->in = in;
    lv->stage = STAGE_INJECTING;
    lv->f.ops = ops;
    lv->f.world = in->world;
    lv->f.n_nodes = n_nodes < NODES_MAX ? n_nodes : NODES_MAX;
    STR_COPY(lv->f.id, id);
    STR_COPY(lv->f.target, target);
    for (size_t i = 0; i < lv->f.n_nodes; i++)
        STR_COPY(lv->f.nodes[i], nodes[i]);
    copy_params(lv, params);
    VEC_PUSH(&in->lives, lv);
    return lv;
}

static void live_free(struct live *lv) {
    disarm(lv);
    if (lv->f.ops->done)
        lv->f.ops->done(&lv->f);
    VEC_FOREACH (&lv->params, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(&lv->params);
    free(lv);
}

static int check_targets(const struct live *lv, struct err *err) {
    const struct fault_ops *ops = lv->f.ops;
    const struct topology *t = lv->in->world->topology;
    if (lv->f.n_nodes == 0 && !ops->about.no_target)
        return err_set(err, ENOENT, "%s: no node is meant by '%s' now", ops->about.name, lv->f.target);
    int r = mechanism_check_words(&ops->about, lv->f.params, err);
    if (r >= 0 && ops->check)
        r = ops->check(t, lv->f.params, err);
    for (size_t i = 0; r >= 0 && i < lv->f.n_nodes; i++) {
        int at = fault_world_index(lv->in->world, lv->f.nodes[i]);
        if (at < 0 || !lv->in->world->nodes[at])
            r = err_set(err, ENOENT, "%s: there is no node '%s'", ops->about.name, lv->f.nodes[i]);
        else if (ops->check_node)
            r = ops->check_node(t, &t->nodes.items[at], lv->f.params, err);
    }
    return r;
}

bool live_in_force(const struct live *lv) {
    return lv->stage == STAGE_INJECTING || lv->stage == STAGE_VERIFYING || lv->stage == STAGE_ACTIVE ||
           lv->stage == STAGE_HEALING || lv->stage == STAGE_STUCK;
}

// The newest of that id, those in force before those that are over: a refused second injection hides nothing.
static struct live *find(const struct injector *in, const char *id) {
    struct live *over = NULL;
    for (size_t i = in->lives.n; i-- > 0;) {
        struct live *lv = in->lives.items[i];
        if (!str_eq(lv->f.id, id))
            continue;
        if (live_in_force(lv))
            return lv;
        over = over ? over : lv;
    }
    return over;
}

int injector_inject_ops(struct injector *in, const char *id, const struct fault_ops *ops, const char *target,
                        char (*nodes)[NODE_NAME_MAX], size_t n_nodes, const setting_list *params, struct err *err) {
    const struct live *same = find(in, id);
    bool taken = same && live_in_force(same);
    struct live *lv = live_new(in, id, ops, target, nodes, n_nodes, params);
    lv->f.asked = sink_now(in->world->sink);
    int r = taken ? err_set(err, EEXIST, "a fault '%s' is in force already", id) : check_targets(lv, err);
    if (r < 0) {
        struct err why = {0};
        if (err)
            why = *err;
        lv->stage = STAGE_FAILED;
        tell(lv, FAULT_PHASE_FAILED, why.msg);
        return r;
    }
    tell_at(lv, FAULT_PHASE_ASKED, lv->f.asked, "");
    if (lv->stage == STAGE_INJECTING)
        run_phase(lv, STAGE_INJECTING, ops->inject);
    return 0;
}

static int unknown(struct injector *in, const char *id, const char *mechanism, const char *target, struct err *err) {
    int r = err_set(err, ENOENT, "there is no fault '%s' (see `bascule faults`)", mechanism);
    struct event ev = EVENT_NEW(FAULT);
    STR_COPY(ev.u.FAULT.id, id);
    STR_COPY(ev.u.FAULT.mechanism, mechanism);
    ev.u.FAULT.phase = FAULT_PHASE_FAILED;
    STR_COPY(ev.u.FAULT.target, target);
    STR_COPY(ev.u.FAULT.detail, "there is no such fault");
    sink_emit(in->world->sink, &ev);
    return r;
}

int injector_inject(struct injector *in, const char *id, const char *mechanism, const char *target,
                    char (*nodes)[NODE_NAME_MAX], size_t n_nodes, const setting_list *params, struct err *err) {
    struct err own = {0};
    const struct fault_ops *ops = fault_find(mechanism);
    if (!ops)
        return unknown(in, id, mechanism, target, err);
    return injector_inject_ops(in, id, ops, target, nodes, n_nodes, params, err ? err : &own);
}

// ---- heal ----------------------------------------------------------------------------------------------------------

void injection_heal(struct live *lv) {
    switch (lv->stage) {
    case STAGE_INJECTING:
        lv->heal_wanted = true;
        break;
    case STAGE_VERIFYING:
        disarm(lv);
        lv->stage = STAGE_HEALING; // a late completion of verify is ignored, a second heal too
        tell(lv, FAULT_PHASE_UNVERIFIED, "healed before the measurement was over");
        begin_heal(lv);
        break;
    case STAGE_ACTIVE:
    case STAGE_STUCK:
    case STAGE_UNSURE:
        begin_heal(lv);
        break;
    case STAGE_HEALING:
    case STAGE_CHECKING:
        break;
    case STAGE_HEALED:
        tell(lv, FAULT_PHASE_HEAL_VERIFIED, "healed before, nothing left to undo");
        break;
    case STAGE_FAILED:
        tell(lv, FAULT_PHASE_HEAL_VERIFIED, "it was never in force, nothing to undo");
        break;
    }
}

static struct live *next_queued(const struct injector *in) {
    for (int thaws = 1; thaws >= 0; thaws--)
        for (size_t i = in->lives.n; i-- > 0;)
            if (in->lives.items[i]->queued && in->lives.items[i]->f.ops->thaws == (thaws == 1))
                return in->lives.items[i];
    return NULL;
}

// One after another: the next begins when the one before is undone (its measurement may still run).
static void heal_next(struct injector *in) {
    struct live *lv;
    while ((lv = next_queued(in))) {
        if (lv->stage == STAGE_HEALING || (lv->stage == STAGE_INJECTING && lv->heal_wanted))
            return; // its completion comes back here
        if (!live_in_force(lv))
            lv->queued = false;
        else
            injection_heal(lv);
    }
}

int injector_heal(struct injector *in, const char *id, struct err *err) {
    if (id) {
        struct live *lv = find(in, id);
        if (!lv)
            return err_set(err, ENOENT, "there is no fault '%s' to heal", id);
        injection_heal(lv);
        return 0;
    }
    for (size_t i = 0; i < in->lives.n; i++)
        in->lives.items[i]->queued = live_in_force(in->lives.items[i]);
    heal_next(in);
    return 0;
}

struct reach injector_reach(const struct injector *in) {
    return net_cuts_reach(in->world);
}

size_t injector_active(const struct injector *in) {
    size_t n = 0;
    for (size_t i = 0; i < in->lives.n; i++)
        n += live_in_force(in->lives.items[i]);
    return n;
}

// ---- life ----------------------------------------------------------------------------------------------------------

int injector_new(struct fault_world *world, struct injector **ret, struct err *err) {
    if (world->topology->nodes.n > NODES_MAX)
        return err_set(err, E2BIG, "a lab has at most %d nodes", NODES_MAX);
    struct injector *in = xcalloc(1, sizeof *in);
    in->world = world;
    world->broke = on_broke;
    in->owns_cuts = !world->cuts;
    in->owns_frozen = !world->frozen;
    if (in->owns_cuts)
        world->cuts = xcalloc(1, sizeof *world->cuts);
    in->owns_shaper = !world->shaper;
    if (in->owns_shaper)
        world->shaper = shaper_new(world);
    if (in->owns_frozen)
        world->frozen = frozen_new();
    *ret = in;
    return 0;
}

void injector_free(struct injector *in) {
    if (!in)
        return;
    for (size_t i = in->acts.n; i-- > 0;)
        act_free(in->acts.items[i]);
    for (size_t i = in->lives.n; i-- > 0;)
        live_free(in->lives.items[i]);
    for (size_t i = in->errands.n; i-- > 0;)
        errand_act_free(in->errands.items[i]);
    VEC_DONE(&in->errands);
    VEC_DONE(&in->acts);
    VEC_DONE(&in->lives);
    if (in->owns_shaper)
        shaper_free(STEAL(in->world->shaper));
    if (in->owns_cuts)
        net_cuts_free(STEAL(in->world->cuts));
    if (in->owns_frozen)
        frozen_free(STEAL(in->world->frozen));
    free(in);
}
