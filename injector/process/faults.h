// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define PROCESS_FAULTS(X) \
    X(process_kill_fault) \
    X(process_stop_fault) \
    X(process_pause_fault) \
    X(process_cycle_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
PROCESS_FAULTS(X)
#undef X
