// SPDX-License-Identifier: PostgreSQL
// What a run goes through: the states of the lab, the steps of the plan, the life of each fault and act. Each has an order, and an end.
#include "lab/proof/internal.h"

#include <stdio.h>

#include "lab/record/old_names.h"

bool proof_scenario(const struct proof *p) {
    return *p->begin.u.RUN_BEGIN.scenario;
}

bool proof_to_end(const struct proof *p) {
    return p->end_reason == END_REASON_COMPLETED || p->end_reason == END_REASON_EXPECTATION ||
           p->end_reason == END_REASON_UNVERIFIED || p->end_reason == END_REASON_UNWATCHED;
}

static void on_state(struct proof *p, const struct event *ev) {
    enum lab_state state = ev->u.LAB_STATE.state;
    if (state == LAB_STATE_READY && !p->ready)
        p->ready = ev->t;
    else if (state == LAB_STATE_COLLECTING && !p->collecting)
        p->collecting = ev->t;
    else if ((state == LAB_STATE_STOPPING || state == LAB_STATE_KEPT) && p->kinds[EVENT_RUN_END])
        p->left = true;
}

static void on_step(struct proof *p, const struct event *ev) {
    struct proof_step *found = NULL;
    VEC_FOREACH (&p->steps, s)
        if (s->index == ev->u.STEP.index && str_eq(s->name, ev->u.STEP.name))
            found = s;
    if (!found) {
        found = VEC_ADD(&p->steps);
        found->index = ev->u.STEP.index;
        STR_COPY(found->name, ev->u.STEP.name);
    }
    found->state = ev->u.STEP.state;
    found->started = found->started || ev->u.STEP.state == STEP_STATUS_STARTED;
}

// ---- faults ----------------------------------------------------------------------------------------------------------

// asked -> effective -> verified | unverified; failed at any time; heal_asked -> healed -> heal_verified | heal_unverified
// (injector/injector.c). A second life under the same id begins with `asked`.
static struct proof_fault *find_fault(struct proof *p, const struct event *ev) {
    struct proof_fault *found = NULL;
    VEC_FOREACH (&p->faults, f)
        if (str_eq(f->id, ev->u.FAULT.id))
            found = f;
    bool again = found && ev->u.FAULT.phase == FAULT_PHASE_ASKED && (found->heal_judged || found->failed);
    if (found && !again)
        return found;
    found = VEC_ADD(&p->faults);
    STR_COPY(found->id, ev->u.FAULT.id);
    return found;
}

static void demand(struct proof_fault *f, bool before, const char *missing) {
    if (!before && !*f->jump)
        (void)snprintf(f->jump, sizeof f->jump, "'%.20s' without '%.20s'", fault_phase_name(f->phase), missing);
}

static void on_fault(struct proof *p, const struct event *ev) {
    struct proof_fault *f = find_fault(p, ev);
    f->phase = ev->u.FAULT.phase;
    STR_COPY(f->mechanism, ev->u.FAULT.mechanism);
    switch (f->phase) {
    case FAULT_PHASE_ASKED:
        demand(f, !f->asked, "an end of the one before");
        f->asked = true;
        break;
    case FAULT_PHASE_EFFECTIVE:
        demand(f, f->asked, "asked");
        f->effective = true;
        break;
    case FAULT_PHASE_VERIFIED:
    case FAULT_PHASE_UNVERIFIED:
        demand(f, f->effective, "effective");
        f->judged = true;
        f->verified = f->phase == FAULT_PHASE_VERIFIED;
        break;
    case FAULT_PHASE_FAILED: // without `asked`: refused at once
        f->failed = true;
        break;
    case FAULT_PHASE_HEAL_ASKED:
        demand(f, f->judged || f->failed || f->asked, "asked");
        f->heal_asked = true;
        break;
    case FAULT_PHASE_HEALED:
        demand(f, f->heal_asked, "heal_asked");
        f->healed = true;
        break;
    case FAULT_PHASE_HEAL_VERIFIED:
    case FAULT_PHASE_HEAL_UNVERIFIED:
        demand(f, f->healed || f->phase == FAULT_PHASE_HEAL_UNVERIFIED, "healed");
        f->heal_judged = true;
        break;
    case FAULT_PHASE_NONE:
    case FAULT_PHASE_UNKNOWN:
        demand(f, false, "a meaning");
        break;
    }
}

static void on_action(struct proof *p, const struct event *ev) {
    struct proof_action *found = NULL;
    VEC_FOREACH (&p->actions, a)
        if (str_eq(a->id, ev->u.ACTION.id))
            found = a;
    if (!found) {
        found = VEC_ADD(&p->actions);
        STR_COPY(found->id, ev->u.ACTION.id);
    }
    STR_COPY(found->action, ev->u.ACTION.action);
    found->asked = found->asked || ev->u.ACTION.phase == ACTION_PHASE_ASKED;
    found->ended = found->ended || ev->u.ACTION.phase == ACTION_PHASE_DONE || ev->u.ACTION.phase == ACTION_PHASE_FAILED;
}

