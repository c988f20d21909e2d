// SPDX-License-Identifier: PostgreSQL
#pragma once
// The configuration file of the user whom labs belong to: $XDG_CONFIG_HOME/bascule/config.yaml, else ~/.config/bascule/config.yaml. Started by
// root, that is the one whom root becomes (sandbox_drop_root), whether he has been become yet or not: never root's own file.
#include "dashboard/theme.h"
#include "lab/cmd/start.h"
#include "lab/scenario/config.h"

struct user_config {
    struct config c;
    char *path; // of the file, whether it is there or not; "" when there is no home. Owned
    bool found;
};

// Reads it, once in a process; *ret is valid until the process ends. -EINVAL, its mistakes having been told on stderr, or another code when it
// can't be read. A file that is not there is no failure.
int user_config(const struct user_config **ret, struct err *err);
// Puts the settings of the file before those of --set, but for the ones that --set has too; of_scenario: also those that a lab by hand has not.
int user_config_settings(struct start_options *o, bool of_scenario, struct err *err);
// The dashboard's colours where the file says some; else *theme stays.
int user_config_theme(enum theme *theme, struct err *err);
// One line on stdout: which settings come from the file. Nothing when none do.
void user_config_tell(const struct start_options *o);
