// SPDX-License-Identifier: PostgreSQL
// What a step does, in words: the only place that says it. The event log carries the words (plan.step, step.next) to the dashboard and to
// the terminal of `bascule run`; `bascule status` and the replies to hold, next and go ask for them.
#include <stdio.h>

#include "lab/engine/internal.h"

// ---- to whom -------------------------------------------------------------------------------------------------------

static void names_from(const struct node_list *list, size_t first, struct strbuf *out) {
    for (size_t i = first; i < list->n; i++)
        strbuf_addf(out, "%s%s", i == first ? "" : i + 1 == list->n ? " and " : ", ", list->names[i]);
}

// "the leader, which is n2 now"; e == NULL: nothing is known of the cluster.
static void target_now(const struct engine *e, size_t i, size_t k, const struct selector *sel, struct node_list *list,
                       struct strbuf *out) {
    struct err err = {0};
    size_t before = list->n;
    strbuf_add(out, sel->kind == SELECTOR_NODE ? sel->node : selector_words(sel->kind)->whom);
    if (!e || sel->kind == SELECTOR_NODE)
        return;
    if (step_resolve(e, i, k, list, &err) < 0) {
        strbuf_addf(out, " (%s)", err.msg);
        return;
    }
    if (list->n == before) // all of them are meant already
        return;
    strbuf_add(out, selector_words(sel->kind)->many ? ": " : ", which is ");
    names_from(list, before, out);
    strbuf_add(out, " now");
}

static void whom(const struct plan *plan, const struct engine *e, size_t i, struct strbuf *out) {
    const struct step *s = &plan->steps.items[i];
    struct node_list list = {0};
    for (size_t k = 0; k < s->targets.n; k++) {
        strbuf_add(out, k ? " and " : " on ");
        target_now(e, i, k, &s->targets.items[k], &list, out);
    }
}

// ---- what ----------------------------------------------------------------------------------------------------------

// As a scenario writes it: "30 s", not "30.00 s". Nothing for 0.
static void add_time(struct strbuf *out, const char *before, usec_t t) {
    char text[USEC_TEXT_MAX];
    if (t && t % SEC == 0 && t < 2 * MINUTE)
        strbuf_addf(out, "%s%u s", before, (unsigned)(t / SEC));
    else if (t)
        strbuf_addf(out, "%s%s", before, usec_format(text, t));
}

static void wait_words(const struct step *s, struct strbuf *out) {
    char words[200];
    if (s->stays.atoms.n) {
        strbuf_addf(out, "watches that '%s' stays so", condition_words(&s->stays, words, sizeof words));
        add_time(out, " for ", s->stays_for);
    } else if (s->when.atoms.n) {
        strbuf_addf(out, "waits until '%s'", condition_words(&s->when, words, sizeof words));
        add_time(out, " has held for ", s->hold);
        add_time(out, ", at most ", s->within);
    } else
        add_time(out, "waits ", s->hold);
}

static void heal_words(const struct plan *plan, const struct engine *e, const struct step *s, struct strbuf *out) {
    if (s->heals < 0) {
        strbuf_add(out, "heals everything");
        return;
    }
    const char *nodes = e ? e->steps[s->heals].whom : "";
    strbuf_addf(out, "heals '%s' (%s%s%s)", plan->steps.items[s->heals].name, plan->steps.items[s->heals].mechanism,
                *nodes ? " on " : "", nodes);
}

static void params_words(const struct step *s, struct strbuf *out) {
    VEC_FOREACH (&s->params, p)
        strbuf_addf(out, "%s%s=%s", p == s->params.items ? " (" : " ", p->key, p->value);
    strbuf_add(out, s->params.n ? ")" : "");
    add_time(out, ", for ", s->duration);
}

// When it starts. The delay is over at once for who lets a held scenario take this step.
static void start_words(const struct plan *plan, const struct step *s, bool held, struct strbuf *out) {
    char words[200];
    if (s->delay && !held) {
        add_time(out, ", ", s->delay);
        if (s->after < 0)
            strbuf_add(out, " after the beginning");
        else
            strbuf_addf(out, " after '%s'", plan->steps.items[s->after].name);
    }
    if (s->kind == STEP_WAIT || !s->when.atoms.n)
        return;
    strbuf_addf(out, ", as soon as '%s'", condition_words(&s->when, words, sizeof words));
    add_time(out, " (waits at most ", s->within);
    strbuf_add(out, s->within ? ")" : "");
}

