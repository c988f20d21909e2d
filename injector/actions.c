// SPDX-License-Identifier: PostgreSQL
// Actions: what an administrator does (`do:`), as opposed to what breaks. Rows without ops. cluster.switchover goes
// through Patroni's REST API and is the supervisor's; the others are act.c's.
#include "injector/catalogue.h"
#include "injector/dcs/faults.h"
#include "injector/fault/check.h"
#include "injector/patroni/patroni.h"
#include "injector/postgres/faults.h"
#include "injector/process/process_fault.h"

static const struct mechanism_param switchover_params[] = {
    {"candidate", "nodes", NULL, "", "who is to lead; without it Patroni chooses the healthiest replica"}, {0}};
static const struct mechanism_param resume_params[] = {
    {"service", "word", PROCESS_SERVICES "|any", "any", "whose pauses to end"}, {0}};
static const struct mechanism_param start_params[] = {
    {"service", "word", "patroni|etcd|haproxy", NULL, "what to start; PostgreSQL is started by Patroni"}, {0}};

static const struct mechanism_param rate_params[] = {{"writes", "count", NULL, NULL, "writes a second, at most 5000"},
                                                     {0}};

static const char *value_of(const setting_list *params, const char *name, const char *fallback) {
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, name))
            return params->items[i].value;
    return fallback;
}

static int check_switchover(const struct topology *t, const setting_list *params, struct err *err) {
    const char *candidate = value_of(params, "candidate", "");
    size_t members = 0;
    for (size_t i = 0; i < t->nodes.n; i++) {
        members += t->nodes.items[i].services & SERVICE_POSTGRES ? 1 : 0;
        if (str_eq(t->nodes.items[i].name, candidate))
            return check_service_on(t, &t->nodes.items[i], "patroni", err);
    }
    if (!str_empty(candidate))
        return err_set(err, ENOENT, "cluster.switchover: there is no node '%s'", candidate);
    return members > 1 ? 0
                       : err_set(err, EINVAL, "cluster.switchover needs two PostgreSQL nodes; topology %s has %zu",
                                 t->name ? t->name : "(inline)", members);
}

static int check_resume(const struct topology *t, const setting_list *params, struct err *err) {
    const char *service = value_of(params, "service", "any");
    return str_eq(service, "any") ? 0 : check_service_in(t, service, err);
}

static int check_start(const struct topology *t, const setting_list *params, struct err *err) {
    return check_service_in(t, value_of(params, "service", ""), err);
}

static const struct action_row own[] = {
    {.about = {.name = "process.resume",
               .action = true,
               .summary = "lets frozen processes run again: ends process.pause on the target",
               .params = resume_params},
     .how = "Heals the pauses that the target covers; anything else frozen there gets SIGCONT.",
     .check = check_resume},
    {.about = {.name = "node.power_on", .action = true, .summary = "boots a node that is off, and starts its services"},
     .how = "Heals node.power_off faults that the target covers; else boots the node: fresh /run and /tmp, disks as "
            "they were."},
    {.about = {.name = "service.start",
               .action = true,
               .summary = "starts a service that does not run",
               .params = start_params},
     .how = "The node's init starts it, as the lab did at its beginning.",
     .check = check_start,
     .check_node = process_check_node},
    {.about = {.name = "workload.rate",
               .action = true,
               .no_target = true,
               .summary = "changes how much the application writes",
               .params = rate_params},
     .how = "The application's schedule changes at once; its ticks show it. Not below the rate that the run began "
            "with, because that is "
            "the resolution of its measures."},
    {.about = {.name = "cluster.switchover",
               .action = true,
               .no_target = true,
               .summary = "hands the leadership over in good order",
               .params = switchover_params},
     .how = "POST /switchover to the leader's Patroni, as patronictl does.",
     .check = check_switchover},
};

// One after another: this file's, then those of the folders. Acts on the cluster stand together, in the lists, too. Made once.
const struct action_row *const *action_rows(size_t *ret_n) {
    static const struct action_table *const tables[] = {&patroni_actions, &dcs_actions, &postgres_actions};
    static VEC(const struct action_row *) all;
    for (size_t i = 0; all.n < ARRAY_SIZE(own); i++)
        VEC_PUSH(&all, &own[i]);
    for (size_t t = 0, n = ARRAY_SIZE(own); t < ARRAY_SIZE(tables); n += tables[t++]->n)
        for (size_t i = 0; all.n < n + tables[t]->n; i++)
            VEC_PUSH(&all, &tables[t]->rows[i]);
    *ret_n = all.n;
    return all.items;
}
