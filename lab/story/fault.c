// SPDX-License-Identifier: PostgreSQL
// Faults and acts, phase by phase.
#include "lab/story/internal.h"

#include <stdio.h>

#include "lab/model/blame.h"

static struct fault_told *find(struct story *s, const char *id, bool anew) {
    for (size_t i = s->faults.n; i > 0 && !anew; i--)
        if (str_eq(s->faults.items[i - 1].id, id))
            return &s->faults.items[i - 1];
    if (s->faults.n == MODEL_FAULTS_MAX)
        VEC_REMOVE(&s->faults, 0);
    struct fault_told *f = VEC_ADD(&s->faults);
    STR_COPY(f->id, id);
    return f;
}

// "leader, which is n1", "n1", "replica, which are n2,n3"
static void where(const struct event *ev, char *buf, size_t size) {
    const char *target = ev->u.FAULT.target, *nodes = ev->u.FAULT.nodes;
    if (*target && *nodes && !str_eq(target, nodes))
        (void)snprintf(buf, size, " on %s, which %s %s", target, strchr(nodes, ',') ? "are" : "is", nodes);
    else
        (void)snprintf(buf, size, "%s%s", *nodes || *target ? " on " : "", *nodes ? nodes : target);
}

// " on n1": where the fault has been introduced before
static void on_nodes(const struct event *ev, char *buf, size_t size) {
    const char *nodes = *ev->u.FAULT.nodes ? ev->u.FAULT.nodes : ev->u.FAULT.target;
    (void)snprintf(buf, size, "%s%s", *nodes ? " on " : "", nodes);
}

static const char *single_node(const char *nodes) {
    return strchr(nodes, ',') ? "" : nodes;
}

static void tell_asked(struct story *s, const struct event *ev, struct fault_told *f, const char *place) {
    bool hand = str_starts(ev->u.FAULT.id, "hand-");
    STR_COPY(f->nodes, ev->u.FAULT.nodes);
    f->asked = ev->t;
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if (str_list_has(f->nodes, s->model->nodes[i].name)) {
            s->machine[i].power_fault = str_starts(ev->u.FAULT.mechanism, "node.") ? ev->t : s->machine[i].power_fault;
            s->machine[i].process_fault =
                str_starts(ev->u.FAULT.mechanism, "process.") ? ev->t : s->machine[i].process_fault;
        }
    (void)tell(s, ev->t, MOMENT_FAULT_ASKED, TOLD_DETAIL, MOOD_NEUTRAL, single_node(f->nodes), "injecting %s%s%s",
               ev->u.FAULT.mechanism, place, hand ? ", by hand" : "");
}

// It took effect between its order and t; what its nodes showed meanwhile was its doing.
static void note_effect(struct story *s, const struct fault_told *f, struct moment *m, usec_t t) {
    move_moment(s, m, t);
    m->error = t - f->asked;
}

static bool may_be_an_effect(const struct moment *m) {
    return m->kind == MOMENT_DEMOTED || m->kind == MOMENT_POSTGRES || m->kind == MOMENT_SERVICE ||
           m->kind == MOMENT_POWER;
}

static void seen_before(struct story *s, const struct fault_told *f, struct moment *fault) {
    for (size_t i = s->list.n; f->asked && i > 0 && s->list.items[i - 1]->t >= f->asked; i--) {
        const struct moment *m = s->list.items[i - 1];
        if (m->t < fault->t && may_be_an_effect(m) && str_list_has(f->nodes, m->node)) {
            note_effect(s, f, fault, m->t);
            i = s->list.n + 1; // the list has changed
        }
    }
}

void fault_bites_by(struct story *s, int node, usec_t t) {
    VEC_FOREACH (&s->faults, f) {
        struct moment *m = f->effect && f->asked && f->asked <= t && str_list_has(f->nodes, s->model->nodes[node].name)
                               ? moment_find(s, f->effect)
                               : NULL;
        if (m && t < m->t)
            note_effect(s, f, m, t);
    }
}

static void tell_effect(struct story *s, const struct event *ev, struct fault_told *f, const char *place) {
    bool hand = str_starts(ev->u.FAULT.id, "hand-"), verified = ev->u.FAULT.phase != FAULT_PHASE_EFFECTIVE;
    struct moment *m = tell(s, ev->t, MOMENT_FAULT, TOLD_MAIN, MOOD_BAD, single_node(ev->u.FAULT.nodes),
                            "fault%s: %s%s", hand ? " by hand" : "", ev->u.FAULT.mechanism, place);
    f->effect = m->id;
    if (!ev->u.FAULT.effective_seen && f->asked && f->asked < ev->t)
        m->error = ev->t - f->asked;
    seen_before(s, f, m);
    if (!verified)
        add_detail(m, "%s", ev->u.FAULT.detail);
}

