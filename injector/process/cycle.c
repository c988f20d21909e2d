// SPDX-License-Identifier: PostgreSQL
// process.cycle: process.pause, again and again, for intervals drawn from the run's seed: a daemon that stutters, as one
// on a starved or swapping machine. Each round is process.pause itself (victims found afresh, tree stopped, all seen
// stopped; then continued), so everything said there holds. A round that finds nobody (killed, powered off) is left out.
// Verified by the first round: stopped and no processor time used, then running again.
#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/process/faults.h"
#include "injector/process/process_fault.h"

struct cycle {
    struct process_state pause; // first: process.pause works on it
    sd_event_source *timer;
    bool paused, busy, stopping; // in a pause; a phase of the pause under way; the heal has come
    uint64_t draws;
    size_t rounds, left_out;
    usec_t total, since; // stopped in all; the present pause
    fault_phase_done done;
};

static usec_t draw(struct fault *f, const char *low, const char *high) {
    struct cycle *c = f->state;
    usec_t a = SEC, b = SEC;
    (void)usec_parse(fault_param(f, low), &a);
    (void)usec_parse(fault_param(f, high), &b);
    return b > a ? a + fault_draw(f, c->draws++) % (b - a + 1) : a;
}

static void pause_or_resume(struct fault *f);

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
    pause_or_resume(arg);
    return 0;
}

static void wait_for_turn(struct fault *f, usec_t delay) {
    struct cycle *c = f->state;
    if (c->timer) {
        (void)sd_event_source_set_time_relative(c->timer, delay);
        (void)sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
    } else {
        (void)sd_event_add_time_relative(f->world->loop, &c->timer, CLOCK_MONOTONIC, delay, 1, on_timer, f);
    }
}

static void forget_victims(struct cycle *c) {
    VEC_CLEAR(&c->pause.victims);
    VEC_CLEAR(&c->pause.children);
    c->pause.n_held = 0;
}

static void finish_heal(struct fault *f) {
    struct cycle *c = f->state;
    char text[USEC_TEXT_MAX];
    phase_ok(f, c->done, sink_now(f->world->sink), "%zu pauses, %s in all%s", c->rounds, usec_format(text, c->total),
             c->left_out ? "; some rounds found nobody to pause" : "");
}

static void on_resumed(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct cycle *c = f->state;
    (void)ok, (void)effective, (void)text; // an error is a process that is gone: the next round sees who is there
    c->busy = c->paused = false;
    c->rounds++;
    c->total += usec_now() - c->since;
    if (c->stopping)
        finish_heal(f);
    else
        wait_for_turn(f, draw(f, "run_min", "run_max"));
}

static void resume(struct fault *f) {
    struct cycle *c = f->state;
    c->busy = true;
    process_pause_fault.heal(f, on_resumed);
}

static void on_paused_again(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct cycle *c = f->state;
    (void)effective, (void)text;
    c->busy = false;
    c->paused = true; // also when it failed half-way: resuming undoes what there is
    c->since = usec_now();
    c->left_out += !ok;
    if (c->stopping || !ok)
        resume(f);
    else
        wait_for_turn(f, draw(f, "pause_min", "pause_max"));
}

static void pause_or_resume(struct fault *f) {
    struct cycle *c = f->state;
    if (c->paused) {
        resume(f);
        return;
    }
    forget_victims(c);
    c->busy = true;
    process_pause_fault.inject(f, on_paused_again);
}

// ---- the phases ----------------------------------------------------------------------------------------------------

static void on_first(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct cycle *c = f->state;
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, text);
    c->paused = ok;
    c->since = usec_now();
    if (ok)
        phase_ok(f, c->done, effective, "first pause: %s", copy);
    else
        phase_no(f, c->done, "%s", copy);
}

static void inject(struct fault *f, fault_phase_done done) {
    if (!f->state)
        f->state = xcalloc(1, sizeof(struct cycle));
    ((struct cycle *)f->state)->done = done;
    process_pause_fault.inject(f, on_first);
}

static void on_running(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct cycle *c = f->state;
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, text);
    (void)effective;
    c->busy = false;
    if (ok)
        phase_ok(f, c->done, 0, "stopped for %.0f ms without using processor time, then %s", (double)c->total / 1000.0,
                 copy);
    else
        phase_no(f, c->done, "%s", copy);
    if (!c->stopping)
        wait_for_turn(f, draw(f, "run_min", "run_max"));
}

