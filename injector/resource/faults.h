// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define RESOURCE_FAULTS(X) \
    X(resource_connections_fault) \
    X(resource_memory_fault) \
    X(resource_oom_fault) \
    X(resource_files_fault) \
    X(resource_cpu_fault) \
    X(clock_skew_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
RESOURCE_FAULTS(X)
#undef X
