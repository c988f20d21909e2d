// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/ticker.h"

#include "lab/base/terminal.h"

enum { OUTAGES_MOST = 10 }; // the one that goes on, and those that it may belong to
static const usec_t LINE_EVERY = 10 * SEC;

static void wait_for(struct ticker *t, const struct event *ev, const char *text) {
    if (str_eq(t->waiting, text))
        return;
    STR_COPY(t->waiting, text);
    t->since = ev->t;
}

// A held scenario waits for a person. What a step waits for stays: the step was told before this.
static void say_held(struct ticker *t, const struct event *ev) {
    char text[EVENT_TEXT_MAX] = "";
    if (ev->u.STEP_NEXT.stands)
        (void)snprintf(text, sizeof text, "held before '%s' (bascule next, go)", ev->u.STEP_NEXT.name);
    else if (!t->stands)
        return;
    t->stands = ev->u.STEP_NEXT.stands;
    wait_for(t, ev, text);
}

void ticker_event(struct ticker *t, const struct event *ev) {
    char text[EVENT_TEXT_MAX];
    t->felt.most = OUTAGES_MOST;
    outages_event(&t->felt, ev);
    switch (ev->kind) {
    case EVENT_RUN_BEGIN:
        t->mono = ev->u.RUN_BEGIN.mono;
        return;
    case EVENT_PROGRESS:
        wait_for(t, ev, ev->u.PROGRESS.waiting ? ev->u.PROGRESS.text : "");
        return;
    case EVENT_LAB_STATE:
    case EVENT_RUN_END:
        wait_for(t, ev, "");
        return;
    case EVENT_STEP:
        (void)snprintf(text, sizeof text, "step %s waits %s", ev->u.STEP.name, ev->u.STEP.detail);
        wait_for(t, ev, ev->u.STEP.state == STEP_STATUS_WAITING ? text : "");
        return;
    case EVENT_STEP_NEXT:
        say_held(t, ev);
        return;
    default:
        return;
    }
}

static bool compose(const struct ticker *t, usec_t now, char *out, size_t size) {
    const struct outage *outage = outages_open(&t->felt);
    if (!*t->waiting && !outage)
        return false;
    int n = snprintf(out, size, "[%6.1f s] ", (double)now / 1e6);
    if (outage)
        n += snprintf(out + n, size - (size_t)n, "no write for %.1f s. ",
                      (double)(outages_until(&t->felt, outage, now) - outage->from) / 1e6);
    if (*t->waiting)
        (void)snprintf(out + n, size - (size_t)n, "%.1f s: %s", now > t->since ? (double)(now - t->since) / 1e6 : 0.0,
                       t->waiting);
    return true;
}

static void wipe(FILE *out) {
    terminal_own(out, "r");
    terminal_own(out, "K");
}

void ticker_show(struct ticker *t, FILE *out) {
    char line[EVENT_TEXT_MAX + 80];
    usec_t absolute = usec_now();
    if (!t->mono || absolute < t->mono || !compose(t, absolute - t->mono, line, sizeof line)) {
        ticker_hide(t, out);
        return;
    }
    if (t->terminal) {
        wipe(out);
        (void)fprintf(out, "%.*s", t->width - 1, line);
        t->shown = true;
    } else if (absolute - t->said > LINE_EVERY) {
        if (t->said) // not at once: the first line of a wait was printed by what began it
            (void)fprintf(out, "%s\n", line);
        t->said = absolute;
    }
    (void)fflush(out);
}

void ticker_hide(struct ticker *t, FILE *out) {
    if (t->shown)
        wipe(out);
    t->shown = false;
}

void ticker_done(struct ticker *t) {
    outages_done(&t->felt);
}
