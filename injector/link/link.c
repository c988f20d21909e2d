// SPDX-License-Identifier: PostgreSQL
// The life of a shaped link. Happy path: a short train before (a few ms; shows that the way was open), the rules, then a
// train that must meet the fate that the rules in force foretell: those of this fault and of all others on the flow. heal
// ends the rules, which lets go in order what they hold; and again a train meets what is left.
// Failure: the relay can't start or dies: the fault fails with the reason, nothing stays redirected. A train that meets
// something else is tried again where the machine may be to blame (delays, rates, a heal), three times at most.
#include "injector/link/link.h"

#include "injector/fault/phases.h"
#include "injector/net/flow_params.h"
#include "injector/net/net_cuts.h"

enum { TRIES = 3 };

int link_check(const struct mechanism *m, const struct topology *t, const setting_list *params, struct err *err) {
    struct shape_rule r;
    int k = flows_check(m, t, params, err);
    if (k == 0)
        k = link_rule_read(m, params, &r, err);
    return k < 0 ? k : shaper_check_host(err);
}

static void finish(struct fault *f, bool ok, usec_t effective, struct strbuf *text) {
    struct link_state *s = f->state;
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, strbuf_str(text));
    strbuf_done(text);
    fault_phase_done done = STEAL(s->done);
    if (done)
        done(f, ok, effective, copy);
}

// ---- inject --------------------------------------------------------------------------------------------------------

static void on_imposed(void *arg, bool ok, usec_t effective, const char *text) {
    struct fault *f = arg;
    struct link_state *s = f->state;
    struct strbuf out = {0};
    if (ok) {
        link_rule_text(&s->rule, &out);
        strbuf_add(&out, " on ");
        flows_text(f->world->topology, &s->flows, &out);
    } else {
        strbuf_add(&out, text);
    }
    finish(f, ok, effective, &out);
}

static void on_broken(void *arg, const char *text) {
    struct fault *f = arg;
    struct link_state *s = f->state;
    train_free(STEAL(s->train));
    s->done = NULL;
    fault_broke(f, text);
}

static void on_before(void *arg) {
    struct fault *f = arg;
    struct link_state *s = f->state;
    s->before = 0;
    for (size_t i = 0; i < s->flows.n; i++) {
        const struct train_result *r = train_result(s->train, i);
        if (r->arrived && (!s->before || r->median_ns > s->before))
            s->before = r->median_ns ? r->median_ns : 1;
    }
    train_free(STEAL(s->train));
    f->touched = true;
    shaper_impose(f->world->shaper, &s->client, &s->rule, &s->flows, f->id);
}

static void on_lifted(void *arg, bool ok, usec_t effective, const struct shape_counts *counts, const char *text);
static void on_counted(void *arg, const struct shape_counts *counts);

void link_inject(struct fault *f, fault_phase_done done) {
    struct link_state *s = f->state ? f->state : (f->state = xcalloc(1, sizeof *s));
    struct err err = {0};
    struct train_plan plan = {
        .packets = 3, .every = MSEC, .linger = 20 * MSEC, .payload = TRAIN_PAYLOAD_MIN, .early = true};
    s->done = done;
    s->client.arg = f;
    s->client.imposed = on_imposed;
    s->client.lifted = on_lifted;
    s->client.counted = on_counted;
    s->client.broken = on_broken;
    VEC_CLEAR(&s->flows);
    if (flows_select(f, &s->flows, &err) < 0 || link_rule_read(&f->ops->about, f->params, &s->rule, &err) < 0 ||
        train_run(f->world, &s->flows, &plan, on_before, f, &s->train, &err) < 0) {
        s->done = NULL;
        phase_no(f, done, "%s", err.msg);
    }
}

// ---- verify, twice -------------------------------------------------------------------------------------------------

static void try_again(struct fault *f);

static void judged(struct fault *f, const struct shape_counts *counts) {
    struct link_state *s = f->state;
    struct strbuf why = {0};
    bool ok = link_judge(f, counts, &why);
    bool noisy = s->healed || s->rule.kind == SHAPE_DELAY || s->rule.kind == SHAPE_RATE;
    train_free(STEAL(s->train));
    if (!ok && noisy && ++s->tries < TRIES) {
        strbuf_done(&why);
        try_again(f);
        return;
    }
    finish(f, ok, 0, &why);
}

static void on_counted(void *arg, const struct shape_counts *counts) {
    struct fault *f = arg;
    struct link_state *s = f->state;
    if (s->train)
        judged(f, counts);
}

