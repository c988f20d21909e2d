// SPDX-License-Identifier: PostgreSQL
#pragma once
// The environment of a process of a node: that of a login of the postgres user on a server. Private to lab/node.
#include "lab/base/str.h"

// As seen from a root folder ("" = our own): PATH begins with the programs of the newest PostgreSQL there.
// NULL-terminated, owned by the caller together with its strings (environment_free). `inherit` names variables to take
// from our own environment (NULL-terminated; TERM and the like), NULL = none.
char **environment_new(const char *root, const char *const *inherit);
void environment_free(char **env);
static inline void cleanup_env_fn(char ***env) {
    environment_free(*env);
}
#define cleanup_env __attribute__((cleanup(cleanup_env_fn)))
