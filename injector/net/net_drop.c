// SPDX-License-Identifier: PostgreSQL
// net.drop: frames vanish in the switch. The nodes keep their carrier and get no error: connections hang, as behind a
// broken switch or a silent firewall. The happy path: the flows are added to the shared counts, one transaction makes
// them true (well under a millisecond, all flows at the same instant), and probes show that they are silent while others
// are not.
// Failure: a transaction that is refused takes its counts back and changes nothing.
#include "injector/catalogue.h"
#include "injector/net/net_check.h"
#include "injector/phases.h"

struct drop {
    flow_list flows;
    bool held; // our counts are in world->cuts
    struct net_check *check;
    fault_phase_done done;
};

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return flows_check(&net_drop_fault.about, t, params, err);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state ? f->state : (f->state = xcalloc(1, sizeof *d));
    struct err err = {0};
    VEC_CLEAR(&d->flows);
    if (flows_select(f, &d->flows, &err) < 0 || net_check_begin(f->world, &d->flows, &d->check, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    usec_t asked = usec_now();
    f->touched = true;
    net_cuts_add(f->world->cuts, &d->flows);
    if (net_cuts_commit(f->world, &err) < 0) {
        net_cuts_remove(f->world->cuts, &d->flows);
        phase_no(f, done, "%s", err.msg);
        return;
    }
    d->held = true;
    usec_t effective = sink_now(f->world->sink);
    cleanup_strbuf struct strbuf text = {0};
    flows_text(f->world->topology, &d->flows, &text);
    phase_ok(f, done, effective, "the switch drops %s, all at one instant: one transaction of %.2f ms",
             strbuf_str(&text), (double)(usec_now() - asked) / 1000.0);
}

static void on_check(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct drop *d = f->state;
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, text);
    net_check_free(STEAL(d->check));
    d->done(f, ok, 0, copy);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state;
    d->done = done;
    net_check_silence(d->check, on_check, f);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state;
    struct err err = {0};
    if (!d) {
        phase_ok(f, done, 0, "nothing was cut");
        return;
    }
    net_check_free(STEAL(d->check));
    if (d->held)
        net_cuts_remove(f->world->cuts, &d->flows);
    if (net_cuts_commit(f->world, &err) <
        0) { // also when nothing was held: the switch may have been changed behind our back
        if (d->held)
            net_cuts_add(f->world->cuts, &d->flows); // still in force: a later heal tries again
        phase_no(f, done, "%s", err.msg);
        return;
    }
    d->held = false;
    phase_ok(f, done, sink_now(f->world->sink), "the switch forwards this again, unless another fault cuts it too");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state;
    struct err err = {0};
    d->done = done;
    net_check_free(STEAL(d->check));
    if (net_check_open(f->world, &d->flows, 3 * SEC, on_check, f, &d->check, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void describe(const struct fault *f, struct strbuf *out) {
    flow_list flows = {0};
    if (flows_select(f, &flows, NULL) >= 0)
        flows_describe(f->world->topology, &flows, out);
    VEC_DONE(&flows);
}

static void done_with(struct fault *f) {
    struct drop *d = f->state;
    if (d) {
        net_check_free(d->check);
        VEC_DONE(&d->flows);
    }
    free(d);
    f->state = NULL;
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
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
