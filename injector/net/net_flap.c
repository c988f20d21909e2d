// SPDX-License-Identifier: PostgreSQL
// net.flap: cut and open, again and again, as a loose cable or a port that renegotiates. The happy path: cut at once; a
// timer opens and cuts; each change is one transaction of the switch. Verified in both states: silence in the first cut,
// packets again in the first opening. A heal leaves it open, whatever the state. Intervals are kept from the planned time
// on, so a late timer does not add up.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/net/cut_fault.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"
#include "lab/base/random.h"

static const usec_t DOWN_MIN = 300 * MSEC, UP_MIN = 200 * MSEC; // a measurement of silence takes 150 ms

struct flap {
    struct cut_fault cut; // first
    usec_t down, up, at;  // `at`: planned time of the last change, CLOCK_MONOTONIC
    unsigned jitter;      // percent
    struct random random;
    unsigned cuts;
    usec_t closed_since, closed; // how long it was cut in all
    sd_event_source *timer;
    fault_phase_done done; // of verify, NULL = over
    bool silent;           // the first half of the verification is done
    char silence[EVENT_TEXT_MAX];
    char trouble[ERR_MSG_MAX]; // why a change failed
};

static int interval(const setting_list *params, const char *name, usec_t least, usec_t *ret, struct err *err) {
    const char *text = mechanism_param(&net_flap_fault.about, params, name);
    if (usec_parse(text, ret) < 0 || *ret < least)
        return err_set(err, EINVAL, "net.flap: %s is a duration of at least %d ms, not '%s'", name, (int)(least / MSEC),
                       text);
    return 0;
}

static int jitter_of(const setting_list *params, unsigned *ret, struct err *err) {
    const char *text = mechanism_param(&net_flap_fault.about, params, "jitter");
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || !str_eq(end, "%") || n > 90)
        return err_set(err, EINVAL, "net.flap: jitter is a whole percentage from 0%% to 90%%, not '%s'", text);
    *ret = (unsigned)n;
    return 0;
}

static int read_params(const setting_list *params, struct flap *l, struct err *err) {
    int r = jitter_of(params, &l->jitter, err);
    // Even the shortest interval must leave room for a measurement.
    if (r >= 0)
        r = interval(params, "down", DOWN_MIN * 100 / (100 - l->jitter), &l->down, err);
    return r < 0 ? r : interval(params, "up", UP_MIN * 100 / (100 - l->jitter), &l->up, err);
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    struct flap l = {0};
    int r = read_params(params, &l, err);
    return r < 0 ? r : flows_check(&net_flap_fault.about, t, params, err);
}

// ---- intervals

static usec_t next_interval(struct flap *l, usec_t mean) {
    const uint64_t parts = 1u << 20;
    if (!l->jitter)
        return mean;
    usec_t width = mean * 2 * l->jitter / 100;
    return mean - width / 2 + width * (random_below(&l->random, parts)) / parts;
}

static void note_opened(struct flap *l) {
    if (l->closed_since)
        l->closed += usec_now() - l->closed_since;
    l->closed_since = 0;
}

// ---- verification

static void finish(struct fault *f, bool ok, const char *text) {
    struct flap *l = f->state;
    fault_phase_done done = STEAL(l->done);
    if (done && ok)
        phase_ok(f, done, 0, "cut: %s. Open: %s", l->silence, text);
    else if (done)
        phase_no(f, done, "%s", text);
}

static void on_open(void *arg, bool ok, const char *text) {
    finish(arg, ok, text);
}

static void look_open(struct fault *f) {
    struct flap *l = f->state;
    struct err err = {0};
    net_check_free(STEAL(l->cut.check));
    if (net_check_open(f->world, &l->cut.flows, UP_MIN / 2, on_open, f, &l->cut.check, &err) < 0)
        finish(f, false, err.msg);
}

static void on_silence(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct flap *l = f->state;
    (void)effective;
    l->silent = ok;
    STR_COPY(l->silence, text);
    if (!ok)
        finish(f, false, text);
    else if (!l->cut.held) // the timer was faster
        look_open(f);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct flap *l = f->state;
    l->done = done;
    cut_fault_verify(f, on_silence);
}

