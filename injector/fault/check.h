// SPDX-License-Identifier: PostgreSQL
#pragma once
// The questions that the checks of faults and actions share: what does this parameter say, may it be done here?
#include "lab/plan/plan.h"
#include "lab/scenario/vocabulary/vocabulary.h"

// The value of a parameter: as written, else the table's fallback, else NULL.
const char *mechanism_param(const struct mechanism *m, const setting_list *params, const char *name);
// Required ones are there, words are among the allowed, no unknown ones.
int mechanism_check_words(const struct mechanism *m, const setting_list *params, struct err *err);

int check_service_in(const struct topology *t, const char *service, struct err *err);
int check_service_on(const struct topology *t, const struct node_def *node, const char *service, struct err *err);
// To be a mechanism's `check`: does any node of the topology run it?
int check_postgres_somewhere(const struct topology *t, const setting_list *params, struct err *err);
int check_etcd_somewhere(const struct topology *t, const setting_list *params, struct err *err);
// To be a mechanism's `check_node`: does this node run it?
int check_runs_postgres(const struct topology *t, const struct node_def *node, const setting_list *params,
                        struct err *err);
int check_runs_etcd(const struct topology *t, const struct node_def *node, const setting_list *params, struct err *err);
// Refuses the node that runs the application, for a mechanism that would disturb whoever measures.
int check_not_application(const struct mechanism *m, const struct node_def *node, struct err *err);
