// SPDX-License-Identifier: PostgreSQL
#pragma once
// Files into plans.
#include "lab/base/err.h"
#include "lab/plan/plan.h"
#include "lab/scenario/vocabulary/vocabulary.h"
#include "lab/scenario/yaml/diag.h"

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

// What `set:` and --set take, for people and for completion: every setting of the table; postgresql.NAME and node.NAME.image are open
// and stand outside of it.
struct setting_about {
    const char *name;         // "patroni.ttl"; static
    const char *const *words; // a choice: what it allows, ends with NULL; else NULL. Static
    char values[160];         // "time in whole seconds, 1.00 s to 60 min 00 s"
};
size_t settings_count(void);
void setting_about(size_t i, struct setting_about *ret); // i below settings_count()
