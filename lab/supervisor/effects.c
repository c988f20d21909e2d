// SPDX-License-Identifier: PostgreSQL
// What the engine decided becomes deed. A deed that can't be done is not hidden: the injector and the actions answer
// with a failed event of the same id, and the engine draws its conclusion from that.
#include "lab/supervisor/internal.h"

static void target_text(const struct step *step, char *out, size_t size) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < step->targets.n && at < size; i++) {
        const struct selector *s = &step->targets.items[i];
        const char *name = s->kind == SELECTOR_NODE ? s->node : selector_kind_name(s->kind);
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? "," : "", name);
    }
}

static void inject(struct lab *lab, struct effect *e) {
    struct err err = {0};
    char target[EVENT_NAME_MAX];
    target_text(e->step, target, sizeof target);
    (void)injector_inject(lab->injector, e->id, e->step->mechanism, target, e->nodes, e->n_nodes, &e->step->params,
                          &err);
}

static void heal(struct lab *lab, const struct effect *e) {
    struct err err = {0};
    if (injector_heal(lab->injector, e->id, &err) >= 0)
        return;
    struct event ev = EVENT_NEW(FAULT); // nothing to heal: say so, or the engine would wait for its deadline
    STR_COPY(ev.u.FAULT.id, e->id);
    ev.u.FAULT.phase = FAULT_PHASE_HEAL_UNVERIFIED;
    STR_COPY(ev.u.FAULT.detail, err.msg);
    sink_emit(&lab->sink, &ev);
}

static void carry_out(struct lab *lab, struct effect *e) {
    switch (e->kind) {
    case EFFECT_RECORD:
        sink_emit(&lab->sink, &e->event);
        break;
    case EFFECT_INJECT:
        inject(lab, e);
        break;
    case EFFECT_HEAL:
        heal(lab, e);
        break;
    case EFFECT_ACTION:
        lab_action(lab, e->id, e->step->mechanism, e->nodes, e->n_nodes, &e->step->params);
        break;
    case EFFECT_FINISH:
        lab_finish(lab, e->reason, e->detail);
        break;
    }
}

void lab_carry_out(struct lab *lab, const effect_list *effects) {
    // `bascule up`: the engine only keeps the model, people act by hand. Kept: the scenario is over.
    if (!lab->o->lab->scenario || lab->run_ended)
        return;
    for (size_t i = 0; i < effects->n; i++)
        carry_out(lab, &effects->items[i]);
}
