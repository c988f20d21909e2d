// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults and actions of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/errand/action.h"

// clang-format off
#define POSTGRES_FAULTS(X) \
    X(postgres_long_transaction_fault) \
    X(postgres_rotate_password_fault) \
    X(postgres_promote_fault) \
    X(postgres_abandoned_slot_fault) \
    X(postgres_recovery_conflict_fault) \
    X(postgres_archive_failing_fault) \
    X(postgres_bad_hba_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
POSTGRES_FAULTS(X)
#undef X

extern const struct action_table postgres_actions;
