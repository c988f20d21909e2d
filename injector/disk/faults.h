// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define DISK_FAULTS(X) \
    X(disk_full_fault) \
    X(disk_slow_fault) \
    X(disk_stall_fault) \
    X(disk_error_fault) \
    X(disk_readonly_fault) \
    X(disk_lose_unsynced_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
DISK_FAULTS(X)
#undef X
