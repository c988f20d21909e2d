// SPDX-License-Identifier: PostgreSQL
// A check sends probes over two kinds of flows: those that the fault must silence, and controls, which it must leave alone.
//   before the fault: choose controls near the silent flows, send one packet over each flow that is open (the baseline)
//   after it: silence is proven when nothing arrives over the silent flows, everything over the controls, and the baseline had arrived
//   after the heal: probes are repeated until a packet arrives over every flow, or time is up
// Without controls a probe that is broken itself would look like a perfect cut.
#include "injector/net/net_check.h"
#include "injector/net/net_cuts.h"

#include "injector/relay/shaper.h"
#include "lab/reach/probe_net.h"

enum { CONTROLS_MAX = 6 };

enum role { SILENT, CONTROL };
struct checked {
    enum role role;
    bool was_open; // nothing known held it shut, or slowed it down, before the fault
};

struct net_check {
    const struct fault_world *world;
    flow_list flows;             // the silent ones (or, for an opening, those expected to be open), then the controls
    VEC(struct checked) checked; // of each
    size_t controls;
    struct probe *probe;
    usec_t until;
    net_check_done done;
    void *arg;
    struct net_check **home; // the owner's pointer, cleared when the check ends by itself
};

void net_check_free(struct net_check *c) {
    if (!c)
        return;
    probe_free(c->probe);
    VEC_DONE(&c->flows);
    VEC_DONE(&c->checked);
    free(c);
}

static void watch(struct net_check *c, const struct net_flow *f, enum role role) {
    VEC_PUSH(&c->flows, *f);
    VEC_PUSH(&c->checked,
             ((struct checked){.role = role,
                               .was_open = net_flow_open(c->world, f) && !shaper_touches(c->world->shaper, f)}));
}

// A flow that the fault leaves alone and that is open now.
static void control(struct net_check *c, const flow_list *silent, struct net_flow f) {
    if (c->controls == CONTROLS_MAX || flows_cover(silent, &f) || !net_flow_open(c->world, &f))
        return;
    VEC_FOREACH (&c->flows, have)
        if (flow_same(have, &f))
            return;
    watch(c, &f, CONTROL);
    c->controls++;
}

