// SPDX-License-Identifier: PostgreSQL
// net.drop: frames vanish in the switch. The nodes keep their carrier and get no error: connections hang, as behind a
// broken switch or a silent firewall. The happy path: the flows are added to the shared counts, one transaction makes
// them true (well under a millisecond, all flows at the same instant), and probes show that they are silent while others
// are not.
// Failure: a transaction that is refused takes its counts back and changes nothing.
#include "injector/fault/check.h"
#include "injector/net/cut_fault.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return flows_check(&net_drop_fault.about, t, params, err);
}

static void inject(struct fault *f, fault_phase_done done) {
    cut_fault_inject(f, flows_select, done);
}

static void describe(const struct fault *f, struct strbuf *out) {
    cut_fault_describe(f, flows_select, out);
}

static const struct mechanism_param params[] = {FLOWS_PARAM_WITH, FLOWS_PARAM_DIRECTION, FLOWS_PARAM_PATH, {0}};

const struct fault_ops net_drop_fault = {
    .about = {.name = "net.drop",
              .summary =
                  "drops frames between the targets and other nodes, silently: all, or those of some service paths",
              .params = params},
    .mechanism =
        "Sets of source and destination addresses, and TCP ports, in the switch's bridge forward chain, replaced "
        "by one nf_tables transaction: a whole partition bites at one instant, on established connections too.",
    .still_works =
        "Everything inside the node: its daemons run and talk to each other over loopback, the interface is up. "
        "A leader cut from every etcd still reaches the member on its own machine. Several targets still reach each "
        "other.",
    .exercises = "Lease expiry, quorum, demotion of an isolated leader, TCP timeouts against fast errors, split brain.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = cut_fault_verify,
    .heal = cut_fault_heal,
    .verify_healed = cut_fault_verify_healed,
    .describe = describe,
    .done = cut_fault_done,
};
