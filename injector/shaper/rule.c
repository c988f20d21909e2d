// SPDX-License-Identifier: PostgreSQL
#include "injector/shaper/rule.h"

#include <math.h>
#include <netinet/in.h>

double shape_unit(uint64_t u) {
    return (double)(u >> 11) * 0x1p-53;
}

bool shape_matches(const struct shape_match *m, const struct packet_view *v) {
    enum { ETHERNET = 14 };
    if (m->src != v->src || m->dst != v->dst || (m->over && v->end - ETHERNET <= m->over))
        return false;
    if (!m->side)
        return true;
    return v->ports && v->protocol == IPPROTO_TCP && (m->side == 1 ? v->dport : v->sport) == m->port;
}

bool shape_per_packet(enum shape_kind kind) {
    return kind != SHAPE_DELAY && kind != SHAPE_JAM;
}

bool shape_loses(const struct shape_rule *r, bool *bad, const struct shape_draws *d) {
    double u = shape_unit(d->u[0]);
    if (r->burst <= 0)
        return u < r->p;
    if (*bad)
        *bad = u >= 1 / r->burst;
    else
        *bad = r->p >= 1 || u < r->p / (r->burst * (1 - r->p));
    return *bad;
}

static const double NORMAL_END = 3, PARETO_SHAPE = 3, PARETO_END = 10;

// Deviations from the mean.
static double spread(enum shape_dist dist, const struct shape_draws *d) {
    double u = shape_unit(d->u[0]), w = shape_unit(d->u[1]), x;
    switch (dist) {
    case SHAPE_UNIFORM:
        return 2 * u - 1;
    case SHAPE_NORMAL: // Box and Muller 1958: two draws, always
        x = sqrt(-2 * log(1 - u)) * cos(2 * M_PI * w);
        return fmin(fmax(x, -NORMAL_END), NORMAL_END);
    case SHAPE_PARETO: // with least value 1: mean a/(a-1) = 1.5, variance a/((a-1)^2 (a-2)) = 0.75
        x = (pow(1 - u, -1 / PARETO_SHAPE) - 1.5) / sqrt(0.75);
        return fmin(x, PARETO_END);
    }
    return 0;
}

double shape_reach(enum shape_dist dist) {
    return dist == SHAPE_UNIFORM ? 1 : dist == SHAPE_NORMAL ? NORMAL_END : 0.5 / sqrt(0.75);
}

uint64_t shape_delay(const struct shape_rule *r, const struct shape_draws *d) {
    double ns = (double)r->delay_ns + (double)r->jitter_ns * spread(r->dist, d);
    return ns > 0 ? (uint64_t)ns : 0;
}
