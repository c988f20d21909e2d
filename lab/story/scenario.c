// SPDX-License-Identifier: PostgreSQL
// The lab, the scenario's steps, and what people do to the run.
#include "lab/model/watch.h"
#include "lab/story/internal.h"

#define WORTH_SAYING SEC // a condition that was true at once needs no line

static void on_progress(struct story *s, const struct event *ev) {
    const char *text = ev->u.PROGRESS.text;
    if (!*text || str_eq(text, s->progress))
        return;
    STR_COPY(s->progress, text);
    (void)tell(s, ev->t, MOMENT_LAB, TOLD_DETAIL, MOOD_NEUTRAL, "", "%s: %s%s",
               ev->u.PROGRESS.phase ? progress_phase_name(ev->u.PROGRESS.phase) : "lab",
               ev->u.PROGRESS.waiting && !str_starts(text, "wait") ? "waiting for " : "", text);
}

static void on_state(struct story *s, const struct event *ev) {
    enum lab_state state = ev->u.LAB_STATE.state;
    struct moment *m = NULL;
    if (state == LAB_STATE_READY && !s->ready) {
        m = tell(s, ev->t, MOMENT_LAB, TOLD_EVENT, MOOD_GOOD, "", "the lab is ready");
        s->ready = true;
    } else if (state == LAB_STATE_BROKEN) {
        m = tell(s, ev->t, MOMENT_LAB, TOLD_MAIN, MOOD_BAD, "", "THE LAB BROKE");
    }
    if (m)
        add_detail(m, "%s", ev->u.LAB_STATE.detail);
}

// ---- steps ---------------------------------------------------------------------------------------------------------------

static void wait_begins(struct story *s, const struct event *ev) {
    size_t i = 0;
    while (i < s->waits.n && s->waits.items[i].index != ev->u.STEP.index)
        i++;
    if (i < s->waits.n || i == MODEL_STEPS_MAX)
        return;
    struct wait_told *w = VEC_ADD(&s->waits);
    w->index = ev->u.STEP.index;
    w->since = ev->t;
    STR_COPY(w->detail, ev->u.STEP.detail);
}

// "for 'cluster is complete': n2 is not streaming" is what a step says that waits for a condition.
static void tell_wait(struct story *s, const struct event *ev, const struct wait_told *w) {
    char text[USEC_TEXT_MAX];
    const char *condition = str_starts(w->detail, "for '") ? w->detail + strlen("for ") : NULL;
    const char *end = condition ? strstr(condition, "': ") : NULL;
    if (!end)
        return;
    struct moment *m =
        tell(s, ev->t, MOMENT_STEP, TOLD_EVENT, MOOD_NEUTRAL, "", "step %s has waited %s for %.*s", ev->u.STEP.name,
             usec_format(text, ev->t - w->since), (int)(end + 1 - condition), condition);
    add_detail(m, "when it began: %s", end + strlen("': "));
}

static void wait_ends(struct story *s, const struct event *ev) {
    for (size_t i = 0; i < s->waits.n; i++) {
        struct wait_told *w = &s->waits.items[i];
        if (w->index != ev->u.STEP.index)
            continue;
        if (ev->t > w->since + WORTH_SAYING)
            tell_wait(s, ev, w);
        *w = s->waits.items[--s->waits.n];
        return;
    }
}

static void on_step(struct story *s, const struct event *ev) {
    struct moment *m = NULL;
    switch (ev->u.STEP.state) {
    case STEP_STATUS_WAITING:
        m = tell(s, ev->t, MOMENT_STEP, TOLD_DETAIL, MOOD_NEUTRAL, "", "step %s is waiting", ev->u.STEP.name);
        wait_begins(s, ev);
        break;
    case STEP_STATUS_FAILED:
        m = tell(s, ev->t, MOMENT_STEP, TOLD_MAIN, MOOD_BAD, "", "step %s FAILED", ev->u.STEP.name);
        break;
    case STEP_STATUS_SKIPPED:
        m = tell(s, ev->t, MOMENT_STEP, TOLD_EVENT, MOOD_WARN, "", "step %s was skipped", ev->u.STEP.name);
        break;
    case STEP_STATUS_NONE:
    case STEP_STATUS_UNKNOWN:
    case STEP_STATUS_STARTED:
    case STEP_STATUS_DONE:
        wait_ends(s, ev);
        break;
    }
    if (m)
        add_detail(m, "%s", ev->u.STEP.detail);
}

// What a held scenario stands before. That the leader has changed meanwhile, `bascule status` says.
static void on_next(struct story *s, const struct event *ev) {
    int64_t before = ev->u.STEP_NEXT.stands ? ev->u.STEP_NEXT.index + 1 : 0;
    if (before && before != s->stands_before)
        (void)tell(s, ev->t, MOMENT_STEP, TOLD_EVENT, MOOD_NEUTRAL, "", "held before step %" PRId64 ", '%s': %s",
                   before, ev->u.STEP_NEXT.name, ev->u.STEP_NEXT.text);
    s->stands_before = before;
}

// ---- people --------------------------------------------------------------------------------------------------------------

