// SPDX-License-Identifier: PostgreSQL
#pragma once
// What process.kill, process.stop and process.pause share: the state of one such fault, its checks, and the healing of
// an ended service (which process.kill and process.stop have in common).
#include "injector/fault/fault.h"
#include "injector/fault/retry.h"
#include "injector/process/salvo.h"

#define PROCESS_SERVICES "patroni|postgres|etcd|haproxy"
#define PROCESS_NAMES    "postmaster|walreceiver|walsender|startup|checkpointer|backend"

struct process_state {
    victim_list victims;  // whom the fault is about
    victim_list children; // theirs, that die or freeze with them
    bool *held;           // pause: our count is in world->frozen, one per child
    size_t n_held;
    struct salvo *salvo; // under way
    struct retry *retry; // under way
    int looks;           // pause: how often to look again for new descendants
    usec_t since;        // start of the present phase
    fault_phase_done done;
};

struct process_state *process_state(struct fault *f);             // made when there is none
void process_state_begin(struct fault *f, fault_phase_done done); // drops what an earlier phase left under way
void process_state_free(struct fault *f);

int process_check(const struct topology *t, const setting_list *params, const struct mechanism *about, struct err *err);
int process_check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                       struct err *err);

// Every victim gone, and within 5 s its children too.
void process_verify_gone(struct fault *f, fault_phase_done done);
// Starts the service again where it isn't running. PostgreSQL itself is Patroni's to start.
void process_heal_ended(struct fault *f, fault_phase_done done);
void process_verify_running(struct fault *f, fault_phase_done done);
