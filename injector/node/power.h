// SPDX-License-Identifier: PostgreSQL
#pragma once
// Taking a node's power and giving it back: the phases of node.power_off, and the second half of node.reboot.
// f->state is a struct power, or a struct that begins with one.
#include "injector/net/net_check.h"

struct power {
    flow_list flows;
    bool off[NODES_MAX]; // by index in fault->nodes: we took its power
    bool started[NODES_MAX];
    struct net_check *check;
    fault_phase_done done;
};

void power_pull(struct fault *f, fault_phase_done done);       // inject
void power_verify_off(struct fault *f, fault_phase_done done); // verify
void power_restore(struct fault *f,
                   fault_phase_done done); // heal: boot, start services; a node that runs is left alone
void power_verify_on(struct fault *f, fault_phase_done done); // verify_healed
void power_done(struct fault *f);
