// SPDX-License-Identifier: PostgreSQL
// The rows of the link shaper: names, parameters, limits.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/link/faults.h"
#include "injector/link/link.h"
#include "injector/net/flow_params.h"
#include "lab/base/rate.h"

enum { NS_PER_US = 1000 };
static const usec_t DELAY_MAX = 60 * SEC;   // beyond it nothing in a lab waits any more
static const double SHARE_MIN = 0.005;      // of fewer than 1 in 200 a short train tells nothing
static const uint64_t RATE_MIN = 8000;      // a frame of 1500 bytes takes 1.5 s
static const uint64_t RATE_MAX = 200000000; // more than a short train can tell from no limit

static int read_duration(const struct mechanism *m, const setting_list *params, const char *name, usec_t least,
                         uint64_t *ret_ns, struct err *err) {
    const char *text = mechanism_param(m, params, name);
    usec_t t;
    if (usec_parse(text, &t) < 0)
        return err_set(err, EINVAL, "%s: %s '%s' is not a duration such as 50ms", m->name, name, text);
    if (t < least || t > DELAY_MAX)
        return err_set(err, EINVAL, "%s: %s is %s; it can be %s to 60s", m->name, name, text, least ? "1ms" : "0ms");
    *ret_ns = t * NS_PER_US;
    return 0;
}

static int read_share(const struct mechanism *m, const setting_list *params, const char *name, double *ret,
                      struct err *err) {
    const char *text = mechanism_param(m, params, name);
    char *end;
    double percent = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : (end = (char *)text, -1);
    if (percent < 0 || percent > 100 || !str_eq(end, "%"))
        return err_set(err, EINVAL, "%s: %s '%s' is not a percentage such as 20%%", m->name, name, text);
    if (percent < SHARE_MIN * 100)
        return err_set(
            err, EINVAL,
            "%s: %s is %s, and fewer than one packet in 200 can't be verified by a short train; 0.5%% to 100%%",
            m->name, name, text);
    *ret = percent / 100;
    return 0;
}

static int read_burst(const struct mechanism *m, const setting_list *params, struct shape_rule *r, struct err *err) {
    const char *text = mechanism_param(m, params, "burst");
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n < 1 || n > 1000)
        return err_set(err, EINVAL, "%s: burst '%s' is not a number of packets from 1 to 1000", m->name, text);
    r->burst = n > 1 ? (double)n : 0;
    if (n > 1 && r->p >= 1)
        return err_set(err, EINVAL, "%s: with loss 100%% there are no bursts", m->name);
    if (n > 1 && r->p > r->burst * (1 - r->p))
        return err_set(err, EINVAL, "%s: losses of %.4g%% can't come in bursts of %lu alone; burst must be longer",
                       m->name, r->p * 100, n);
    if (!link_seen_by_a_train(r))
        return err_set(
            err, EINVAL,
            "%s: losses of %.4g%% in bursts of %lu are too rare to be verified by a short train; more loss or "
            "shorter bursts",
            m->name, r->p * 100, n);
    return 0;
}

static int read_delay(const struct mechanism *m, const setting_list *params, struct shape_rule *r, struct err *err) {
    const char *dist = mechanism_param(m, params, "distribution");
    int k = read_duration(m, params, "delay", MSEC, &r->delay_ns, err);
    if (k == 0)
        k = read_duration(m, params, "jitter", 0, &r->jitter_ns, err);
    r->dist = str_eq(dist, "normal") ? SHAPE_NORMAL : str_eq(dist, "pareto") ? SHAPE_PARETO : SHAPE_UNIFORM;
    r->free_order = str_eq(mechanism_param(m, params, "order"), "free");
    if (k == 0 && r->jitter_ns > r->delay_ns)
        return err_set(err, EINVAL, "%s: the jitter is larger than the delay", m->name);
    return k;
}

static int read_rate(const struct mechanism *m, const setting_list *params, struct shape_rule *r, struct err *err) {
    const char *text = mechanism_param(m, params, "rate");
    if (rate_parse(text, &r->bits_per_s) < 0)
        return err_set(err, EINVAL, "%s: rate '%s' is not a rate such as 512kbit or 10mbit", m->name, text);
    if (r->bits_per_s < RATE_MIN || r->bits_per_s > RATE_MAX)
        return err_set(err, EINVAL, "%s: rate is %s; 8kbit to 200mbit can be told from no limit", m->name, text);
    return read_duration(m, params, "queue", MSEC, &r->queue_ns, err);
}