static void step_words(const struct plan *plan, const struct engine *e, size_t i, const char *nodes, char *buf,
                       size_t size) {
    const struct step *s = &plan->steps.items[i];
    cleanup_strbuf struct strbuf out = {0};
    if (s->kind == STEP_WAIT)
        wait_words(s, &out);
    else if (s->kind == STEP_HEAL)
        heal_words(plan, e, s, &out);
    else {
        strbuf_add(&out, s->mechanism);
        if (nodes)
            strbuf_addf(&out, "%s%s", *nodes ? " on " : "", nodes);
        else
            whom(plan, e, i, &out);
        params_words(s, &out);
    }
    if (!nodes)
        start_words(plan, s, e && engine_held(e), &out);
    (void)str_copy(buf, size, strbuf_str(&out));
}

char *plan_step_words(const struct plan *plan, size_t i, char *buf, size_t size) {
    step_words(plan, NULL, i, NULL, buf, size);
    return buf;
}

// Whom a step after the next will hit is not known yet: roles change until then. Before the beginning nobody has a role.
char *engine_step_words(const struct engine *e, size_t i, char *buf, size_t size) {
    bool now = e->state == RUN_STEPS && (engine_next_step(e) == (int64_t)i || e->steps[i].phase == STEP_WAITING);
    step_words(e->plan, now ? e : NULL, i, e->steps[i].started ? e->steps[i].whom : NULL, buf, size);
    return buf;
}

// ---- which ---------------------------------------------------------------------------------------------------------

// Held: the one that "next" lets start, else the first one whose turn will come.
int64_t engine_next_step(const struct engine *e) {
    int64_t later = -1;
    if (e->state != RUN_BEFORE && e->state != RUN_STEPS)
        return -1;
    for (size_t i = 0; i < e->plan->steps.n; i++) {
        enum step_phase p = e->steps[i].phase;
        if (hold_stops_clock(e, i) && e->state == RUN_STEPS && step_not_started(e, i))
            return (int64_t)i;
        if (later < 0 && (p == STEP_PENDING || p == STEP_DELAYED))
            later = (int64_t)i;
    }
    return later;
}

bool engine_stands(const struct engine *e) {
    if (!e->held || e->permit || e->state != RUN_STEPS || engine_next_step(e) < 0)
        return false;
    for (size_t i = 0; i < e->plan->steps.n; i++) {
        enum step_phase p = e->steps[i].phase;
        if (p == STEP_STAYING || p == STEP_BUSY || (p == STEP_WAITING && e->steps[i].released))
            return false;
    }
    return true;
}

char *engine_step_title(const struct engine *e, size_t i, char *buf, size_t size) {
    char words[EVENT_TEXT_MAX];
    (void)snprintf(buf, size, "step %zu of %zu, '%s': %s", i + 1, e->plan->steps.n, e->plan->steps.items[i].name,
                   engine_step_words(e, i, words, sizeof words));
    return buf;
}

char *engine_next_title(const struct engine *e, char *buf, size_t size) {
    int64_t next = engine_next_step(e);
    if (size)
        buf[0] = '\0';
    return next < 0 ? buf : engine_step_title(e, (size_t)next, buf, size);
}

const char *engine_step_state(const struct engine *e, size_t i) {
    if ((int64_t)i == engine_next_step(e))
        return "next";
    switch (e->steps[i].phase) {
    case STEP_PENDING:
    case STEP_DELAYED:
        return "to come";
    case STEP_WAITING:
        return hold_stops_clock(e, i) ? "to come" : "now";
    case STEP_STAYING:
    case STEP_BUSY:
        return "now";
    case STEP_ENDED:
        return "done";
    case STEP_CLOSED:
        return e->steps[i].failed ? "failed" : "skipped";
    }
    return "";
}

// ---- told ----------------------------------------------------------------------------------------------------------

void next_tell(struct engine *e) {
    struct event ev = EVENT_NEW(STEP_NEXT);
    int64_t next = engine_next_step(e);
    ev.t = e->stamp;
    ev.u.STEP_NEXT.index = next;
    ev.u.STEP_NEXT.stands = engine_stands(e);
    if (next >= 0) {
        STR_COPY(ev.u.STEP_NEXT.name, e->plan->steps.items[next].name);
        (void)engine_step_words(e, (size_t)next, ev.u.STEP_NEXT.text, sizeof ev.u.STEP_NEXT.text);
    }
    bool told = e->next_told && ev.u.STEP_NEXT.index == e->next.u.STEP_NEXT.index &&
                ev.u.STEP_NEXT.stands == e->next.u.STEP_NEXT.stands &&
                str_eq(ev.u.STEP_NEXT.text, e->next.u.STEP_NEXT.text);
    if (told || !e->plan->steps.n)
        return;
    e->next_told = true;
    e->next = ev;
    engine_effect(e, EFFECT_RECORD)->event = ev;
}
