// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define NET_FAULTS(X) \
    X(link_down_fault) \
    X(net_drop_fault) \
    X(net_reject_fault) \
    X(net_partition_fault) \
    X(net_flap_fault) \
    X(net_size_blackhole_fault) \
    X(net_reset_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
NET_FAULTS(X)
#undef X
