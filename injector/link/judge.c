// SPDX-License-Identifier: PostgreSQL
// Which train shows a rule, and whether what arrived is what the rules in force foretell. Bounds of counts are 4 standard
// deviations (a false alarm in 15 000 verifications). Times: nothing may come earlier than the rules say; later by up to
// 20 ms is put down to the machine (relay and receiver have to be woken; p99 15 ms was measured with both cores busy).
#include <math.h>

#include "injector/link/link.h"
#include "lab/base/rate.h"

enum { RATE_PAYLOAD = 1000, RATE_ON_WIRE = RATE_PAYLOAD + 42 + SHAPE_FRAMING };
enum { SHARE_PACKETS_MAX = 8000 }; // 8 s on one flow
static const double SLACK_NS = 20e6;
static const usec_t REORDER_GAP = 2 * MSEC;

static unsigned clamp(double x, double least, double most) {
    return (unsigned)fmin(fmax(x, least), most);
}

// How much more the counts of lost packets scatter because they come in bursts: a two-state chain.
static double inflation(const struct shape_rule *r, bool bursts) {
    if (!bursts || r->burst <= 0)
        return bursts ? 50 : 1; // somebody else's bursts: their length is not ours to know
    double rho = 1 - r->p / (r->burst * (1 - r->p)) - 1 / r->burst;
    return (1 + rho) / (1 - rho);
}

// Enough that 4 deviations are four fifths of the mean: none at all is never within the bounds. 400 at least, so that few
// are told from many. Over all flows together.
static double share_needs(const struct shape_rule *r) {
    return fmax(25 * (1 - r->p) * inflation(r, r->burst > 0) / r->p, 400);
}

static unsigned share_packets(const struct shape_rule *r, size_t flows) {
    return clamp(ceil(share_needs(r) / (double)flows), 10, SHARE_PACKETS_MAX);
}

bool link_seen_by_a_train(const struct shape_rule *r) {
    return r->p <= 0 || share_needs(r) <= SHARE_PACKETS_MAX;
}

struct train_plan link_plan(const struct shape_rule *r, const struct shaper *s, const flow_list *flows) {
    usec_t slowest = 0;
    size_t n = flows->n ? flows->n : 1;
    VEC_FOREACH (flows, f) {
        struct shape_expected e;
        shaper_expect(s, f, &e);
        slowest = e.most_ns / 1000 > slowest ? e.most_ns / 1000 : slowest;
    }
    struct train_plan plan = {.payload = TRAIN_PAYLOAD_MIN, .every = MSEC, .linger = slowest + 60 * MSEC};
    switch (r->kind) {
    case SHAPE_DELAY:
        plan.packets = 20;
        plan.every = 5 * MSEC;
        plan.linger = slowest + 500 * MSEC;
        plan.early = true;
        break;
    case SHAPE_LOSS:
    case SHAPE_CORRUPT:
    case SHAPE_DUPLICATE:
        plan.packets = share_packets(r, n);
        break;
    case SHAPE_REORDER:
        plan.packets = share_packets(r, n);
        plan.every = REORDER_GAP;
        plan.linger += r->delay_ns / 1000;
        break;
    case SHAPE_RATE: // 0.2 s at the rate asked for
        plan.packets = clamp(0.2 * (double)r->bits_per_s / (RATE_ON_WIRE * 8), 4, 100);
        plan.payload = RATE_PAYLOAD;
        plan.every = 0;
        plan.early = true;
        plan.linger += (usec_t)(1.5e6 * plan.packets * RATE_ON_WIRE * 8 / (double)r->bits_per_s) + r->queue_ns / 1000;
        break;
    case SHAPE_JAM:
        plan.packets = 5;
        plan.every = 20 * MSEC;
        plan.linger += 40 * MSEC;
        break;
    case SHAPE_KINDS:
        break;
    }
    return plan;
}

struct sums {
    double sent, arrived, twice, late, broken;
    double lost_mean, lost_var, twice_mean, twice_var, late_mean, late_var;
    double least, most; // ns
    double low;         // the least that the rules in force foretell, of the slowest flow
    double off;         // how far a flow misses what they foretell, ns; 0 = none does
    double median;      // of the slowest flow
};

static void add_flow(const struct link_state *s, const struct shaper *sh, size_t i, struct sums *a) {
    const struct train_result *r = train_result(s->train, i);
    struct shape_expected e;
    shaper_expect(sh, &s->tried.items[i], &e);
    double lost = 1 - e.arrives, low = (double)e.least_ns, high = (double)e.most_ns + SLACK_NS;
    a->sent += r->sent;
    a->arrived += r->arrived;
    a->twice += r->twice;
    a->late += r->late;
    a->broken += r->broken;
    a->lost_mean += r->sent * lost;
    a->lost_var += r->sent * lost * e.arrives * inflation(&s->rule, e.bursts);
    a->twice_mean += r->arrived * e.twice;
    a->twice_var += r->arrived * e.twice * (1 - e.twice);
    double passed =
        1 - pow(e.late, fmax(1, (double)s->rule.delay_ns / 1000.0 / (double)REORDER_GAP)); // by any behind it
    a->late_mean += r->arrived * e.late * passed;
    a->late_var += r->arrived * e.late * (1 - e.late);
    if (!r->arrived)
        return;
    a->low = fmax(a->low, low);
    a->least = a->least == 0 || (double)r->least_ns < a->least ? (double)r->least_ns : a->least;
    a->most = fmax(a->most, (double)r->most_ns);
    a->median = fmax(a->median, (double)r->median_ns);
    double off = fmax(low - (double)r->least_ns, e.bits_per_s || e.late > 0 ? 0 : (double)r->median_ns - high);
    a->off = fmax(a->off, off);
}

