// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the faults of the link shaper share: all of them but for their parameters (params.c), the commands that netem
// would take (netem.c) and what counts as a proof (judge.c).
#include "injector/fault/fault.h"
#include "injector/link/train.h"
#include "injector/relay/shaper.h"

struct link_state {
    flow_list flows;
    struct shape_rule rule;
    struct shape_client client;
    struct train *train;
    flow_list tried; // the flows of the train under way
    unsigned tries;
    bool healed;   // what is being verified
    usec_t before; // one way before the fault, ns; 0 = nothing arrived
    fault_phase_done done;
};

int link_check(const struct mechanism *m, const struct topology *t, const setting_list *params, struct err *err);
void link_inject(struct fault *f, fault_phase_done done);
void link_verify(struct fault *f, fault_phase_done done);
void link_heal(struct fault *f, fault_phase_done done);
void link_verify_healed(struct fault *f, fault_phase_done done);
void link_describe(const struct fault *f, struct strbuf *out);
void link_done(struct fault *f);

// The parameters as a rule; what they may be, and that a measurement can see it.
int link_rule_read(const struct mechanism *m, const setting_list *params, struct shape_rule *ret, struct err *err);
void link_rule_text(const struct shape_rule *r, struct strbuf *out); // "50 ms +- 10 ms (normal)"
void link_netem(const struct topology *t, const struct shape_rule *r, const flow_list *flows, struct strbuf *out);

// The train that shows the rule (or its absence), and whether it did. counts may be NULL.
struct train_plan link_plan(const struct shape_rule *r, const struct shaper *s, const flow_list *flows);
bool link_seen_by_a_train(const struct shape_rule *r); // few and bursty losses need more packets than we send
bool link_judge(struct fault *f, const struct shape_counts *counts, struct strbuf *why);
