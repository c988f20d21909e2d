// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define TRAFFIC_FAULTS(X) \
    X(traffic_blocking_ddl_fault) \
    X(traffic_connection_storm_fault) \
    X(traffic_slow_query_fault) \
    X(traffic_bulk_load_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
TRAFFIC_FAULTS(X)
#undef X
