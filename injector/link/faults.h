// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/fault/fault.h"

// clang-format off
#define LINK_FAULTS(X) \
    X(net_delay_fault) \
    X(net_loss_fault) \
    X(net_duplicate_fault) \
    X(net_reorder_fault) \
    X(net_corrupt_fault) \
    X(net_rate_fault) \
    X(net_jam_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
LINK_FAULTS(X)
#undef X