static void tell_verified(struct story *s, const struct event *ev, struct fault_told *f, const char *place, bool ok) {
    if (!f->effect)
        tell_effect(s, ev, f, place);
    struct moment *m = tell(s, ev->t, ok ? MOMENT_FAULT_VERIFIED : MOMENT_FAULT_FAILED, ok ? TOLD_EVENT : TOLD_MAIN,
                            ok ? MOOD_NEUTRAL : MOOD_BAD, single_node(ev->u.FAULT.nodes), "%s: %s%s",
                            ok ? "verified" : "NOT VERIFIED", ev->u.FAULT.mechanism, place);
    add_detail(m, "%s", ev->u.FAULT.detail);
}

static void tell_healed(struct story *s, const struct event *ev, const char *place) {
    struct moment *m = tell(s, ev->t, MOMENT_HEALED, TOLD_MAIN, MOOD_GOOD, single_node(ev->u.FAULT.nodes),
                            "healed: %s%s", ev->u.FAULT.mechanism, place);
    add_detail(m, "%s", ev->u.FAULT.detail);
}

static void heal_checked(struct story *s, const struct event *ev, const char *place, bool ok) {
    struct moment *m = tell(s, ev->t, ok ? MOMENT_FAULT_VERIFIED : MOMENT_FAULT_FAILED, ok ? TOLD_DETAIL : TOLD_MAIN,
                            ok ? MOOD_NEUTRAL : MOOD_BAD, single_node(ev->u.FAULT.nodes), "healing %s: %s%s",
                            ok ? "verified" : "NOT VERIFIED", ev->u.FAULT.mechanism, place);
    add_detail(m, "%s", ev->u.FAULT.detail);
}

static void tell_failed(struct story *s, const struct event *ev, const char *place) {
    struct moment *m = tell(s, ev->t, MOMENT_FAULT_FAILED, TOLD_MAIN, MOOD_BAD, single_node(ev->u.FAULT.nodes),
                            "injection FAILED: %s%s", ev->u.FAULT.mechanism, place);
    add_detail(m, "%s", ev->u.FAULT.detail);
}

void tell_fault(struct story *s, const struct event *ev) {
    enum fault_phase phase = ev->u.FAULT.phase;
    char place[EVENT_TEXT_MAX + EVENT_NAME_MAX + 16];
    struct fault_told *f = find(s, ev->u.FAULT.id, phase == FAULT_PHASE_ASKED);
    if (phase == FAULT_PHASE_ASKED || phase == FAULT_PHASE_EFFECTIVE || phase == FAULT_PHASE_FAILED)
        where(ev, place, sizeof place);
    else
        on_nodes(ev, place, sizeof place);
    switch (phase) {
    case FAULT_PHASE_ASKED:
        tell_asked(s, ev, f, place);
        break;
    case FAULT_PHASE_EFFECTIVE:
        tell_effect(s, ev, f, place);
        break;
    case FAULT_PHASE_VERIFIED:
    case FAULT_PHASE_UNVERIFIED:
        tell_verified(s, ev, f, place, phase == FAULT_PHASE_VERIFIED);
        break;
    case FAULT_PHASE_HEAL_ASKED:
        (void)tell(s, ev->t, MOMENT_HEAL_ASKED, TOLD_DETAIL, MOOD_NEUTRAL, single_node(ev->u.FAULT.nodes),
                   "healing %s%s", ev->u.FAULT.mechanism, place);
        break;
    case FAULT_PHASE_HEALED:
        tell_healed(s, ev, place);
        break;
    case FAULT_PHASE_HEAL_VERIFIED:
    case FAULT_PHASE_HEAL_UNVERIFIED:
        heal_checked(s, ev, place, phase == FAULT_PHASE_HEAL_VERIFIED);
        break;
    case FAULT_PHASE_FAILED:
        tell_failed(s, ev, place);
        break;
    case FAULT_PHASE_NONE:
    case FAULT_PHASE_UNKNOWN:
        break;
    }
}

void tell_action(struct story *s, const struct event *ev) {
    enum action_phase phase = ev->u.ACTION.phase;
    bool bad = phase == ACTION_PHASE_FAILED;
    struct moment *m =
        tell(s, ev->t, MOMENT_ACT, phase == ACTION_PHASE_ASKED ? TOLD_EVENT : TOLD_MAIN, bad ? MOOD_BAD : MOOD_NEUTRAL,
             "", "act%s: %s %s", str_starts(ev->u.ACTION.id, "hand-") ? " by hand" : "", ev->u.ACTION.action,
             bad ? "FAILED" : action_phase_name(phase));
    add_detail(m, "%s", ev->u.ACTION.detail);
}

bool story_unexplained(const struct story *s, int node) {
    return !model_explains(s->model, s->model->nodes[node].name, s->now);
}