int link_rule_read(const struct mechanism *m, const setting_list *params, struct shape_rule *ret, struct err *err) {
    static const struct {
        const char *name;
        enum shape_kind kind;
    } kinds[] = {{"net.delay", SHAPE_DELAY},     {"net.loss", SHAPE_LOSS},       {"net.duplicate", SHAPE_DUPLICATE},
                 {"net.reorder", SHAPE_REORDER}, {"net.corrupt", SHAPE_CORRUPT}, {"net.rate", SHAPE_RATE},
                 {"net.jam", SHAPE_JAM}};
    struct shape_rule r = {0};
    int k = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_eq(kinds[i].name, m->name))
            r.kind = kinds[i].kind;
    if (r.kind == SHAPE_DELAY)
        k = read_delay(m, params, &r, err);
    else if (r.kind == SHAPE_RATE)
        k = read_rate(m, params, &r, err);
    else if (r.kind != SHAPE_JAM)
        k = read_share(m, params, m->params[0].name, &r.p, err);
    if (k == 0 && r.kind == SHAPE_LOSS)
        k = read_burst(m, params, &r, err);
    if (k == 0 && r.kind == SHAPE_REORDER)
        k = read_duration(m, params, "by", MSEC, &r.delay_ns, err);
    if (k == 0)
        *ret = r;
    return k;
}

void link_rule_text(const struct shape_rule *r, struct strbuf *out) {
    static const char *const dists[] = {"uniform", "normal", "pareto"};
    char rate[32];
    double ms = (double)r->delay_ns / 1e6;
    switch (r->kind) {
    case SHAPE_DELAY:
        strbuf_addf(out, "delay %.4g ms", ms);
        if (r->jitter_ns)
            strbuf_addf(out, " +- %.4g ms (%s)", (double)r->jitter_ns / 1e6, dists[r->dist]);
        break;
    case SHAPE_LOSS:
        strbuf_addf(out, "loss %.4g%%", r->p * 100);
        if (r->burst > 0)
            strbuf_addf(out, " in bursts of %.0f", r->burst);
        break;
    case SHAPE_CORRUPT:
        strbuf_addf(out, "one bit flipped in %.4g%%", r->p * 100);
        break;
    case SHAPE_DUPLICATE:
        strbuf_addf(out, "%.4g%% twice", r->p * 100);
        break;
    case SHAPE_REORDER:
        strbuf_addf(out, "%.4g%% later by %.4g ms", r->p * 100, ms);
        break;
    case SHAPE_RATE:
        strbuf_addf(out, "rate %s", rate_format(rate, (double)r->bits_per_s));
        break;
    case SHAPE_JAM:
        strbuf_add(out, "everything held");
        break;
    case SHAPE_KINDS:
        break;
    }
}

// ---- rows ----------------------------------------------------------------------------------------------------------

#define NEEDS "sch_ingress, cls_u32, act_mirred and packet sockets in the kernel (most distributions have them)"
#define OPS(ident, MECHANISM, STILL, EXERCISES, ...)                                                                   \
    static int ident##_check(const struct topology *t, const setting_list *params, struct err *err);                   \
    const struct fault_ops ident##_fault = {.about = {__VA_ARGS__},                                                    \
                                            .mechanism = MECHANISM,                                                    \
                                            .still_works = STILL,                                                      \
                                            .exercises = EXERCISES,                                                    \
                                            .needs = NEEDS,                                                            \
                                            .check = ident##_check,                                                    \
                                            .check_host = shaper_check_host,                                           \
                                            .inject = link_inject,                                                     \
                                            .verify = link_verify,                                                     \
                                            .heal = link_heal,                                                         \
                                            .verify_healed = link_verify_healed,                                       \
                                            .describe = link_describe,                                                 \
                                            .done = link_done,                                                         \
                                            .patience = 200 * SEC};                                                    \
    static int ident##_check(const struct topology *t, const setting_list *params, struct err *err) {                  \
        return link_check(&ident##_fault.about, t, params, err);                                                       \
    }
#define SELECTOR                                                                                                       \
    FLOWS_PARAM_WITH, FLOWS_PARAM_DIRECTION, FLOWS_PARAM_PATH, {                                                       \
        0                                                                                                              \
    }
#define RELAY "The frames of the chosen pairs are redirected (tc) to a relay of ours, which "
#define ELSE  "Everything else: other pairs, other directions, other ports, and what a node says to itself. "

