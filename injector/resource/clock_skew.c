// SPDX-License-Identifier: PostgreSQL
// clock.skew: the wall clock of a node's PostgreSQL and Patroni jumps by `offset`. A plain user can't set the clock (and
// all nodes share the host's), so in a topology with `clock: adjustable` the two start with a library that shifts what they
// read (lab/stack/clock). Monotonic clocks are left alone, as by settimeofday(2). etcd is Go and asks the kernel without libc:
// its clock stays.
// Several skews of one node add up, and each takes only its own part away.
// Verified by the clocks as their owners tell them: SELECT clock_timestamp(), and the Date header that Patroni's REST API puts
// into answers that have a body (http.server: date_time_string, from time.time(), whole seconds), against our own.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/resource/app_conn.h"
#include "injector/resource/faults.h"
#include "lab/node/places.h"
#include "lab/observe/http.h"
#include "lab/stack/clock/clock.h"

enum { CLOCKS = 2 };
static const char *const clocks[CLOCKS] = {"postgres", "patroni"};

// The way of the answer on a busy host; Patroni tells whole seconds. An offset below OFFSET_MIN could not be told from none.
static const double near_enough[CLOCKS] = {0.5, 1.5};
#define OFFSET_MIN (3 * SEC)

struct turned {       // one clock of one node
    pid_t boot;       // init of the boot whose clock we have changed; 0 = not changed
    int64_t mine;     // what this fault has added and not yet taken away, in ns
    int64_t expected; // the offset in force, others' parts included
};

struct skew {
    struct app_ask *ask;
    struct http *http;
    struct http_request *request;
    sd_event_source *again;
    struct turned turned[NODES_MAX][CLOCKS];
    size_t asking; // node * CLOCKS + clock
    usec_t until;
    struct strbuf seen;
    fault_phase_done done;
};

// "+1h", "-5m", "30s" in nanoseconds.
static bool offset_of(const setting_list *params, int64_t *ret) {
    const char *text = mechanism_param(&clock_skew_fault.about, params, "offset");
    usec_t t;
    bool back = *text == '-';
    if (usec_parse(text + (back || *text == '+'), &t) < 0 || t > 24 * 3650 * 3600 * SEC)
        return false;
    *ret = (back ? -1 : 1) * (int64_t)t * 1000;
    return true;
}

static bool is_meant(const struct fault *f, size_t clock) {
    const char *service = fault_param(f, "service");
    return str_eq(service, "all") || str_eq(service, clocks[clock]);
}

static int shift_clock(struct fault *f, size_t k, size_t clock, int64_t by, struct err *err) {
    struct node *n = fault_world_node(f->world, f->nodes[k]);
    struct turned *t = &((struct skew *)f->state)->turned[k][clock];
    int64_t now = 0;
    if (!n || !node_is_on(n))
        return err_set(err, EHOSTDOWN, "%s is powered off", f->nodes[k]);
    int r = clock_get(n, clocks[clock], &now, err);
    if (r == 0)
        r = clock_set(n, clocks[clock], now + by, err);
    if (r == 0)
        *t = (struct turned){.boot = node_init_pid(n), .mine = t->mine + by, .expected = now + by};
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    if (!f->state)
        f->state = xcalloc(1, sizeof(struct skew));
    struct err err = {0};
    int64_t offset = 0;
    (void)offset_of(f->params, &offset);
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++)
        for (size_t c = 0; c < CLOCKS; c++)
            if (is_meant(f, c) && shift_clock(f, k, c, offset, &err) < 0) {
                phase_no(f, done, "%s", err.msg);
                return;
            }
    phase_ok(f, done, sink_now(f->world->sink), "%s written", STACK_CLOCKS);
}

// ---- what time is it there? ----------------------------------------------------------------------------------------
static void ask_next(struct fault *f);

static int on_again(sd_event_source *src, uint64_t at, void *arg) {
    (void)src, (void)at;
    struct fault *f = arg;
    struct skew *s = f->state;
    s->again = sd_event_source_disable_unref(s->again);
    ask_next(f);
    return 0;
}

