// SPDX-License-Identifier: PostgreSQL
#pragma once
// Settings in "section.key" form, the same in a topology's sections, in a scenario's `set:` and `workload:`, and after
// --set.
#include "lab/plan/plan.h"
#include "lab/scenario/yaml/decode.h"
#include "lab/scenario/yaml/scalar.h"

struct settings_to { // where they go; a NULL member: this kind of setting has no place here
    struct topology *topology;
    struct plan *plan;
};

// One setting; complains at key_at or value_at.
void setting_apply(struct reader *r, const struct settings_to *to, struct mark key_at, struct mark value_at,
                   const char *dotted, const char *value);
// A section's mapping, such as {ttl: 20s, loop_wait: 5s} for "patroni".
void settings_read_section(struct reader *r, const struct settings_to *to, const char *section,
                           const struct ynode *map);
// "off", "automatic", "required". On false, why says what is allowed.
bool setting_watchdog(const char *text, enum watchdog_mode *ret, char why[static WHY_MAX]);
// "host" or the name of an image, whether there is one or not. On false, why says what is allowed.
bool setting_image(const char *text, char ret[static IMAGE_NAME_MAX], char why[static WHY_MAX]);

// The mapping of `set:`: "patroni.ttl: 20s", or nested, or a scalar setting such as "storage: disk".
void settings_read_set(struct reader *r, const struct settings_to *to, const struct ynode *map);
// The overrides of the command line. "topology" is left out: it decides what is read at all.
void settings_override(struct reader *r, const struct settings_to *to);