static bool near(double found, double mean, double var, double share) {
    return mean == 0 || found == 0 ? found == mean : fabs(found - mean) <= 4 * sqrt(var) + share * mean + 0.5;
}

static bool judge_rates(const struct link_state *s, const struct shaper *sh, struct strbuf *why) {
    double slowest = INFINITY, fastest = 0, worst_share = 0;
    char a[32], b[32];
    bool ok = true;
    for (size_t i = 0; i < s->tried.n; i++) {
        const struct train_result *r = train_result(s->train, i);
        struct shape_expected e;
        shaper_expect(sh, &s->tried.items[i], &e);
        double found = r->bits_per_s, limit = (double)e.bits_per_s;
        if (e.bits_per_s)
            ok = ok && r->arrived >= 3 && found <= 1.1 * limit && found >= 0.1 * limit;
        else
            ok = ok && r->arrived >= 3 && (found == 0 || found > 1.5 * (double)s->rule.bits_per_s);
        slowest = fmin(slowest, found);
        fastest = fmax(fastest, found);
        worst_share = fmax(worst_share, limit);
    }
    strbuf_addf(why, "a train ran at %s to %s", rate_format(a, slowest), rate_format(b, fastest));
    if (worst_share > 0)
        strbuf_addf(why, " over %zu flows, limit %s (up to 10%% more; less where others use the line)", s->tried.n,
                    rate_format(a, worst_share));
    else
        strbuf_addf(why, " over %zu flows, no limit is left", s->tried.n);
    return ok;
}

static bool judge_jam(const struct sums *a, const struct shape_counts *counts, bool healed, struct strbuf *why) {
    if (healed) {
        strbuf_addf(why, "%.0f of %.0f packets arrive again", a->arrived, a->sent);
        return near(a->sent - a->arrived, a->lost_mean, a->lost_var, 0);
    }
    uint64_t held = counts ? counts->stats.held : 0;
    strbuf_addf(why, "0 of %.0f packets should arrive, %.0f did; %llu packets are held", a->sent, a->arrived,
                (unsigned long long)held);
    return a->arrived == 0 && held > 0;
}

static void delay_text(const struct link_state *s, const struct sums *a, struct strbuf *why) {
    strbuf_addf(why, "one way over %zu flows: least %.2f, median %.2f, most %.2f ms", s->tried.n, a->least / 1e6,
                a->median / 1e6, a->most / 1e6);
    if (s->before)
        strbuf_addf(why, " (before the fault %.2f ms)", (double)s->before / 1e6);
}

static bool judge_counts(const struct link_state *s, const struct sums *a, struct strbuf *why) {
    double lost = a->sent - a->arrived;
    switch (s->rule.kind) {
    case SHAPE_LOSS:
        strbuf_addf(why, "%.0f of %.0f packets lost over %zu flows", lost, a->sent, s->tried.n);
        strbuf_addf(why, ", foretold %.0f +- %.0f", a->lost_mean, 4 * sqrt(a->lost_var));
        return near(lost, a->lost_mean, a->lost_var, 0);
    case SHAPE_CORRUPT: // a raw socket is shown what TCP drops
        strbuf_addf(
            why, "%.0f of %.0f packets missing over %zu flows (foretold %.0f +- %.0f); %.0f broken ones seen below TCP",
            lost, a->sent, s->tried.n, a->lost_mean, 4 * sqrt(a->lost_var), a->broken);
        return near(lost, a->lost_mean, a->lost_var, 0);
    case SHAPE_DUPLICATE:
        strbuf_addf(why, "%.0f of %.0f packets came twice over %zu flows, foretold %.0f +- %.0f", a->twice, a->arrived,
                    s->tried.n, a->twice_mean, 4 * sqrt(a->twice_var));
        return near(a->twice, a->twice_mean, a->twice_var, 0);
    case SHAPE_REORDER:
        strbuf_addf(why, "%.0f of %.0f packets came late over %zu flows, foretold %.0f +- %.0f", a->late, a->arrived,
                    s->tried.n, a->late_mean, 4 * sqrt(a->late_var) + 0.15 * a->late_mean);
        return near(a->late, a->late_mean, a->late_var, 0.15);
    case SHAPE_DELAY:
    case SHAPE_RATE:
    case SHAPE_JAM:
    case SHAPE_KINDS:
        break;
    }
    return false;
}

// A delay that is gone: the least of 20 is below half of it, and back where the rules left put it.
static bool delay_gone(const struct link_state *s, const struct sums *a) {
    return a->off == 0 && a->least <= a->low + (double)s->rule.delay_ns / 2;
}

bool link_judge(struct fault *f, const struct shape_counts *counts, struct strbuf *why) {
    struct link_state *s = f->state;
    struct sums a = {0};
    for (size_t i = 0; i < s->tried.n; i++)
        add_flow(s, f->world->shaper, i, &a);
    if (s->rule.kind == SHAPE_RATE)
        return judge_rates(s, f->world->shaper, why);
    if (s->rule.kind == SHAPE_JAM)
        return judge_jam(&a, counts, s->healed, why);
    if (s->rule.kind != SHAPE_DELAY)
        return judge_counts(s, &a, why);
    delay_text(s, &a, why);
    if (a.arrived == 0) {
        strbuf_add(why, "; nothing arrived");
        return false;
    }
    return s->healed ? delay_gone(s, &a) : a.off == 0;
}
