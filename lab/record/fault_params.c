// SPDX-License-Identifier: PostgreSQL
#include "lab/record/fault_params.h"

#include <string.h>

// The value's first character, *ret_n of them; NULL = nothing is said of the key.
static const char *find(const char *params, const char *key, size_t *ret_n) {
    size_t k = strlen(key);
    for (const char *p = params; *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        if (n > k && memcmp(p, key, k) == 0 && p[k] == '=') {
            *ret_n = n - k - 1;
            return p + k + 1;
        }
    }
    return NULL;
}

bool fault_params_are(const char *params, const char *key, const char *value) {
    size_t n;
    const char *v = find(params, key, &n);
    return v && n == strlen(value) && memcmp(v, value, n) == 0;
}

bool fault_params_get(const char *params, const char *key, char *ret, size_t size) {
    size_t n = 0;
    const char *v = find(params, key, &n);
    n = n < size ? n : size - 1;
    memcpy(ret, v ? v : "", v ? n : 0);
    ret[v ? n : 0] = '\0';
    return v;
}

bool fault_params_postmaster(const char *params) {
    // process.stop and node-wide faults have no `process`: with service postgres the postmaster is meant.
    return fault_params_are(params, "service", "postgres") &&
           (!strstr(params, "process=") || fault_params_are(params, "process", "postmaster"));
}
