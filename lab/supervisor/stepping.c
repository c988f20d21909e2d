// SPDX-License-Identifier: PostgreSQL
// hold, next and go: the reply says what that did to the scenario, in the engine's words.
#include "lab/supervisor/internal.h"

void lab_tell_command(struct lab *lab, const char *verb, const char *args, const char *from) {
    struct event ev = EVENT_NEW(COMMAND);
    STR_COPY(ev.u.COMMAND.verb, verb);
    STR_COPY(ev.u.COMMAND.args, args);
    STR_COPY(ev.u.COMMAND.from, from);
    sink_emit(&lab->sink, &ev);
}

static int can_be_stepped(const struct lab *lab, const char *verb, struct err *err) {
    if (!lab->o->lab->scenario)
        return err_set(err, EINVAL, "this lab runs no scenario (`bascule run` does)");
    if (lab->run_ended || engine_finished(lab->engine))
        return err_set(err, EINVAL, "the scenario is over");
    if (!str_eq(verb, "next"))
        return 0;
    if (!engine_held(lab->engine))
        return err_set(err, EINVAL, "the scenario goes on by itself; `bascule hold` first");
    if (engine_next_step(lab->engine) < 0)
        return err_set(err, EINVAL, "no step is left: the scenario comes to its end by itself");
    return 0;
}

static void hold_words(const struct engine *e, char *buf, size_t size) {
    char title[EVENT_TEXT_MAX], waiting[EVENT_TEXT_MAX];
    if (engine_next_step(e) < 0)
        (void)str_copy(buf, size, "held, but no step is left: the scenario comes to its end by itself");
    else if (engine_stands(e))
        (void)snprintf(buf, size, "held before %s", engine_next_title(e, title, sizeof title));
    else
        (void)snprintf(buf, size, "held; still %s. After that comes %s", engine_waiting_for(e, waiting, sizeof waiting),
                       engine_next_title(e, title, sizeof title));
}

// `step` was the next one when it was asked for.
static void next_words(const struct engine *e, size_t step, char *buf, size_t size) {
    char title[EVENT_TEXT_MAX], waiting[EVENT_TEXT_MAX];
    (void)engine_step_title(e, step, title, sizeof title);
    if (engine_next_step(e) != (int64_t)step)
        (void)str_copy(buf, size, title);
    else
        (void)snprintf(buf, size, "%s; it starts when this is over: %s", title,
                       engine_waiting_for(e, waiting, sizeof waiting));
}

int lab_step_by_hand(struct lab *lab, const char *verb, char *words, size_t size, struct err *err) {
    int r = can_be_stepped(lab, verb, err);
    if (r < 0)
        return r;
    const struct engine *e = lab->engine;
    int64_t next = engine_next_step(e);
    lab_tell_command(lab, verb, "", "command");
    char waiting[EVENT_TEXT_MAX];
    if (str_eq(verb, "hold"))
        hold_words(e, words, size);
    else if (str_eq(verb, "next"))
        next_words(e, (size_t)next, words, size);
    else
        (void)snprintf(words, size, "the scenario goes on by itself: %s",
                       engine_waiting_for(e, waiting, sizeof waiting));
    return 0;
}
