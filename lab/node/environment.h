// SPDX-License-Identifier: PostgreSQL
#pragma once
// The environment of a process of a node: that of a login of the postgres user on a server. Private to lab/node.
#include "lab/base/str.h"

// As seen from a root folder ("" = our own): PATH begins with the programs of the newest PostgreSQL there.
// NULL-terminated, owned by the caller together with its strings (environment_free). `inherit` names variables to take
// from our own environment (NULL-terminated; TERM and the like), NULL = none.
char **environment_new(const char *root, const char *const *inherit);
// The same, and what the node's own /etc/environment adds (environ(7), pam_env(8): NAME=VALUE lines): where etcd and PostgreSQL are, so that
// etcdctl and psql work without options in `exec` as in a shell. To be called inside the node. A file that can't be read adds nothing.
char **environment_login(const char *const *inherit);
void environment_free(char **env);
static inline void cleanup_env_fn(char ***env) {
    environment_free(*env);
}
#define cleanup_env __attribute__((cleanup(cleanup_env_fn)))
