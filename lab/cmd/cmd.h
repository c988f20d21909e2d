// SPDX-License-Identifier: PostgreSQL
#pragma once
// The commands. One file each: an options struct, an argp table, and NAME_main. lab/main.c holds the table and nothing else.
#include <argp.h>
#include <stdbool.h>

#include "lab/base/err.h"
#include "lab/base/log.h"
#include "lab/base/str.h"

// Exit codes, documented in README.md.
enum exit_code {
    EXIT_PASS = 0,         // everything as expected
    EXIT_EXPECTATION = 1,  // an expectation of a scenario was not met
    EXIT_USAGE = 2,        // wrong use, or a bad file
    EXIT_BROKEN = 3,       // the lab itself broke
    EXIT_SKIPPED = 4,      // skipped (this host can't do it), or invalid (a fault could not be verified, too noisy)
    EXIT_KNOWN_DEFECT = 5, // not as expected, and a known defect of the versions used explains it
};

struct command {
    const char *name;
    const char *summary; // one line for `bascule --help`
    int (*main)(int argc, char **argv);
};

int run_main(int argc, char **argv);
int scenarios_main(int argc, char **argv);
int up_main(int argc, char **argv);
int status_main(int argc, char **argv);
int image_main(int argc, char **argv);
int inject_main(int argc, char **argv);
int heal_main(int argc, char **argv);
int matrix_main(int argc, char **argv);
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

// argp_parse with our manners: errors name the command and exit with EXIT_USAGE. Returns false when the caller should return *ret.
void cmd_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags, void *input);
// Prints err.msg and gives the exit code back: `return cmd_fail(EXIT_BROKEN, &err);`
int cmd_fail(int code, const struct err *err);
// The worst of two exit codes: a broken lab before wrong use, a failed expectation, something skipped or invalid, a pass.
int cmd_worse(int a, int b);
