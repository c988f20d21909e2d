// SPDX-License-Identifier: PostgreSQL
#pragma once
// Entering a node from outside the lab, by the user who owns it: `bascule exec`, `shell`, `psql`. The namespace fds come over
// the lab's control socket. Nothing here needs the supervisor afterwards.
#include "lab/base/err.h"
#include "lab/node/node.h"

// setns into all namespaces (user first), forks into the pid namespace, becomes the postgres user without capabilities, and
// execs argv with the terminal it has (the command's own stdin/stdout/stderr). Returns the child's wait status as an exit code
// (128+signal), or negative with err. env NULL = a login-like environment (HOME, USER, PATH with PostgreSQL's bin, TERM kept).
int node_enter_exec(const int ns[NODE_NS_COUNT], const char *const *argv, const char *const *env, struct err *err);
