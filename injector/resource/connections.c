// SPDX-License-Identifier: PostgreSQL
// resource.connections: somebody holds the connections that others need, as a leaking application or a batch job does.
// Real libpq connections of the application's role, made from the application's node, idle, and made again when the
// server ends them. count all: until the server has refused LONE in a row with 53300 (too_many_connections), and
// whenever a place becomes free it is taken. Only an attempt that is alone proves anything: a backend takes its place
// before it looks whether enough are left (InitPostgres: HaveNFreeProcs), so that two which come together for the last
// place may both be refused and leave it free. Verified by one more connection, while no other is made: refused with
// 53300; for a number, by counting them in pg_stat_activity.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/resource/app_round.h"
#include "injector/resource/faults.h"

enum { SLOTS_MAX = 1000, BURST = 10, LONE = 2 };
static const usec_t AGAIN = 100 * MSEC;

struct slot {
    struct fault *f;
    struct pgconn *c; // NULL = free
    size_t node;      // in f->nodes
    bool held;
};

struct hoard {
    struct slot slots[SLOTS_MAX];
    size_t wanted;             // per node; SLOTS_MAX = all there are
    bool crowded[NODES_MAX];   // the server has refused one with 53300: from now on one at a time
    size_t refused[NODES_MAX]; // how many were refused in a row, each alone
    bool effective;
    bool verifying, due; // only the verifier's connection is made; it is to be made as soon as it is alone
    sd_event_source *tick;
    struct app_ask *ask;
    size_t asking;           // which node is being verified
    struct app_round *round; // after the heal
    usec_t until;
    fault_phase_done done;
};

static void fill(struct fault *f);
static void ask_now(struct fault *f);

static size_t count(const struct hoard *h, size_t node, bool held_only) {
    size_t n = 0;
    for (size_t i = 0; i < SLOTS_MAX; i++)
        n += h->slots[i].c && h->slots[i].node == node && (h->slots[i].held || !held_only);
    return n;
}

static size_t under_way(const struct hoard *h, size_t node) {
    return count(h, node, false) - count(h, node, true);
}

static bool saturated(const struct hoard *h, size_t k) {
    return h->wanted == SLOTS_MAX ? h->refused[k] >= LONE : count(h, k, true) >= h->wanted;
}

static void maybe_effective(struct fault *f) {
    struct hoard *h = f->state;
    size_t held = 0;
    for (size_t k = 0; k < f->n_nodes; k++) {
        if (!saturated(h, k))
            return;
        held += count(h, k, true);
    }
    if (h->effective)
        return;
    h->effective = true;
    phase_ok(f, h->done, sink_now(f->world->sink), "%zu connections of role app are held%s", held,
             h->wanted == SLOTS_MAX ? ", the next one was refused with 53300" : "");
}

static void on_ready(void *arg) {
    struct slot *s = arg;
    struct hoard *h = s->f->state;
    s->held = true;
    h->refused[s->node] = 0;
    maybe_effective(s->f);
}
static void on_result(void *arg, const PGresult *r) {
    (void)arg, (void)r;
}
static void on_done(void *arg) {
    (void)arg;
}
static void on_lost(void *arg, const struct pgconn_loss *why) {
    struct slot *s = arg;
    struct hoard *h = s->f->state;
    pgconn_close(STEAL(s->c));
    s->held = false;
    if (str_eq(why->sqlstate, "53300")) {
        h->crowded[s->node] = true;
        if (!under_way(h, s->node))
            h->refused[s->node]++;
    }
    maybe_effective(s->f);
}

static void open_one(struct fault *f, size_t k) {
    static const struct pgconn_ops ops = {.ready = on_ready, .result = on_result, .done = on_done, .lost = on_lost};
    struct hoard *h = f->state;
    const struct node *home = app_conn_home(f->world);
    for (size_t i = 0; home && node_is_on(home) && i < SLOTS_MAX; i++) {
        struct slot *s = &h->slots[i];
        if (s->c)
            continue;
        *s = (struct slot){.f = f, .node = k};
        (void)app_conn_open(f->world, home, f->nodes[k], &ops, s, &s->c, NULL); // the next tick tries again
        return;
    }
}

static int on_tick(sd_event_source *src, uint64_t at, void *arg) {
    (void)at;
    struct fault *f = arg;
    struct hoard *h = f->state;
    if (!h->verifying)
        fill(f);
    else if (h->due && !under_way(h, h->asking))
        ask_now(f);
    (void)sd_event_source_set_time_relative(src, AGAIN);
    return sd_event_source_set_enabled(src, SD_EVENT_ONESHOT);
}

// Ten at a time until the server says no; from then on one at a time, for whatever becomes free.
static void fill(struct fault *f) {
    struct hoard *h = f->state;
    for (size_t k = 0; k < f->n_nodes; k++) {
        size_t room = h->crowded[k] ? 1 : BURST;
        for (size_t i = under_way(h, k); i < room && count(h, k, false) < h->wanted; i++)
            open_one(f, k);
    }
}

static size_t wanted(const setting_list *params) {
    const char *text = mechanism_param(&resource_connections_fault.about, params, "count");
    return str_eq(text, "all") ? SLOTS_MAX : strtoul(text, NULL, 10);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct hoard *h = f->state ? f->state : (f->state = xcalloc(1, sizeof *h));
    h->wanted = wanted(f->params);
    h->done = done;
    f->touched = true;
    fill(f);
    if (!h->tick && sd_event_add_time_relative(f->world->loop, &h->tick, CLOCK_MONOTONIC, 20 * MSEC, 1, on_tick, f) < 0)
        phase_no(f, done, "no timer on the event loop");
}