void proof_take_course(struct proof *p, const struct event *ev) {
    if (ev->kind == EVENT_LAB_STATE)
        on_state(p, ev);
    else if (ev->kind == EVENT_STEP)
        on_step(p, ev);
    else if (ev->kind == EVENT_FAULT)
        on_fault(p, ev);
    else if (ev->kind == EVENT_ACTION)
        on_action(p, ev);
}

// ---- rules -----------------------------------------------------------------------------------------------------------

static const struct proof_step *find_step(const struct proof *p, int64_t index, const char *name) {
    VEC_FOREACH (&p->steps, s)
        if (s->index == index && str_eq(s->name, name))
            return s;
    return NULL;
}

static bool has_fault(const struct proof *p, const char *id) {
    VEC_FOREACH (&p->faults, f)
        if (str_eq(f->id, id))
            return true;
    return false;
}

static bool has_action(const struct proof *p, const char *id) {
    VEC_FOREACH (&p->actions, a)
        if (str_eq(a->id, id))
            return true;
    return false;
}

static void judge_step(struct proof *p, const cJSON *planned, int64_t index) {
    const char *name = json_str(planned, "name", ""), *kind = json_str(planned, "kind", "");
    const struct proof_step *s = find_step(p, index, name);
    bool ended =
        s && (s->state == STEP_STATUS_DONE || s->state == STEP_STATUS_FAILED || s->state == STEP_STATUS_SKIPPED);
    if (!s)
        return proof_lack(p, "the step '%s' of the plan is not in the log", name);
    if (!ended)
        proof_lack(p, "the step '%s' has no end in the log: it is %s", name, step_status_name(s->state));
    if (s->state == STEP_STATUS_DONE && !s->started)
        proof_lack(p, "the step '%s' is done in the log, and was never started", name);
    if (s->started && str_eq(kind, "inject") && !has_fault(p, name))
        proof_lack(p, "the step '%s' injects %s, and the log has no word of that fault", name,
                   json_str(planned, "mechanism", ""));
    if (s->started && str_eq(kind, "do") && !has_action(p, name))
        proof_lack(p, "the step '%s' does %s, and the log has no word of that act", name,
                   old_name_now(json_str(planned, "mechanism", "")));
}

static void judge_steps(struct proof *p, const cJSON *plan) {
    const cJSON *steps = cJSON_GetObjectItemCaseSensitive(plan, "steps"), *s;
    int64_t index = 0;
    cJSON_ArrayForEach (s, steps)
        judge_step(p, s, index++);
    if (!find_step(p, -1, "begin"))
        proof_lack(p, "the log does not say when the scenario began");
    else if ((int64_t)p->steps.n > index + 1)
        proof_lack(p, "the log holds %zu steps, the plan %" PRId64, p->steps.n - 1, index);
}

static void judge_fault(struct proof *p, const struct proof_fault *f) {
    if (*f->jump)
        proof_lack(p, "the fault '%s' (%s) is %s in the log", f->id, f->mechanism, f->jump);
    else if (f->asked && !f->judged && !f->failed)
        proof_lack(p, "the fault '%s' (%s) has no outcome in the log: it is %s", f->id, f->mechanism,
                   fault_phase_name(f->phase));
    else if (f->heal_asked && !f->heal_judged && !f->failed)
        proof_lack(p, "the healing of the fault '%s' (%s) has no end in the log: it is %s", f->id, f->mechanism,
                   fault_phase_name(f->phase));
    else if (proof_scenario(p) && f->verified && !f->heal_asked &&
             !f->failed) // a scenario heals everything before it ends
        proof_lack(p, "the fault '%s' (%s) is in force and never healed in the log", f->id, f->mechanism);
}

static void judge_states(struct proof *p) {
    if (!p->ready)
        proof_lack(p, "the log does not say when the lab was ready");
    else if (!p->collecting && p->kinds[EVENT_CLIENT_TICK])
        proof_lack(p, "the log does not say when the run was over (lab.state collecting)");
    else if (!p->left)
        proof_lack(p, "the log ends with run.end: what follows it is missing");
    if (p->kinds[EVENT_RUN_END] > 1)
        proof_lack(p, "the log holds %" PRId64 " ends of a run", p->kinds[EVENT_RUN_END]);
}

void proof_judge_course(struct proof *p, const cJSON *plan) {
    judge_states(p);
    if (plan && proof_scenario(p))
        judge_steps(p, plan);
    VEC_FOREACH (&p->faults, f)
        judge_fault(p, f);
    VEC_FOREACH (&p->actions, a)
        if (!a->asked || !a->ended)
            proof_lack(p, "the act '%s' (%s) has no %s in the log", a->id, a->action,
                       a->asked ? "outcome" : "beginning");
}
