// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the user's configuration file (lab/cli/user_config.h) says for a lab and for the dashboard.
#include "dashboard/theme.h"
#include "lab/cmd/start.h"

// Puts the settings of the file before those of --set, but for the ones that --set has too; of_scenario: also those that a lab by hand has not.
int user_config_settings(struct start_options *o, bool of_scenario, struct err *err);
// The dashboard's colours where the file says some; else *theme stays.
int user_config_theme(enum theme *theme, struct err *err);
// One line on stdout: which settings come from the file. Nothing when none do.
void user_config_tell(const struct start_options *o);
