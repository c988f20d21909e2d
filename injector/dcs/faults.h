// SPDX-License-Identifier: PostgreSQL
#pragma once
// The faults and actions of this folder. One row a line, in the order of `bascule faults` and docs/faults.md.
#include "injector/errand/action.h"

// clang-format off
#define DCS_FAULTS(X) \
    X(dcs_delete_key_fault) \
    X(dcs_revoke_lease_fault) \
    X(dcs_put_key_fault) \
    X(dcs_nospace_fault) \
    X(dcs_remove_member_fault) \
    X(dcs_restore_snapshot_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
DCS_FAULTS(X)
#undef X

extern const struct action_table dcs_actions;
