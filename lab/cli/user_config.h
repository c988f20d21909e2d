// SPDX-License-Identifier: PostgreSQL
#pragma once
// The configuration file of the user whom labs belong to: $XDG_CONFIG_HOME/bascule/config.yaml, else ~/.config/bascule/config.yaml. Started by
// root, that is the one whom root becomes (sandbox_drop_root), whether he has been become yet or not: never root's own file.
#include "lab/scenario/config.h"

struct user_config {
    struct config c;
    char *path; // of the file, whether it is there or not; "" when there is no home. Owned
    bool found;
};

// Reads it, once in a process; *ret is valid until the process ends. -EINVAL, its mistakes having been told on stderr, or another code when it
// can't be read. A file that is not there is no failure.
int user_config(const struct user_config **ret, struct err *err);
