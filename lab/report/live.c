// SPDX-License-Identifier: PostgreSQL
// What is going on, for somebody who watches `bascule run`: one line per thing that changed, with the seconds so far.
// Nothing is said twice, and nothing periodic is said at all.
#include <stdio.h>

#include "lab/report/paint.h"

enum { WRITES_STOPPED_MS = 300 }; // below this a pause is a hiccup nobody wants a line for

struct report_live {
    struct report_style style;
    char progress[EVENT_TEXT_MAX]; // the last one said
    char leader[EVENT_NAME_MAX];
    bool leader_known;
    char server[EVENT_NAME_MAX];
    char writable[NODES_MAX][EVENT_NAME_MAX]; // nodes that accept writes
    usec_t last_ok;                           // last acknowledged write, 0 = none yet
    bool stopped;                             // an outage was said to have begun
    bool noise_said;
};

struct report_live *report_live_new(const struct report_style *style) {
    struct report_live *r = xcalloc(1, sizeof *r);
    r->style = *style;
    return r;
}

void report_live_free(struct report_live *r) {
    free(r);
}

static void say(struct report_live *r, struct strbuf *out, usec_t t, enum paint p, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
static void say(struct report_live *r, struct strbuf *out, usec_t t, enum paint p, const char *fmt, ...) {
    cleanup_strbuf struct strbuf raw = {0}, clean = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&raw, fmt, ap);
    va_end(ap);
    paint_clean(&clean, &r->style, strbuf_str(&raw));
    strbuf_addf(out, "[%6.1f s] ", (double)t / 1e6);
    paint_add(out, &r->style, p, strbuf_str(&clean));
    strbuf_addn(out, "\n", 1);
}

static void on_progress(struct report_live *r, const struct event *ev, struct strbuf *out) {
    const char *text = ev->u.PROGRESS.text;
    if (!*text || str_eq(text, r->progress))
        return;
    STR_COPY(r->progress, text);
    say(r, out, ev->t, ev->u.PROGRESS.waiting ? PAINT_DIM : PAINT_PLAIN, "%s: %s%s",
        *ev->u.PROGRESS.phase ? ev->u.PROGRESS.phase : "lab",
        ev->u.PROGRESS.waiting && !str_starts(text, "wait") ? "waiting for " : "", text);
}

static void on_leader_key(struct report_live *r, const struct event *ev, struct strbuf *out) {
    if (!str_eq(ev->u.DCS_KEY.key, "leader"))
        return;
    const char *now = ev->u.DCS_KEY.gone ? "" : ev->u.DCS_KEY.value;
    if (r->leader_known && str_eq(now, r->leader))
        return;
    if (!*now && *r->leader)
        say(r, out, ev->t, PAINT_WARN, "leader key of %s is gone", r->leader);
    else if (*now && *r->leader)
        say(r, out, ev->t, PAINT_BAD, "%s TOOK THE LEADER KEY FROM %s, without the key having been free", now,
            r->leader);
    else if (*now)
        say(r, out, ev->t, PAINT_BOLD, "%s holds the leader key", now);
    r->leader_known = true;
    STR_COPY(r->leader, now);
}

