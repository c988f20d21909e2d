// SPDX-License-Identifier: PostgreSQL
#include "injector/net_check.h"

enum { CONTROLS_MAX = 4 };

struct net_check {
    const struct fault_world *world;
    struct pair_set silent;   // asked about (or, for an opening, expected to be open)
    struct pair_set was_open; // of those: nothing known held them shut before the fault
    struct pair_set controls; // should stay open
    struct probe *probe;
    usec_t until;
    net_check_done done;
    void *arg;
};

void net_check_free(struct net_check *c) {
    if (!c)
        return;
    probe_free(c->probe);
    free(c);
}

static bool touches(const struct pair_set *s, int node) {
    for (int j = 0; j < NODES_MAX; j++)
        if (pair_has(s, node, j) || pair_has(s, j, node))
            return true;
    return false;
}

// Open pairs that the fault leaves alone. First those that share a node with it (the way back of a one-way cut), then
// any.
static void choose_controls(struct net_check *c) {
    int n = (int)c->world->topology->nodes.n;
    size_t chosen = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n && chosen < CONTROLS_MAX; j++) {
                bool near = touches(&c->silent, i) && touches(&c->silent, j);
                if (i == j || (pass == 0 && !near) || pair_has(&c->silent, i, j) || pair_has(&c->controls, i, j) ||
                    !net_path_open(c->world, i, j))
                    continue;
                pair_add(&c->controls, i, j);
                chosen++;
            }
}

int net_check_begin(const struct fault_world *w, const struct pair_set *silent, struct net_check **ret,
                    struct err *err) {
    struct net_check *c = xcalloc(1, sizeof *c);
    c->world = w;
    c->silent = *silent;
    choose_controls(c);
    struct pair_set all = *silent;
    for (int i = 0; i < NODES_MAX; i++) {
        all.to[i] |= c->controls.to[i];
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(silent, i, j) && net_path_open(w, i, j))
                pair_add(&c->was_open, i, j);
    }
    int r = probe_new(w, &all, &c->probe, err);
    if (r < 0) {
        net_check_free(c);
        return r;
    }
    probe_baseline(c->probe, &c->was_open);
    *ret = c;
    return 0;
}

struct tally {
    unsigned sent, arrived;
    struct pair_set heard, unheard;
};

static struct tally count(const struct net_check *c, const struct pair_set *s) {
    struct tally t = {0};
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++) {
            if (!pair_has(s, i, j))
                continue;
            t.sent += probe_sent(c->probe, i, j);
            t.arrived += probe_arrived(c->probe, i, j);
            pair_add(probe_arrived(c->probe, i, j) ? &t.heard : &t.unheard, i, j);
        }
    return t;
}

static void baseline_missing(const struct net_check *c, struct pair_set *out) {
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(&c->was_open, i, j) && !probe_had_baseline(c->probe, i, j))
                pair_add(out, i, j);
}

static bool say_silence(const struct net_check *c, struct strbuf *out) {
    const struct topology *t = c->world->topology;
    struct tally cut = count(c, &c->silent), control = count(c, &c->controls);
    struct pair_set missing = {0};
    baseline_missing(c, &missing);
    if (cut.arrived) {
        strbuf_addf(out, "%u of %u datagrams still arrive: ", cut.arrived, cut.sent);
        pair_text(t, &cut.heard, out);
        return false;
    }
    if (pair_count(&control.unheard)) {
        strbuf_add(out, "silent, but so is what should be open (");
        pair_text(t, &control.unheard, out);
        strbuf_add(out, "): the probe proves nothing");
        return false;
    }
    if (pair_count(&missing)) {
        strbuf_add(out, "silent, but it was before the fault already: ");
        pair_text(t, &missing, out);
        return false;
    }
    strbuf_addf(out, "0 of %u datagrams arrived over ", cut.sent);
    pair_text(t, &c->silent, out);
    strbuf_add(out, pair_count(&c->was_open) ? " (they did just before)" : " (held shut by another fault before)");
    if (pair_count(&c->controls)) {
        strbuf_addf(out, "; %u of %u did over ", control.arrived, control.sent);
        pair_text(t, &c->controls, out);
    } else {
        strbuf_add(out, "; no open pair is left to compare with");
    }
    return true;
}

static void tell(struct net_check *c, bool ok, struct strbuf *text) {
    char copy[EVENT_TEXT_MAX]; // done may free the check, and the text with it
    STR_COPY(copy, strbuf_str(text));
    strbuf_done(text);
    c->done(c->arg, ok, copy);
}

static void on_silence(void *arg) {
    struct net_check *c = arg;
    struct strbuf text = {0};
    bool ok = say_silence(c, &text);
    tell(c, ok, &text);
}

void net_check_silence(struct net_check *c, net_check_done done, void *arg) {
    c->done = done;
    c->arg = arg;
    struct err err = {0};
    if (probe_run(c->probe, &PROBE_SILENCE, on_silence, c, &err) < 0)
        done(arg, false, err.msg);
}

static const struct probe_plan again = {.rounds = 5, .every = 10 * MSEC, .linger = 30 * MSEC, .early = true};

static void on_round(void *arg) {
    struct net_check *c = arg;
    struct tally t = count(c, &c->silent);
    struct strbuf text = {0};
    if (pair_count(&t.unheard) && usec_now() < c->until && probe_run(c->probe, &again, on_round, c, NULL) >= 0)
        return;
    bool ok = pair_count(&t.unheard) == 0;
    strbuf_add(&text, ok ? "datagrams arrive again over " : "still silent: ");
    pair_text(c->world->topology, ok ? &t.heard : &t.unheard, &text);
    tell(c, ok, &text);
}

int net_check_open(const struct fault_world *w, const struct pair_set *pairs, usec_t within, net_check_done done,
                   void *arg, struct net_check **ret, struct err *err) {
    struct net_check *c = xcalloc(1, sizeof *c);
    *c = (struct net_check){.world = w, .done = done, .arg = arg, .until = usec_now() + within};
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(pairs, i, j) && net_path_open(w, i, j))
                pair_add(&c->silent, i, j);
    int r = probe_new(w, &c->silent, &c->probe, err);
    if (r >= 0 && pair_count(&c->silent))
        r = probe_run(c->probe, &again, on_round, c, err);
    if (r < 0) {
        net_check_free(c);
        return r;
    }
    *ret = c;
    if (pair_count(&c->silent) == 0) // may free the check
        done(arg, true, "nothing to hear: another fault or a powered-off node still holds every pair");
    return 0;
}
