// SPDX-License-Identifier: PostgreSQL
#pragma once
// Looking things up in the vocabulary, for the reader of scenarios. vocabulary.h is for everybody.
#include "lab/scenario/vocabulary/vocabulary.h"
#include "lab/scenario/yaml/decode.h"

const struct mechanism_param *mechanism_param_find(const struct mechanism *m, const char *name);
void mechanism_words(const struct vocabulary *v, bool action, struct words *out);
// HINT for names of mechanisms: one of `names`, also where it is an older name of it that comes nearest.
const char *mechanism_hint(char buf[static HINT_MAX], const char *typed, const struct words *names);
#define MECHANISM_HINT(typed, names) mechanism_hint((char[HINT_MAX]){0}, (typed), (names))
void mechanism_param_words(const struct mechanism *m, struct words *out);
// Is the value of the parameter's kind? t may be NULL (node names are then not judged). On false, why says what was
// expected.
bool mechanism_param_check(const struct mechanism_param *p, const char *value, const struct topology *t,
                           struct strbuf *why);
