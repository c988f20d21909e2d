// SPDX-License-Identifier: PostgreSQL
#pragma once
// The commands. One file each: an options struct, an argp table, and NAME_main. lab/main.c holds the table and nothing else. The two that are
// programs of their own, matrix and image, have a folder each.
#include "lab/cli/cli.h"

int run_main(int argc, char **argv);
int scenarios_main(int argc, char **argv);
int up_main(int argc, char **argv);
int status_main(int argc, char **argv);
int inject_main(int argc, char **argv);
int heal_main(int argc, char **argv);
int hold_main(int argc, char **argv);
int next_main(int argc, char **argv);
int go_main(int argc, char **argv);
int shell_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int psql_main(int argc, char **argv);
int logs_main(int argc, char **argv);
int list_main(int argc, char **argv);
int down_main(int argc, char **argv);
int check_main(int argc, char **argv);
int top_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int report_main(int argc, char **argv);
int runs_main(int argc, char **argv);
int compare_main(int argc, char **argv);
int faults_main(int argc, char **argv);
int settings_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
