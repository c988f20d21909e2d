// SPDX-License-Identifier: PostgreSQL
#pragma once
// The vocabulary of a scenario: which faults and actions there are and what parameters they take. The injector's catalogue
// (injector/catalogue.c) fills it, the reader of scenarios, the commands and the dashboard use it: none of them links the injector for
// that. Tests fill their own.
#include "lab/base/err.h"
#include "lab/topology/topology.h"

struct mechanism_param {
    const char *name; // "signal"
    const char
        *kind; // "word", "duration", "size", "count", "percent", "text", "bool", "nodes", "paths", "groups", "rate"
    const char *words;    // for the kinds word, nodes and paths: "TERM|KILL|..." ; else NULL
    const char *fallback; // default as text, NULL = required
    const char *help;
};
struct mechanism {
    const char *name; // "process.kill"
    bool action;      // an administrator's act (`do:`), not a fault (`inject:`)
    bool no_target;   // takes no target
    const char *summary;
    const struct mechanism_param *params; // ends with a NULL name; may be NULL
};
struct vocabulary {
    const struct mechanism *mechanisms;
    size_t n;
};

// One way in which random mode may use a fault.
struct random_use {
    const char *mechanism;
    unsigned services;  // bits of enum service: on a node that runs one of them
    unsigned weight;    // how often, against the others
    usec_t least, most; // it stays in force for so long
    const char *with;   // parameters, "service=postgres process=startup"; NULL = none
};

// By its name or by one that it had before (lab/record/old_names.h): whoever says it afterwards says ->name. NULL: there is none.
const struct mechanism *vocabulary_find(const struct vocabulary *v, const char *name);
// For "did you mean": the name that comes nearest to what was typed, today's also where an older one comes nearer. NULL: none is near. Borrowed from v.
const char *vocabulary_nearest(const struct vocabulary *v, const char *typed);
// Parameters "key=value" by hand (`bascule inject`): each is known, its value fits and none is missing. -ENOENT, -EINVAL with the reason.
int mechanism_check_params(const struct vocabulary *v, const char *mechanism, const setting_list *params,
                           struct err *err);
