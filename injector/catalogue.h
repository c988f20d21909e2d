// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the injector: the rows, and the questions their checks share.
#include "injector/errand/errand.h"
#include "injector/fault.h"

extern const struct fault_ops process_kill_fault, process_stop_fault, process_pause_fault, node_power_off_fault,
    link_down_fault, net_drop_fault;
extern const struct fault_ops dcs_delete_key_fault, dcs_revoke_lease_fault, dcs_put_key_fault, dcs_nospace_fault,
    dcs_remove_member_fault;
extern const struct fault_ops postgres_long_transaction_fault, postgres_rotate_password_fault, postgres_promote_fault,
    postgres_abandoned_slot_fault, postgres_recovery_conflict_fault, postgres_archive_failing_fault;
extern const struct fault_ops traffic_blocking_ddl_fault, traffic_connection_storm_fault, traffic_slow_query_fault,
    traffic_bulk_load_fault;

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