static const struct mechanism_param delay_params[] = {
    {"delay", "duration", NULL, NULL,
     "mean delay of one direction, 1ms to 60s; `direction: both` adds it twice to a round trip"},
    {"jitter", "duration", NULL, "0ms",
     "uniform: at most so much less or more; normal, pareto: the standard deviation"},
    {"distribution", "word", "uniform|normal|pareto", "uniform",
     "of the jitter; normal ends at 3 deviations, pareto (shape 3) has a long tail to 10"},
    {"order", "word", "keep|free", "keep",
     "keep: no packet overtakes, so the mean grows when the jitter is larger than the gap between packets (20 ms +- 10 "
     "ms at 500 a second: 25 ms); free: jitter reorders"},
    SELECTOR};
OPS(net_delay,
    RELAY "sends each on when its time has come: 0.1 ms later than meant, as a rule (the fault's end tells how late).",
    ELSE "No connection breaks: TCP adapts its timeouts.",
    "Latency of commits and of the DCS, heartbeats against election timeouts, quorum over a slow link.",
    .name = "net.delay", .summary = "delays packets between the targets and other nodes", .params = delay_params)

static const struct mechanism_param loss_params[] = {
    {"loss", "percent", NULL, NULL, "share of packets that are lost, 0.5% to 100%"},
    {"burst", "count", NULL, "1", "mean number of packets lost in a row (Gilbert's model; 1 = each on its own)"},
    SELECTOR};
OPS(net_loss, RELAY "drops some by chance, each single segment; which, follows from the run's seed.",
    ELSE "TCP repeats what is lost: connections live, slowly.",
    "TCP's timeouts against Patroni's, an unreliable DCS, the difference between slow and gone.", .name = "net.loss",
    .summary = "loses a share of the packets between the targets and other nodes", .params = loss_params)

static const struct mechanism_param duplicate_params[] = {
    {"duplicate", "percent", NULL, NULL, "share of packets that arrive twice, 0.5% to 100%"}, SELECTOR};
OPS(net_duplicate, RELAY "sends some twice, one right after the other.",
    ELSE "TCP throws the second one away: nothing is done twice.",
    "What TCP hides from an application, and what it does not have to.", .name = "net.duplicate",
    .summary = "duplicates a share of the packets between the targets and other nodes", .params = duplicate_params)

static const struct mechanism_param reorder_params[] = {
    {"reorder", "percent", NULL, NULL, "share of packets that come later than those behind them, 0.5% to 100%"},
    {"by", "duration", NULL, "10ms", "how much later"},
    SELECTOR};
OPS(net_reorder, RELAY "holds some back while the others pass.",
    ELSE "TCP puts it right: nothing arrives out of order, some of it later.",
    "What TCP hides from an application; spurious retransmissions.", .name = "net.reorder",
    .summary = "puts a share of the packets between the targets and other nodes out of order", .params = reorder_params)

static const struct mechanism_param corrupt_params[] = {
    {"corrupt", "percent", NULL, NULL, "share of packets with one bit of their payload flipped, 0.5% to 100%"},
    SELECTOR};
OPS(net_corrupt,
    RELAY "finishes the checksum and then flips one bit of the payload: the receiver's kernel always notices and drops "
          "the packet. (Two flips in one packet could cancel each other, as on a real line: not done here.)",
    ELSE "No wrong byte ever reaches a daemon; to TCP it is a loss. Bare acknowledgements have no payload to flip.",
    "Checksums: what a bad cable looks like from above (nstat TcpInCsumErrors).", .name = "net.corrupt",
    .summary = "flips a bit in a share of the packets between the targets and other nodes", .params = corrupt_params)

static const struct mechanism_param rate_params[] = {
    {"rate", "rate", NULL, NULL, "bits a second for each directed pair, as tc writes it: 512kbit, 10mbit"},
    {"queue", "duration", NULL, "500ms", "a packet that would wait longer is dropped"},
    SELECTOR};
OPS(net_rate, RELAY "sends them one after another at that rate, from a queue of bounded length.",
    ELSE "Small packets pass, as long as the queue is not full of large ones.",
    "Replication lag under load, base backups over a thin line, a queue as a source of latency.", .name = "net.rate",
    .summary = "limits the rate between the targets and other nodes", .params = rate_params)

static const struct mechanism_param jam_params[] = {SELECTOR};
OPS(net_jam, RELAY "holds all of them (at most 256 MiB) and, when healed, lets them go in order.",
    ELSE "Nothing is lost: what was said during the jam arrives after it, from the past.",
    "Messages from the past: an answer that comes after its reader gave up, a renewal after the lease has ended.",
    .name = "net.jam", .summary = "holds all packets between the targets and other nodes, and releases them in order",
    .params = jam_params)