// theirs: seconds since 1970; NAN = no answer, why says so.
static void compare_clock(struct fault *f, double theirs, const char *why) {
    struct skew *s = f->state;
    size_t k = s->asking / CLOCKS, c = s->asking % CLOCKS;
    double off = theirs - (double)usec_wall_now() / 1e6, expected = (double)s->turned[k][c].expected / 1e9;
    bool as_expected = fabs(off - expected) < near_enough[c];
    if (!as_expected && usec_now() < s->until &&
        sd_event_add_time_relative(f->world->loop, &s->again, CLOCK_MONOTONIC, 200 * MSEC, 1, on_again, f) >= 0)
        return;
    if (isnan(theirs)) {
        phase_no(f, s->done, "%s on %s did not tell its time: %s", clocks[c], f->nodes[k], why);
    } else if (!as_expected) {
        phase_no(f, s->done, "the clock of %s on %s is off by %+.1f s, not by %+.1f s", clocks[c], f->nodes[k], off,
                 expected);
    } else {
        strbuf_addf(&s->seen, "%s%s on %s is off by %+.1f s%s", s->seen.len ? ", " : "", clocks[c], f->nodes[k], off,
                    c ? " (to a second)" : "");
        s->asking++;
        ask_next(f);
    }
}

static void on_sql(void *arg, const char *sqlstate, const char *text) {
    compare_clock(arg, *sqlstate ? NAN : strtod(text, NULL), text);
}

static void on_http(void *arg, const struct http_answer *a) {
    struct fault *f = arg;
    struct skew *s = f->state;
    s->request = NULL;
    // The header has lost its fraction: half a second on the average.
    compare_clock(f, a->date < 0 ? NAN : (double)a->date + 0.5,
                  *a->error ? a->error : "an answer without a Date header");
}

static int ask_patroni(struct fault *f, struct node *n, struct err *err) {
    struct skew *s = f->state;
    struct http_options o = {.method = "GET",
                             .port = STACK_PATRONI_PORT,
                             .path = "/history",
                             .deadline = 3 * SEC,
                             .done = on_http,
                             .arg = f};
    http_free(s->http); // that of another node
    s->http = NULL;
    int r = http_new(f->world->loop, node_ns(n, NODE_NS_NET), &s->http, err);
    return r < 0 ? r : http_start(s->http, &o, &s->request, err);
}

static void ask_next(struct fault *f) {
    struct skew *s = f->state;
    struct err err = {0};
    // A node that was switched off has no clock to look at, and begins with the right time.
    for (; s->asking < f->n_nodes * CLOCKS; s->asking++)
        if (s->turned[s->asking / CLOCKS][s->asking % CLOCKS].boot &&
            node_is_on(fault_world_node(f->world, f->nodes[s->asking / CLOCKS])))
            break;
    if (s->asking == f->n_nodes * CLOCKS) {
        phase_ok(f, s->done, 0, "%s", s->seen.len ? strbuf_str(&s->seen) : "powered off: a boot has the right time");
        return;
    }
    const char *node = f->nodes[s->asking / CLOCKS];
    int r = s->asking % CLOCKS
                ? ask_patroni(f, fault_world_node(f->world, node), &err)
                : app_ask(f->world, app_conn_home(f->world), node, "select extract(epoch from clock_timestamp())",
                          5 * SEC, on_sql, f, &s->ask, &err);
    if (r < 0)
        phase_no(f, s->done, "%s", err.msg);
}

static void stop_asking(struct skew *s) {
    app_ask_drop(&s->ask);
    http_free(s->http);
    s->http = NULL;
    s->request = NULL;
    s->again = sd_event_source_disable_unref(s->again);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct skew *s = f->state;
    if (!s) {
        phase_ok(f, done, 0, "no clock was changed");
        return;
    }
    s->done = done;
    s->asking = 0;
    s->until = usec_now() + 15 * SEC;
    strbuf_clear(&s->seen);
    ask_next(f);
}

