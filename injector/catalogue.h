// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the injector: the rows, and the questions their checks share.
#include "injector/errand/errand.h"
#include "injector/fault.h"

// One row a line, family by family: the order of `bascule faults` and docs/faults.md.
// clang-format off
#define FAULT_ROWS(X) \
    X(process_kill_fault) \
    X(process_stop_fault) \
    X(process_pause_fault) \
    X(process_cycle_fault) \
    X(node_power_off_fault) \
    X(node_freeze_fault) \
    X(node_reboot_fault) \
    X(node_slow_fault) \
    X(watchdog_remove_fault) \
    X(resource_connections_fault) \
    X(resource_memory_fault) \
    X(resource_oom_fault) \
    X(resource_files_fault) \
    X(resource_cpu_fault) \
    X(clock_skew_fault) \
    X(link_down_fault) \
    X(net_drop_fault) \
    X(net_reject_fault) \
    X(net_partition_fault) \
    X(net_flap_fault) \
    X(net_size_blackhole_fault) \
    X(net_reset_fault) \
    X(net_delay_fault) \
    X(net_loss_fault) \
    X(net_duplicate_fault) \
    X(net_reorder_fault) \
    X(net_corrupt_fault) \
    X(net_rate_fault) \
    X(net_jam_fault) \
    X(dcs_delete_key_fault) \
    X(dcs_revoke_lease_fault) \
    X(dcs_put_key_fault) \
    X(dcs_nospace_fault) \
    X(dcs_remove_member_fault) \
    X(dcs_restore_snapshot_fault) \
    X(postgres_long_transaction_fault) \
    X(postgres_rotate_password_fault) \
    X(postgres_promote_fault) \
    X(postgres_abandoned_slot_fault) \
    X(postgres_recovery_conflict_fault) \
    X(postgres_archive_failing_fault) \
    X(postgres_bad_hba_fault) \
    X(traffic_blocking_ddl_fault) \
    X(traffic_connection_storm_fault) \
    X(traffic_slow_query_fault) \
    X(traffic_bulk_load_fault) \
    X(disk_full_fault) \
    X(disk_slow_fault) \
    X(disk_stall_fault) \
    X(disk_error_fault) \
    X(disk_readonly_fault) \
    X(disk_lose_unsynced_fault)
// clang-format on
#define X(row) extern const struct fault_ops row;
FAULT_ROWS(X)
#undef X

// Actions: rows without ops. `who` carries them out: this room (act.c) or the supervisor.
struct action_row {
    struct mechanism about;
    const char *how;
    int (*check)(const struct topology *t, const setting_list *params, struct err *err);
    int (*check_node)(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err);
    struct errand_phase errand; // how it is done, unless act.c or the supervisor does it
    usec_t patience;            // how long that may take; 0 = a minute
};
struct action_table {
    const struct action_row *rows;
    size_t n;
};
extern const struct action_table patroni_actions, dcs_actions, postgres_actions;
const struct action_row *const *action_rows(size_t *ret_n);
const struct action_row *action_find(const char *name); // NULL when there is none

// The value of a parameter: as written, else the table's fallback, else NULL.
const char *mechanism_param(const struct mechanism *m, const setting_list *params, const char *name);
// Required ones are there, words are among the allowed, no unknown ones.
int mechanism_check_words(const struct mechanism *m, const setting_list *params, struct err *err);

unsigned service_bit(const char *service); // enum service; 0 = none
int check_service_in(const struct topology *t, const char *service, struct err *err);
int check_service_on(const struct topology *t, const struct node_def *node, const char *service, struct err *err);
// As check_node: does this node run PostgreSQL?
int check_runs_postgres(const struct topology *t, const struct node_def *node, const setting_list *params,
                        struct err *err);
