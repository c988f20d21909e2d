// SPDX-License-Identifier: PostgreSQL
#include "lab/record/fault_params.h"

#include <string.h>

bool fault_params_are(const char *params, const char *key, const char *value) {
    size_t k = strlen(key), v = strlen(value);
    for (const char *p = params; *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        if (n == k + 1 + v && memcmp(p, key, k) == 0 && p[k] == '=' && memcmp(p + k + 1, value, v) == 0)
            return true;
    }
    return false;
}

bool fault_params_postmaster(const char *params) {
    // process.stop and node-wide faults have no `process`: with service postgres the postmaster is meant.
    return fault_params_are(params, "service", "postgres") &&
           (!strstr(params, "process=") || fault_params_are(params, "process", "postmaster"));
}
