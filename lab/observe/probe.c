// SPDX-License-Identifier: PostgreSQL
#include "lab/observe/probe.h"

static const struct system_probes *const systems[] = {&patroni_probes};

const struct system_probes *probes_of(const char *system) {
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
        if (str_empty(system) || str_eq(systems[i]->name, system))
            return systems[i];
    return NULL;
}

static const struct log_pattern *patterns_in(const struct log_file *logs, size_t n, const char *service) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(logs[i].service, service))
            return logs[i].patterns;
    return NULL;
}

const struct log_pattern *probes_log_patterns(const char *service) {
    const struct log_pattern *found = patterns_in(probes_common_logs, ARRAY_SIZE(probes_common_logs), service);
    for (size_t i = 0; i < ARRAY_SIZE(systems) && !found; i++)
        found = patterns_in(systems[i]->logs, systems[i]->n_logs, service);
    return found;
}
