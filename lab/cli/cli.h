// SPDX-License-Identifier: PostgreSQL
#pragma once
// What all commands have in common: exit codes, the command line, what is said of a failure.
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
    const char *summary; // one line for --help
    int (*main)(int argc, char **argv);
};

// argp_parse with our manners: errors name the command and exit with EXIT_USAGE. Returns false when the caller should return *ret.
void cli_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags, void *input);
// Prints err.msg and gives the exit code back: `return cli_fail(EXIT_BROKEN, &err);`
int cli_fail(int code, const struct err *err);
// The worst of two exit codes: a broken lab before wrong use, a failed expectation, something skipped or invalid, a pass.
int cli_worse(int a, int b);
