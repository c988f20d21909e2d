// SPDX-License-Identifier: PostgreSQL
#include "dashboard/dash.h"

const struct view_ops *const views[] = {
    &view_cluster, &view_network, &view_dcs,      &view_replication, &view_timeline,
    &view_logs,    &view_client,  &view_scenario, &view_lesson,      NULL,
};