// The nearest first: what differs from a silent flow in its size, its port or its direction alone; then any pair.
static void choose_controls(struct net_check *c, const flow_list *silent) {
    int n = (int)c->world->topology->nodes.n;
    VEC_FOREACH (silent, s) {
        struct net_flow small = *s, back = *s;
        small.over = 0;
        back.from = s->to;
        back.to = s->from;
        back.path = s->side == SWITCH_ANY_PORT ? NET_PATH_ALL : NET_PATH_PORT; // not always a path of that name
        if (s->over && c->controls < CONTROLS_MAX / 2)
            control(c, silent, small);
        if (s->side != SWITCH_ANY_PORT && c->controls < CONTROLS_MAX / 2)
            control(c, silent, (struct net_flow){.from = s->from, .to = s->to, .path = NET_PATH_ALL});
        if (c->controls < CONTROLS_MAX - 2)
            control(c, silent, back);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (i != j)
                control(c, silent, (struct net_flow){.from = i, .to = j, .path = NET_PATH_ALL});
}

static void baseline(struct net_check *c) {
    cleanup_free bool *wanted = xcalloc(c->flows.n + 1, sizeof *wanted);
    for (size_t i = 0; i < c->flows.n; i++)
        wanted[i] = c->checked.items[i].role == SILENT && c->checked.items[i].was_open;
    probe_baseline(c->probe, wanted);
}

int net_check_begin(const struct fault_world *w, const flow_list *silent, struct net_check **ret, struct err *err) {
    struct net_check *c = xcalloc(1, sizeof *c);
    c->world = w;
    c->home = ret;
    VEC_FOREACH (silent, f)
        watch(c, f, SILENT);
    choose_controls(c, silent);
    struct reach net = net_cuts_reach(w);
    int r = probe_new(&net, &c->flows, &c->probe, err);
    if (r < 0) {
        net_check_free(c);
        return r;
    }
    baseline(c);
    *ret = c;
    return 0;
}

struct tally {
    unsigned sent, arrived;
    flow_list flows, heard, unheard;
};

static void tally_done(struct tally *t) {
    VEC_DONE(&t->flows);
    VEC_DONE(&t->heard);
    VEC_DONE(&t->unheard);
}
#define cleanup_tally __attribute__((cleanup(tally_done)))

static void count(const struct net_check *c, enum role role, struct tally *t) {
    for (size_t i = 0; i < c->flows.n; i++) {
        if (c->checked.items[i].role != role)
            continue;
        t->sent += probe_sent(c->probe, i);
        t->arrived += probe_arrived(c->probe, i);
        VEC_PUSH(&t->flows, c->flows.items[i]);
        if (probe_arrived(c->probe, i))
            VEC_PUSH(&t->heard, c->flows.items[i]);
        else
            VEC_PUSH(&t->unheard, c->flows.items[i]);
    }
}

// Silent flows that were open as far as we know, but whose baseline packet did not arrive.
static size_t baseline_missing(const struct net_check *c, flow_list *out, size_t *ret_open) {
    for (size_t i = 0; i < c->flows.n; i++) {
        if (c->checked.items[i].role != SILENT || !c->checked.items[i].was_open)
            continue;
        ++*ret_open;
        if (!probe_had_baseline(c->probe, i))
            VEC_PUSH(out, c->flows.items[i]);
    }
    return out->n;
}

static void say_proof(const struct net_check *c, const struct tally *cut, const struct tally *controls, size_t open,
                      struct strbuf *out) {
    const struct topology *t = c->world->topology;
    strbuf_addf(out, "0 of %u packets arrived over ", cut->sent);
    flows_text(t, &cut->flows, out);
    strbuf_add(out, open ? " (they did just before)" : " (held shut by another fault before)");
    if (controls->flows.n) {
        strbuf_addf(out, "; %u of %u did over ", controls->arrived, controls->sent);
        flows_text(t, &controls->flows, out);
    } else {
        strbuf_add(out, "; no open pair is left to compare with");
    }
}

static bool say_silence(const struct net_check *c, struct strbuf *out) {
    const struct topology *t = c->world->topology;
    cleanup_tally struct tally cut = {0}, controls = {0}, missing = {0};
    size_t open = 0;
    count(c, SILENT, &cut);
    count(c, CONTROL, &controls);
    if (cut.arrived) {
        strbuf_addf(out, "%u of %u packets still arrive: ", cut.arrived, cut.sent);
        flows_text(t, &cut.heard, out);
        return false;
    }
    if (controls.unheard.n) {
        strbuf_add(out, "silent, but so is what should be open (");
        flows_text(t, &controls.unheard, out);
        strbuf_add(out, "): the probe proves nothing");
        return false;
    }
    if (baseline_missing(c, &missing.flows, &open)) {
        strbuf_add(out, "silent, but it was before the fault already: ");
        flows_text(t, &missing.flows, out);
        return false;
    }
    say_proof(c, &cut, &controls, open, out);
    return true;
}

static void end(struct net_check *c, bool ok, const char *text) {
    net_check_done done = c->done;
    void *arg = c->arg;
    *c->home = NULL;
    net_check_free(c);
    done(arg, ok, text);
}

static void on_silence(void *arg) {
    struct net_check *c = arg;
    cleanup_strbuf struct strbuf text = {0};
    bool ok = say_silence(c, &text);
    end(c, ok, strbuf_str(&text));
}

void net_check_silence(struct net_check *c, net_check_done done, void *arg) {
    c->done = done;
    c->arg = arg;
    struct err err = {0};
    if (probe_run(c->probe, &PROBE_SILENCE, on_silence, c, &err) < 0)
        end(c, false, err.msg);
}

static const struct probe_plan again = {.rounds = 5, .every = 10 * MSEC, .linger = 30 * MSEC, .early = true};

static void on_round(void *arg) {
    struct net_check *c = arg;
    cleanup_tally struct tally t = {0};
    cleanup_strbuf struct strbuf text = {0};
    count(c, SILENT, &t);
    if (t.unheard.n && usec_now() < c->until && probe_run(c->probe, &again, on_round, c, NULL) >= 0)
        return;
    bool ok = t.unheard.n == 0;
    strbuf_add(&text, ok ? "packets arrive again over " : "still silent: ");
    flows_text(c->world->topology, ok ? &t.heard : &t.unheard, &text);
    end(c, ok, strbuf_str(&text));
}

int net_check_open(const struct fault_world *w, const flow_list *flows, usec_t within, net_check_done done, void *arg,
                   struct net_check **ret, struct err *err) {
    struct net_check *c = xcalloc(1, sizeof *c);
    c->world = w;
    c->home = ret;
    c->done = done;
    c->arg = arg;
    c->until = usec_now() + within;
    VEC_FOREACH (flows, f)
        if (net_flow_open(w, f))
            watch(c, f, SILENT);
    bool none = c->flows.n == 0;
    struct reach net = net_cuts_reach(w);
    int r = probe_new(&net, &c->flows, &c->probe, err);
    if (r >= 0 && !none)
        r = probe_run(c->probe, &again, on_round, c, err);
    if (r < 0) {
        net_check_free(c);
        return r;
    }
    *ret = c;
    if (none)
        end(c, true, "nothing to hear: another fault or a powered-off node still holds every pair");
    return 0;
}
