// SPDX-License-Identifier: PostgreSQL
#pragma once
// Files into plans.
#include "lab/base/err.h"
#include "lab/scenario/diag.h"
#include "lab/scenario/plan.h"

// What the reader must know of the injector without linking it: the catalogue of mechanisms and their parameters.
// injector/catalogue.h fills it; tests fill their own.
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

struct read_options {
    const struct vocabulary *vocabulary;
    const char *topology_dir;      // where names of topologies are looked up
    uint64_t seed;                 // 0 = choose one; the plan carries it
    const setting_list *overrides; // --set key=value, e.g. {"patroni.ttl","20"}; NULL = none
};

// Reads a scenario file into a plan. Returns 0 and *ret, or -EINVAL when the diagnostics hold an error; other negative codes
// (err is set) when the file could not be read at all. Warnings may be there on success too.
int scenario_read(const char *path, const struct read_options *o, struct diags *d, struct plan **ret, struct err *err);
// The same on text that is already in memory; `path` is for the messages. This is what the fuzzer calls.
int scenario_read_text(const char *path, const char *text, size_t len, const struct read_options *o, struct diags *d,
                       struct plan **ret);
// A topology alone, by name ("patroni-3", looked up in topology_dir) or by path (contains a '/' or ends in .yaml).
int topology_read(const char *name_or_path, const struct read_options *o, struct diags *d, struct topology **ret,
                  struct err *err);
// For `bascule inject`: one selector, and parameters "key=value" checked against the vocabulary.
int selector_parse(const char *text, const struct topology *t, struct selector *ret, struct err *err);
int mechanism_check_params(const struct vocabulary *v, const char *mechanism, const setting_list *params,
                           struct err *err);
const struct mechanism *vocabulary_find(const struct vocabulary *v, const char *name);

// What `set:` and --set take, for people and for completion: every setting of the table; postgresql.NAME and node.NAME.image are open
// and stand outside of it.
struct setting_about {
    const char *name;         // "patroni.ttl"; static
    const char *const *words; // a choice: what it allows, ends with NULL; else NULL. Static
    char values[160];         // "time in whole seconds, 1.00 s to 60 min 00 s"
};
size_t settings_count(void);
void setting_about(size_t i, struct setting_about *ret); // i below settings_count()