static void on_train(void *arg) {
    struct fault *f = arg;
    struct link_state *s = f->state;
    if (s->rule.kind == SHAPE_JAM && !s->healed)
        shaper_count(&s->client); // a silence proves a jam only if what is missing is held
    else
        judged(f, NULL);
}

static void try_again(struct fault *f) {
    struct link_state *s = f->state;
    struct err err = {0};
    bool jam = s->rule.kind == SHAPE_JAM && !s->healed;
    VEC_CLEAR(&s->tried);
    VEC_FOREACH (&s->flows, flow)
        if (jam || net_flow_open(f->world, flow))
            VEC_PUSH(&s->tried, *flow);
    struct train_plan plan = link_plan(&s->rule, f->world->shaper, &s->tried);
    struct strbuf text = {0};
    if (s->tried.n == 0) {
        strbuf_add(&text, "nothing can be measured: another fault or a powered-off node holds every flow");
        finish(f, s->healed, 0, &text);
    } else if (train_run(f->world, &s->tried, &plan, on_train, f, &s->train, &err) < 0) {
        strbuf_add(&text, err.msg);
        finish(f, false, 0, &text);
    }
}

static void begin(struct fault *f, bool healed, fault_phase_done done) {
    struct link_state *s = f->state;
    train_free(STEAL(s->train));
    s->done = done;
    s->healed = healed;
    s->tries = 0;
    try_again(f);
}

void link_verify(struct fault *f, fault_phase_done done) {
    begin(f, false, done);
}

void link_verify_healed(struct fault *f, fault_phase_done done) {
    if (f->state)
        begin(f, true, done);
    else
        phase_ok(f, done, 0, "nothing was impaired");
}

// ---- heal ----------------------------------------------------------------------------------------------------------

static void counts_text(const struct shape_counts *c, struct strbuf *out) {
    const struct shape_stats *n = &c->stats;
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {{n->dropped, "dropped"},
                 {n->corrupted, "corrupted"},
                 {n->duplicated, "duplicated"},
                 {n->reordered, "put behind"},
                 {n->overflow, "dropped by a full queue"}};
    strbuf_addf(out, "%llu packets", (unsigned long long)n->seen);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].n)
            strbuf_addf(out, ", %llu %s", (unsigned long long)parts[i].n, parts[i].what);
    if (n->held_max)
        strbuf_addf(out, ", at most %llu held", (unsigned long long)n->held_max);
    if (n->late_n)
        strbuf_addf(out, "; sent later than meant by p50 %.2f, p99 %.2f, at most %.2f ms", (double)n->late_p50_us / 1e3,
                    (double)n->late_p99_us / 1e3, (double)n->late_max_us / 1e3);
    strbuf_addf(out, "; the relay lost %llu unasked since its start", (unsigned long long)(c->lost + c->unsent));
    if (c->unsent)
        strbuf_addf(out, " (%llu not sent: %s)", (unsigned long long)c->unsent, strerror(c->why));
}

static void on_lifted(void *arg, bool ok, usec_t effective, const struct shape_counts *counts, const char *text) {
    struct fault *f = arg;
    struct strbuf out = {0};
    strbuf_add(&out, text);
    if (counts && ok)
        counts_text(counts, &out);
    finish(f, ok, effective, &out);
}

// A cut that is in force now wins over what a jam would let go.
static bool all_cut(const struct fault *f) {
    const struct link_state *s = f->state;
    VEC_FOREACH (&s->flows, flow)
        if (!net_cuts_has(f->world->cuts, flow))
            return false;
    return s->flows.n > 0;
}

void link_heal(struct fault *f, fault_phase_done done) {
    struct link_state *s = f->state;
    if (!s || !s->client.shaper) {
        phase_ok(f, done, 0, "nothing was impaired");
        return;
    }
    train_free(STEAL(s->train));
    s->done = done;
    shaper_lift(&s->client, all_cut(f));
}

void link_describe(const struct fault *f, struct strbuf *out) {
    struct shape_rule r;
    flow_list flows = {0};
    if (link_rule_read(&f->ops->about, f->params, &r, NULL) >= 0 && flows_select(f, &flows, NULL) >= 0)
        link_netem(f->world->topology, &r, &flows, out);
    VEC_DONE(&flows);
}

void link_done(struct fault *f) {
    struct link_state *s = f->state;
    if (!s)
        return;
    train_free(s->train);
    shaper_drop_client(&s->client);
    VEC_DONE(&s->flows);
    VEC_DONE(&s->tried);
    free(s);
    f->state = NULL;
}
