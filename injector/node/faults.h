// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define NODE_FAULTS(X) \
    X(node_power_off_fault) \
    X(node_freeze_fault) \
    X(node_reboot_fault) \
    X(node_slow_fault) \
    X(watchdog_remove_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
NODE_FAULTS(X)
#undef X
