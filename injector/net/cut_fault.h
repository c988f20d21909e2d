// SPDX-License-Identifier: PostgreSQL
#pragma once
// What faults that drop frames have in common: net.drop, net.partition, net.size_blackhole, net.reject, net.flap. They
// differ in which flows they mean; the rest is adding them to the shared counts, one transaction, and measuring. The state
// of such a fault is a struct cut_fault, or begins with one.
#include "injector/net/net_check.h"
#include "injector/net/net_cuts.h"

struct cut_fault {
    flow_list flows;
    enum net_answer answer; // set it before cut_fault_close; 0 = silence
    bool held;              // our counts are in world->cuts
    struct net_check *check;
    fault_phase_done done;
};

typedef int (*cut_select)(const struct fault *f, flow_list *out, struct err *err);

// Makes the state (of `size` bytes) if there is none, selects, and takes the baseline of the probes.
int cut_fault_begin(struct fault *f, size_t size, cut_select select, struct err *err);
int cut_fault_close(struct fault *f, struct err *err); // what was selected, in one transaction; twice is fine
int cut_fault_open(struct fault *f, struct err *err);  // the same back
// Whole phases.
void cut_fault_inject(struct fault *f, cut_select select, fault_phase_done done);
void cut_fault_verify(struct fault *f, fault_phase_done done);
void cut_fault_heal(struct fault *f, fault_phase_done done);
void cut_fault_verify_healed(struct fault *f, fault_phase_done done);
void cut_fault_describe(const struct fault *f, cut_select select, struct strbuf *out);
void cut_fault_done(struct fault *f);