static void on_first_resumed(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct cycle *c = f->state;
    (void)effective;
    c->paused = false;
    c->rounds++;
    c->total += usec_now() - c->since;
    if (ok)
        process_pause_fault.verify_healed(f, on_running);
    else
        on_running(f, false, 0, text);
}

static int on_first_end(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct fault *f = arg;
    struct cycle *c = f->state;
    sd_event_source_disable_unref(STEAL(c->timer));
    (void)s;
    c->busy = true;
    process_pause_fault.heal(f, on_first_resumed);
    return 0;
}

static void on_first_verified(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct cycle *c = f->state;
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, text);
    (void)effective;
    usec_t whole = draw(f, "pause_min", "pause_max"), over = usec_now() - c->since;
    if (!ok)
        phase_no(f, c->done, "%s", copy);
    else if (sd_event_add_time_relative(f->world->loop, &c->timer, CLOCK_MONOTONIC, whole > over ? whole - over : 0, 1,
                                        on_first_end, f) < 0)
        phase_no(f, c->done, "no timer on the event loop");
}

static void verify(struct fault *f, fault_phase_done done) {
    ((struct cycle *)f->state)->done = done;
    process_pause_fault.verify(f, on_first_verified);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct cycle *c = f->state;
    if (!c) {
        phase_ok(f, done, 0, "nothing was paused");
        return;
    }
    c->done = done;
    c->timer = sd_event_source_disable_unref(c->timer);
    bool pausing = c->stopping || (c->busy && !c->paused); // a pause is being made: its completion resumes
    c->stopping = true;
    if (pausing && c->pause.salvo) {
        c->pause.done = on_paused_again;
        return;
    }
    if (c->paused || f->touched)
        resume(f);
    else
        finish_heal(f);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    if (f->state)
        process_pause_fault.verify_healed(f, done);
    else
        phase_ok(f, done, 0, "nothing was paused");
}

static void done_with(struct fault *f) {
    struct cycle *c = f->state;
    if (c)
        sd_event_source_disable_unref(c->timer);
    process_pause_fault.done(f); // frees the whole of it
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    static const char *const pairs[][2] = {{"pause_min", "pause_max"}, {"run_min", "run_max"}};
    const struct mechanism *about = &process_cycle_fault.about;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        usec_t low, high;
        if (usec_parse(mechanism_param(about, params, pairs[i][0]), &low) < 0 ||
            usec_parse(mechanism_param(about, params, pairs[i][1]), &high) < 0)
            return err_set(err, EINVAL, "process.cycle: %s and %s are durations such as 500ms", pairs[i][0],
                           pairs[i][1]);
        if (low > high || low < 50 * MSEC || high > 600 * SEC)
            return err_set(err, EINVAL,
                           "process.cycle: %s must be at least 50 ms and at most %s, which is at most 10 min",
                           pairs[i][0], pairs[i][1]);
    }
    return process_check(t, params, about, err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t i = 0; i < f->n_nodes; i++)
        strbuf_addf(out,
                    "# on %s, as often as you like\n"
                    "kill -STOP $(pgrep -f '%s'); sleep %s; kill -CONT $(pgrep -f '%s'); sleep %s\n",
                    f->nodes[i], fault_param(f, "service"), fault_param(f, "pause_max"), fault_param(f, "service"),
                    fault_param(f, "run_max"));
}

static const struct mechanism_param params[] = {
    {"service", "word", PROCESS_SERVICES, NULL, "whose process"},
    {"process", "word", PROCESS_NAMES, "postmaster", "which of PostgreSQL's (service postgres only)"},
    {"scope", "word", "tree|process", "tree", "with all its descendants, or the process alone"},
    {"pause_min", "duration", NULL, "1s", "shortest pause"},
    {"pause_max", "duration", NULL, "5s", "longest pause"},
    {"run_min", "duration", NULL, "1s", "shortest time it runs between two pauses"},
    {"run_max", "duration", NULL, "5s", "longest time it runs between two pauses"},
    {0}};

const struct fault_ops process_cycle_fault = {
    .about = {.name = "process.cycle", .summary = "freezes and resumes a process again and again", .params = params},
    .mechanism = "process.pause and its heal in turn, for times drawn from the run's seed.",
    .still_works = "As with process.pause. Between two pauses everything runs.",
    .exercises =
        "Pauses that are shorter than a lease and come often: loop times, late renewals, watchdog slack, flapping.",
    .needs = "nothing",
    .check = check,
    .check_node = process_check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 11 * MINUTE, // its verification lasts as long as the longest first pause
    .thaws = true,
};