// What a command causes is told by the events that follow; here stands what would not be known without it.
static void on_command(struct story *s, const struct event *ev) {
    static const struct {
        const char *verb, *words;
    } table[] = {
        {"hold", "somebody holds the scenario: no step begins until `bascule next` or `bascule go`"},
        {"next", "somebody lets the next step begin"},
        {"go", "somebody lets the scenario go on by itself"},
        {"abort", "somebody ends the run"},
        {"down", "somebody takes the lab down"},
    };
    const char *verb = ev->u.COMMAND.verb, *args = ev->u.COMMAND.args;
    if (str_eq(verb, "hold") && str_eq(ev->u.COMMAND.from, "run")) {
        (void)tell(s, ev->t, MOMENT_BY_HAND, TOLD_EVENT, MOOD_NEUTRAL, "",
                   "the scenario is held before its first step (--hold): `bascule next` takes a step, `bascule go` "
                   "goes on by itself");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (str_eq(verb, table[i].verb)) {
            struct moment *m = tell(s, ev->t, MOMENT_BY_HAND, TOLD_EVENT, MOOD_NEUTRAL, "", "%s", table[i].words);
            add_detail(m, "%s", args);
            return;
        }
    if (str_eq(verb, "heal"))
        (void)tell(s, ev->t, MOMENT_BY_HAND, TOLD_EVENT, MOOD_NEUTRAL, "", "somebody heals %s by hand",
                   str_eq(args, "all") ? "everything" : args);
    if (!str_eq(verb, "shell") && !str_eq(verb, "exec") && !str_eq(verb, "psql"))
        return;
    char node[NODE_NAME_MAX];
    size_t n = strcspn(args, " ");
    (void)str_copy(node, n + 1 < sizeof node ? n + 1 : sizeof node, args);
    int i = story_node(s, node);
    if (i >= 0)
        s->machine[i].entered = true;
    struct moment *m =
        tell(s, ev->t, MOMENT_BY_HAND, TOLD_EVENT, MOOD_NEUTRAL, node, "somebody enters %s (bascule %s)", node, verb);
    if (args[n] == ' ')
        add_detail(m, "%s", args + n + 1);
}

static void on_setting(struct story *s, const struct event *ev) {
    const char *key = ev->u.CONFIG.key, *node = ev->u.CONFIG.node, *value = ev->u.CONFIG.value;
    VEC_FOREACH (&s->settings, x) {
        if (!str_eq(x->key, key) || !str_eq(x->node, node))
            continue;
        if (!str_eq(x->value, value))
            (void)tell(s, ev->t, MOMENT_SETTING, s->ready ? TOLD_EVENT : TOLD_DETAIL, MOOD_NEUTRAL, node,
                       "setting %s is %s now (before: %s)%s%s", key, value, x->value, *node ? " on " : "", node);
        STR_COPY(x->value, value);
        return;
    }
    struct setting_told *x = VEC_ADD(&s->settings);
    STR_COPY(x->key, key);
    STR_COPY(x->node, node);
    STR_COPY(x->value, value);
}

static void on_noise(struct story *s, const struct event *ev) {
    usec_t from, to;
    char text[USEC_TEXT_MAX];
    if (watch_standstill(ev, &from, &to)) {
        (void)tell(s, from, MOMENT_UNWATCHED, TOLD_MAIN, MOOD_WARN, "",
                   "NOBODY WATCHES from here on, for %s: the lab's supervisor stood still",
                   usec_format(text, to - from));
        return;
    }
    if (ev->u.NOISE.late_p99_us < 100000 || s->noise_told)
        return;
    s->noise_told = true;
    (void)tell(s, ev->t, MOMENT_NOISE, TOLD_DETAIL, MOOD_WARN, "",
               "this machine is busy: timers are %.0f ms late, times may be too long",
               (double)ev->u.NOISE.late_p99_us / 1e3);
}

// Only once: an hour later it is coarser still, and after each piece of news it begins anew.
static void on_thinned(struct story *s, const struct event *ev) {
    char ticks[USEC_TEXT_MAX], others[USEC_TEXT_MAX];
    if (!ev->u.RECORD_THINNED.ticks || s->thinned_told)
        return;
    s->thinned_told = true;
    (void)tell(
        s, ev->t, MOMENT_LAB, TOLD_DETAIL, MOOD_NEUTRAL, "",
        "nothing new for so long that the record is thinned: one line stands for up to %s of the application, %s of "
        "an observation",
        usec_format(ticks, ev->u.RECORD_THINNED.ticks), usec_format(others, ev->u.RECORD_THINNED.others));
}

void tell_scenario(struct story *s, const struct event *ev) {
    switch ((int)ev->kind) {
    case EVENT_PROGRESS:
        on_progress(s, ev);
        break;
    case EVENT_LAB_STATE:
        on_state(s, ev);
        break;
    case EVENT_STEP:
        on_step(s, ev);
        break;
    case EVENT_STEP_NEXT:
        on_next(s, ev);
        break;
    case EVENT_COMMAND:
        on_command(s, ev);
        break;
    case EVENT_CONFIG:
        on_setting(s, ev);
        break;
    case EVENT_NOISE:
        on_noise(s, ev);
        break;
    case EVENT_RECORD_THINNED:
        on_thinned(s, ev);
        break;
    case EVENT_RUN_END: {
        struct moment *m = tell(s, ev->t, MOMENT_LAB, TOLD_EVENT, MOOD_NEUTRAL, "", "the run ended: %s",
                                end_reason_name(ev->u.RUN_END.reason));
        if (*ev->u.RUN_END.detail)
            add_detail(m, "%s", ev->u.RUN_END.detail);
        break;
    }
    }
}