// ---- verify --------------------------------------------------------------------------------------------------------

static void verdict(struct fault *f, bool all, bool ok, const char *sqlstate, const char *text) {
    struct hoard *h = f->state;
    h->verifying = false;
    if (!ok)
        phase_no(f, h->done,
                 all ? "a new connection to %s was not refused with 53300: %s %s"
                     : "%s holds %s %s, not as many as asked for",
                 f->nodes[h->asking], *sqlstate ? sqlstate : "it got in,", text);
    else if (all)
        phase_ok(f, h->done, 0, "a new connection is refused: 53300 %s", text);
    else
        phase_ok(f, h->done, 0, "pg_stat_activity shows %s of them", text);
}

static void on_answer(void *arg, const char *sqlstate, const char *text) {
    struct fault *f = arg;
    struct hoard *h = f->state;
    bool all = h->wanted == SLOTS_MAX;
    bool ok = all ? str_eq(sqlstate, "53300") : !*sqlstate && strtoul(text, NULL, 10) >= h->wanted;
    bool again = all && !ok && usec_now() < h->until; // a place was free: it is taken before the next question
    if (again)
        fill(f);
    else if (!ok || ++h->asking == f->n_nodes) {
        verdict(f, all, ok, sqlstate, text);
        return;
    }
    h->due = true;
}

static void ask_now(struct fault *f) {
    struct hoard *h = f->state;
    h->due = false;
    struct err err = {0};
    const char *sql = h->wanted == SLOTS_MAX ? NULL
                                             : "select count(*) from pg_stat_activity where application_name = "
                                               "'bascule-fault' and pid <> pg_backend_pid()";
    if (app_ask(f->world, app_conn_home(f->world), f->nodes[h->asking], sql, 5 * SEC, on_answer, f, &h->ask, &err) <
        0) {
        h->verifying = false;
        phase_no(f, h->done, "%s", err.msg);
    }
}

static void verify(struct fault *f, fault_phase_done done) {
    struct hoard *h = f->state;
    h->done = done;
    h->asking = 0;
    h->until = usec_now() + 3 * SEC;
    h->verifying = h->due = true; // the tick asks
}

// ---- heal ----------------------------------------------------------------------------------------------------------

static void let_go(struct hoard *h) {
    h->tick = sd_event_source_disable_unref(h->tick);
    app_ask_drop(&h->ask);
    app_round_drop(&h->round);
    for (size_t i = 0; i < SLOTS_MAX; i++)
        pgconn_close(STEAL(h->slots[i].c));
}

static void heal(struct fault *f, fault_phase_done done) {
    struct hoard *h = f->state;
    size_t held = 0;
    for (size_t k = 0; h && k < f->n_nodes; k++)
        held += count(h, k, true);
    if (h)
        let_go(h);
    phase_ok(f, done, sink_now(f->world->sink), "%zu connections closed", held);
}

static bool let_in(struct fault *f, size_t k, const char *sqlstate, const char *text) {
    (void)f, (void)k, (void)text;
    return !*sqlstate;
}

static void on_let_in(struct fault *f, size_t k, bool ok, const char *sqlstate, const char *text) {
    struct hoard *h = f->state;
    if (!ok)
        phase_no(f, h->done, "a new connection to %s is still refused: %s %s", f->nodes[k], sqlstate, text);
    else
        phase_ok(f, h->done, 0, k < f->n_nodes ? "a new connection is accepted" : "powered off: nothing is held");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct hoard *h = f->state;
    if (!h) {
        phase_ok(f, done, 0, "nothing was held");
        return;
    }
    h->done = done;
    // A backend takes its time to end, a server that was crashed its time to come back.
    static const struct app_round_spec spec = {.each = 2 * SEC,
                                               .every = 100 * MSEC,
                                               .within = 12 * SEC,
                                               .skip = app_round_off,
                                               .good = let_in,
                                               .done = on_let_in};
    app_round_start(f, &spec, &h->round);
}

static void done_with(struct fault *f) {
    if (f->state)
        let_go(f->state);
    free(f->state);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    const char *text = mechanism_param(&resource_connections_fault.about, params, "count");
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (!str_eq(text, "all") && (*end || n < 1 || n >= SLOTS_MAX))
        return err_set(err, EINVAL, "resource.connections: count is 'all' or 1 to %d, not '%s'", SLOTS_MAX - 1, text);
    return check_service_in(t, "postgres", err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out,
                    "# on the application's node, until psql says: sorry, too many clients already\n"
                    "while psql -h %s -U app -c 'select pg_sleep(3600)' app & do sleep 0.05; done\n",
                    f->nodes[k]);
}

static const struct mechanism_param params[] = {
    {"count", "text", NULL, "all", "how many to hold on each target, or all that the server gives"}, {0}};

const struct fault_ops resource_connections_fault = {
    .about = {.name = "resource.connections", .summary = "holds PostgreSQL's connections", .params = params},
    .mechanism =
        "Idle libpq connections of role app from the application's node, taken again whenever one becomes free.",
    .still_works =
        "Sessions that exist. Superusers: superuser_reserved_connections (3) are kept for them, so Patroni, which "
        "is one, leads on. Replication has places of its own (max_wal_senders).",
    .exercises = "53300 too_many_connections; pools and their limits; why Patroni does not fail over for it.",
    .needs = "nothing",
    .check = check,
    .check_node = check_runs_postgres,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 30 * SEC,
};