// ---- the changes

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct fault *f = arg;
    struct flap *l = f->state;
    struct err err = {0};
    bool close = !l->cut.held;
    int r = close ? cut_fault_close(f, &err) : cut_fault_open(f, &err);
    if (r < 0) { // tried again at the next change; the heal tells
        STR_COPY(l->trouble, err.msg);
    } else if (close) {
        l->cuts++;
        l->closed_since = usec_now();
    } else {
        note_opened(l);
    }
    l->at += next_interval(l, close ? l->down : l->up);
    if (l->at < usec_now()) // the loop was held for more than an interval: no burst of changes to catch up
        l->at = usec_now() + next_interval(l, close ? l->down : l->up);
    (void)sd_event_source_set_time(s, l->at);
    (void)sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    if (!close && l->silent && l->done)
        look_open(f);
    return 0;
}

static int start(struct fault *f, struct flap *l, struct err *err) {
    l->cuts = 1;
    l->at = l->closed_since = usec_now();
    l->at += next_interval(l, l->down);
    int r = sd_event_add_time(f->world->loop, &l->timer, CLOCK_MONOTONIC, l->at, 1, on_timer, f);
    return r < 0 ? err_sys(err, -r, "timer of net.flap") : 0;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct err err = {0};
    int r = cut_fault_begin(f, sizeof(struct flap), flows_select, &err);
    struct flap *l = f->state;
    if (r >= 0)
        r = read_params(f->params, l, &err);
    if (r >= 0) {
        l->random.state = strtoull(fault_param(f, "seed"), NULL, 10);
        r = cut_fault_close(f, &err);
    }
    usec_t effective = sink_now(f->world->sink);
    if (r >= 0)
        r = start(f, l, &err);
    if (r < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    cleanup_strbuf struct strbuf text = {0};
    char down[USEC_TEXT_MAX], up[USEC_TEXT_MAX];
    flows_text(f->world->topology, &l->cut.flows, &text);
    phase_ok(f, done, effective, "cut for %s, open for %s, jitter %u %%, in turn: %s", usec_format(down, l->down),
             usec_format(up, l->up), l->jitter, strbuf_str(&text));
}

static void heal(struct fault *f, fault_phase_done done) {
    struct flap *l = f->state;
    struct err err = {0};
    if (!l) {
        phase_ok(f, done, 0, "nothing was cut");
        return;
    }
    sd_event_source_disable_unref(STEAL(l->timer));
    net_check_free(STEAL(l->cut.check));
    l->done = NULL;
    if (cut_fault_open(f, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    note_opened(l);
    phase_ok(f, done, sink_now(f->world->sink), "open for good, after %u cuts of %.1f s in all%s%s", l->cuts,
             (double)l->closed / SEC, *l->trouble ? "; a change failed: " : "", l->trouble);
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out, "# again and again: the following, sleep %s, the same with delete, sleep %s\n",
                fault_param(f, "down"), fault_param(f, "up"));
    cut_fault_describe(f, flows_select, out);
}

static void done_with(struct fault *f) {
    struct flap *l = f->state;
    if (l)
        sd_event_source_disable_unref(l->timer);
    cut_fault_done(f);
}

static const struct mechanism_param params[] = {
    FLOWS_PARAM_WITH,
    FLOWS_PARAM_DIRECTION,
    FLOWS_PARAM_PATH,
    {"down", "duration", NULL, "1s", "how long it is cut each time, at least 300ms"},
    {"up", "duration", NULL, "2s", "how long it is open each time, at least 200ms"},
    {"jitter", "percent", NULL, "0%", "each interval is drawn from so much below to so much above, up to 90%"},
    {"seed", "count", NULL, "1", "of the draws: the same seed gives the same intervals"},
    {0}};

const struct fault_ops net_flap_fault = {
    .about = {.name = "net.flap",
              .summary = "cuts and opens the way between the targets and other nodes, again and again",
              .params = params},
    .mechanism = "net.drop's transaction and its opposite by a timer, beginning with a cut; a heal leaves it open.",
    .still_works =
        "In the openings everything: TCP sends again what was lost, so most connections survive cuts that are "
        "shorter than their timeouts.",
    .exercises = "Retry and backoff, leases that are renewed just in time, failovers that follow each other.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = cut_fault_verify_healed,
    .describe = describe,
    .done = done_with,
};