static void on_fault(struct report_live *r, const struct event *ev, struct strbuf *out) {
    static const struct {
        const char *phase, *words;
        enum paint paint;
    } table[] = {
        {"asked", "injecting", PAINT_BOLD},
        {"effective", "bites:", PAINT_BAD},
        {"verified", "verified:", PAINT_BOLD},
        {"unverified", "NOT VERIFIED:", PAINT_BAD},
        {"heal_asked", "healing", PAINT_PLAIN},
        {"healed", "healed:", PAINT_GOOD},
        {"heal_verified", "healing verified:", PAINT_PLAIN},
        {"heal_unverified", "healing NOT VERIFIED:", PAINT_BAD},
        {"failed", "injection FAILED:", PAINT_BAD},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (str_eq(ev->u.FAULT.phase, table[i].phase)) {
            const char *who = *ev->u.FAULT.nodes ? ev->u.FAULT.nodes : ev->u.FAULT.target;
            say(r, out, ev->t, table[i].paint, "%s %s on %s%s%s", table[i].words, ev->u.FAULT.mechanism, who,
                *ev->u.FAULT.detail ? ": " : "", ev->u.FAULT.detail);
        }
}

static void on_tick(struct report_live *r, const struct event *ev, struct strbuf *out) {
    char text[USEC_TEXT_MAX];
    usec_t end = ev->u.CLIENT_TICK.from + 100 * MSEC;
    if (ev->u.CLIENT_TICK.w_ok > 0) {
        usec_t first = ev->u.CLIENT_TICK.w_first_ok ? ev->u.CLIENT_TICK.w_first_ok : end;
        if (!r->last_ok)
            say(r, out, ev->t, PAINT_PLAIN, "the application writes");
        else if (r->stopped)
            say(r, out, ev->t, PAINT_GOOD, "writes are back after %s",
                usec_format(text, first > r->last_ok ? first - r->last_ok : 0));
        r->stopped = false;
        r->last_ok = ev->u.CLIENT_TICK.w_last_ok ? ev->u.CLIENT_TICK.w_last_ok : end;
        return;
    }
    if (r->last_ok && !r->stopped && ev->u.CLIENT_TICK.w_tried > 0 && end > r->last_ok + WRITES_STOPPED_MS * MSEC) {
        r->stopped = true;
        say(r, out, ev->t, PAINT_BAD, "WRITES STOPPED: the last one was acknowledged at %.2f s",
            (double)r->last_ok / 1e6);
    }
}

static char *find_writable(struct report_live *r, const char *node) {
    for (size_t i = 0; i < ARRAY_SIZE(r->writable); i++)
        if (str_eq(r->writable[i], node))
            return r->writable[i];
    return NULL;
}

static void on_sql(struct report_live *r, const struct event *ev, struct strbuf *out) {
    char *known = find_writable(r, ev->u.SQL.node);
    if (ev->u.SQL.writable == (known != NULL) || !*ev->u.SQL.node)
        return;
    char *slot = known ? known : find_writable(r, "");
    if (!slot)
        return;
    (void)str_copy(slot, sizeof r->writable[0], known ? "" : ev->u.SQL.node);
    if (!known)
        say(r, out, ev->t, PAINT_PLAIN, "%s accepts writes (timeline %" PRId64 ")", ev->u.SQL.node, ev->u.SQL.timeline);
    else
        say(r, out, ev->t, PAINT_WARN, "%s accepts no writes%s%s", ev->u.SQL.node, *ev->u.SQL.error ? ": " : "",
            ev->u.SQL.error);
}

static void on_server(struct report_live *r, const struct event *ev, struct strbuf *out) {
    if (!*ev->u.CLIENT_SERVER.node || str_eq(ev->u.CLIENT_SERVER.node, r->server))
        return;
    STR_COPY(r->server, ev->u.CLIENT_SERVER.node);
    say(r, out, ev->t, PAINT_PLAIN, "the application is connected to %s", r->server);
}

static void on_step(struct report_live *r, const struct event *ev, struct strbuf *out) {
    const char *state = ev->u.STEP.state;
    if (str_eq(state, "waiting") || str_eq(state, "failed") || str_eq(state, "skipped"))
        say(r, out, ev->t, str_eq(state, "failed") ? PAINT_BAD : PAINT_DIM, "step %s %s%s%s", ev->u.STEP.name, state,
            *ev->u.STEP.detail ? ": " : "", ev->u.STEP.detail);
}

static void on_noise(struct report_live *r, const struct event *ev, struct strbuf *out) {
    if (ev->u.NOISE.late_p99_us < 100000 || r->noise_said)
        return;
    r->noise_said = true;
    say(r, out, ev->t, PAINT_WARN, "this machine is busy: timers are %.0f ms late, times may be too long",
        (double)ev->u.NOISE.late_p99_us / 1e3);
}

void report_live_event(struct report_live *r, const struct event *ev, struct strbuf *out) {
    if (ev->kind == EVENT_PROGRESS)
        on_progress(r, ev, out);
    else if (ev->kind == EVENT_DCS_KEY)
        on_leader_key(r, ev, out);
    else if (ev->kind == EVENT_FAULT)
        on_fault(r, ev, out);
    else if (ev->kind == EVENT_CLIENT_TICK)
        on_tick(r, ev, out);
    else if (ev->kind == EVENT_SQL)
        on_sql(r, ev, out);
    else if (ev->kind == EVENT_CLIENT_SERVER)
        on_server(r, ev, out);
    else if (ev->kind == EVENT_STEP)
        on_step(r, ev, out);
    else if (ev->kind == EVENT_NOISE)
        on_noise(r, ev, out);
    else if (ev->kind == EVENT_ACTION)
        say(r, out, ev->t, PAINT_BOLD, "%s %s%s%s", ev->u.ACTION.action, ev->u.ACTION.phase,
            *ev->u.ACTION.detail ? ": " : "", ev->u.ACTION.detail);
    else if (ev->kind == EVENT_NODE_POWER && ev->t > 0)
        say(r, out, ev->t, PAINT_DIM, "%s is powered %s", ev->u.NODE_POWER.node, ev->u.NODE_POWER.on ? "on" : "off");
    else if (ev->kind == EVENT_WATCHDOG && str_eq(ev->u.WATCHDOG.state, "expired"))
        say(r, out, ev->t, PAINT_BAD, "watchdog of %s expired: nobody wrote to it for %.0f s", ev->u.WATCHDOG.node,
            (double)ev->u.WATCHDOG.timeout / 1e6);
    else if (ev->kind == EVENT_WATCHDOG && !str_eq(ev->u.WATCHDOG.state, "kept"))
        say(r, out, ev->t, PAINT_DIM, "watchdog of %s is %s", ev->u.WATCHDOG.node, ev->u.WATCHDOG.state);
    else if (ev->kind == EVENT_LAB_STATE && str_eq(ev->u.LAB_STATE.state, "ready"))
        say(r, out, ev->t, PAINT_GOOD, "the lab is ready%s%s", *ev->u.LAB_STATE.detail ? ": " : "",
            ev->u.LAB_STATE.detail);
    else if (ev->kind == EVENT_LAB_STATE && str_eq(ev->u.LAB_STATE.state, "broken"))
        say(r, out, ev->t, PAINT_BAD, "THE LAB BROKE: %s", ev->u.LAB_STATE.detail);
    else if (ev->kind == EVENT_RUN_END)
        say(r, out, ev->t, PAINT_BOLD, "the run ended: %s%s%s", ev->u.RUN_END.reason, *ev->u.RUN_END.detail ? ": " : "",
            ev->u.RUN_END.detail);
}