// ---- and back --------------------------------------------------------------------------------------------------------
static int put_back(struct fault *f, size_t k, size_t clock, struct err *err) {
    struct node *n = fault_world_node(f->world, f->nodes[k]);
    struct turned *t = &((struct skew *)f->state)->turned[k][clock];
    if (!t->boot || !node_is_on(n))
        return 0;
    if (t->boot == node_init_pid(n))
        return t->mine ? shift_clock(f, k, clock, -t->mine, err) : 0;
    return clock_get(n, clocks[clock], &t->expected, err); // another boot, with a clock of its own
}

static void heal(struct fault *f, fault_phase_done done) {
    struct skew *s = f->state;
    struct err err = {0};
    if (s)
        stop_asking(s);
    for (size_t k = 0; s && k < f->n_nodes; k++)
        for (size_t c = 0; c < CLOCKS; c++)
            if (put_back(f, k, c, &err) < 0) {
                phase_no(f, done, "%s", err.msg);
                return;
            }
    phase_ok(f, done, sink_now(f->world->sink), "%s written", STACK_CLOCKS);
}

static void done_with(struct fault *f) {
    struct skew *s = f->state;
    if (!s)
        return;
    stop_asking(s);
    strbuf_done(&s->seen);
    free(s);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    int64_t offset;
    if (!offset_of(params, &offset) || imaxabs(offset) < (int64_t)OFFSET_MIN * 1000)
        return err_set(
            err, EINVAL,
            "clock.skew: offset is a duration such as +1h or -5m, of 3 s at least (Patroni tells its time in "
            "whole seconds), not '%s'",
            mechanism_param(&clock_skew_fault.about, params, "offset"));
    if (t->clock != CLOCK_ADJUSTABLE)
        return err_set(err, EINVAL,
                       "clock.skew needs a topology with `clock: adjustable` (or --set clock=adjustable): its "
                       "PostgreSQL and Patroni read the clock through a library");
    return check_service_in(t, "postgres", err);
}

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)params;
    if (!(node->services & SERVICE_POSTGRES) && (node->services & SERVICE_ETCD))
        return err_set(err, EINVAL,
                       "clock.skew: %s runs etcd alone, which is Go and asks the kernel itself: no library can "
                       "change its clock",
                       node->name);
    return check_service_on(t, node, "postgres", err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    int64_t offset = 0;
    (void)offset_of(f->params, &offset);
    for (size_t k = 0; k < f->n_nodes; k++) {
        strbuf_addf(out,
                    "date -s '%+" PRId64
                    " seconds'    # on %s, a real host: for all of it. In the lab, on a right clock:\n",
                    offset / 1000000000, f->nodes[k]);
        for (size_t c = 0; c < CLOCKS; c++)
            if (is_meant(f, c))
                strbuf_addf(out,
                            "python3 -c \"import struct; open('" STACK_CLOCKS "/%s', 'r+b').write(struct.pack('q', "
                            "%" PRId64 "))\"\n",
                            clocks[c], offset);
    }
}

static const struct mechanism_param params[] = {
    {"offset", "text", NULL, NULL, "how far the clock jumps: a duration with its sign, +1h or -5m"},
    {"service", "word", "all|postgres|patroni", "all", "whose clock; all: PostgreSQL's and Patroni's"},
    {0}};

const struct fault_ops clock_skew_fault = {
    .about = {.name = "clock.skew", .summary = "the wall clock of PostgreSQL and Patroni jumps", .params = params},
    .mechanism = "A library, preloaded from the start, adds the nanoseconds in a mapped file to what clock_gettime(2), "
                 "gettimeofday and time answer; CLOCK_MONOTONIC is not touched. Healing is a jump back.",
    .still_works =
        "etcd keeps the right time (Go asks the kernel without libc), and so does a shell on the node. Leases are "
        "etcd's and count monotonic time: a wrong clock alone costs nobody the leadership. A jump back of the "
        "leader's may: Patroni plans its next loop by the wall clock.",
    .exercises = "Timestamps, lag in seconds, recovery_target_time, log correlation: what depends on wall clocks and "
                 "what does not.",
    .needs = "a topology with clock: adjustable",
    .check = check,
    .check_node = check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify,
    .describe = describe,
    .done = done_with,
    .patience = 30 * SEC,
};
