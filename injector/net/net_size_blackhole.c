// SPDX-License-Identifier: PostgreSQL
// net.size_blackhole: small packets pass, large ones vanish, as behind a tunnel whose MTU nobody announces. What sends
// little (leases, health checks, SELECT 1) stays green; what sends much (WAL, base backups) stands still.
#include <stdlib.h>

#include "injector/fault/check.h"
#include "injector/net/cut_fault.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"
#include "lab/reach/probe_net.h"

enum { OVER_MIN = 100 }; // an IP header, a TCP header with options, and a few bytes: below that no connection is made

static int limit_of(const struct mechanism *m, const setting_list *params, uint16_t *ret, struct err *err) {
    const char *text = mechanism_param(m, params, "over");
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < OVER_MIN || n > PROBE_OVER_MAX)
        return err_set(err, EINVAL, "%s: over is a number of bytes from %d to %d, not '%s'", m->name, OVER_MIN,
                       PROBE_OVER_MAX, text);
    *ret = (uint16_t)n;
    return 0;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    uint16_t over;
    int r = limit_of(&net_size_blackhole_fault.about, params, &over, err);
    return r < 0 ? r : flows_check(&net_size_blackhole_fault.about, t, params, err);
}

static int select_large(const struct fault *f, flow_list *out, struct err *err) {
    uint16_t over = 0;
    int r = limit_of(&f->ops->about, f->params, &over, err);
    if (r >= 0)
        r = flows_select(f, out, err);
    VEC_FOREACH (out, flow)
        flow->over = over;
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    cut_fault_inject(f, select_large, done);
}

static void describe(const struct fault *f, struct strbuf *out) {
    cut_fault_describe(f, select_large, out);
}

static const struct mechanism_param params[] = {
    FLOWS_PARAM_WITH,
    FLOWS_PARAM_DIRECTION,
    FLOWS_PARAM_PATH,
    {"over", "count", NULL, "1000", "IP packets of more than so many bytes vanish, 100 to 1380"},
    {0}};

const struct fault_ops net_size_blackhole_fault = {
    .about = {.name = "net.size_blackhole",
              .summary = "drops large packets between the targets and other nodes, silently; small ones pass",
              .params = params},
    .mechanism =
        "Sets of addresses, ports and ranges of the IP length in the switch's bridge forward chain. Nobody is told "
        "(no ICMP \"fragmentation needed\"), so TCP sends the same large segment again and again.",
    .still_works =
        "New connections, keepalives, leases, health checks, small queries: everything that monitoring asks. TCP "
        "segments that its sender put together (GSO) count as one large packet.",
    .exercises = "A path MTU black hole: Patroni and etcd stay green while replication stands still.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = cut_fault_verify,
    .heal = cut_fault_heal,
    .verify_healed = cut_fault_verify_healed,
    .describe = describe,
    .done = cut_fault_done,
};
