// SPDX-License-Identifier: PostgreSQL
#pragma once
// Looking things up in the vocabulary, for the reader of scenarios. vocabulary.h is for everybody.
#include "lab/scenario/vocabulary/vocabulary.h"
#include "lab/scenario/yaml/decode.h"

const struct mechanism_param *mechanism_param_find(const struct mechanism *m, const char *name);
void mechanism_words(const struct vocabulary *v, bool action, struct words *out);
void mechanism_param_words(const struct mechanism *m, struct words *out);
// Is the value of the parameter's kind? t may be NULL (node names are then not judged). On false, why says what was
// expected.
bool mechanism_param_check(const struct mechanism_param *p, const char *value, const struct topology *t,
                           struct strbuf *why);
