// SPDX-License-Identifier: PostgreSQL
#pragma once
// For commands whose only option is --lab (and perhaps --json).
#include "lab/cli/cli.h"

struct simple_options {
    const char *lab;
    bool json;
    bool all;   // --all
    bool watch; // -w
    bool links; // --links
    bool force; // --force
    bool names; // --names
    char **args;
    size_t n_args;
};
enum simple_flags {
    SIMPLE_LAB = 1,
    SIMPLE_JSON = 2,
    SIMPLE_ALL = 4,
    SIMPLE_WATCH = 8,
    SIMPLE_NO_ARGS = 16,
    SIMPLE_IN_ORDER = 32,
    SIMPLE_LINKS = 64,
    SIMPLE_FORCE = 128,
    SIMPLE_NAMES = 256
};
// usage: argp's args_doc; doc: what the command does. in_order: options end at the first argument (exec, psql).
void simple_parse(const char *name, unsigned flags, const char *usage, const char *doc, size_t min_args, int argc,
                  char **argv, struct simple_options *ret);
