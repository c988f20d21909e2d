// SPDX-License-Identifier: PostgreSQL
#pragma once
// Faults that are a rule of the node's disk agent: slow, stall, error, readonly. They differ in the rule and in what a
// probe must then meet.
#include "injector/disk/disk_param.h"

struct disk_rule_kind {
    void (*rule)(const struct fault *f, struct disk_rule *out); // disk and files are filled in already
    // Did the probe meet it? Appends what it met.
    bool (*met)(const struct fault *f, const struct disk_answer *probe, struct strbuf *out);
    usec_t (*patience)(const struct fault *f); // of the probe
};
// The phases of a fault whose row names its kind (fault_ops.disk_rule).
void disk_rule_inject(struct fault *f, fault_phase_done done);
void disk_rule_verify(struct fault *f, fault_phase_done done);
void disk_rule_heal(struct fault *f, fault_phase_done done);
void disk_rule_verify_healed(struct fault *f, fault_phase_done done);
void disk_rule_done(struct fault *f);
