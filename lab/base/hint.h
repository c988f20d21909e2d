// SPDX-License-Identifier: PostgreSQL
#pragma once
// Messages about a word that does not fit: what was written, what was perhaps meant, what is allowed.
#include "lab/base/str.h"
#include "lab/base/vec.h"

// What somebody wrote, inside a message: at most 60 bytes of it, cut between characters.
#define SHOWN_MAX 68
const char *shown(char buf[static SHOWN_MAX], const char *text);
#define SHOWN(text) shown((char[SHOWN_MAX]){0}, (text))

// " (did you mean 'x'?)" or "". words ends with NULL.
#define HINT_MAX 96
const char *hint(char buf[static HINT_MAX], const char *typed, const char *const *words);
#define HINT(typed, words) hint((char[HINT_MAX]){0}, (typed), (words))
// A growing NULL-terminated list of words for hint and for "expected one of ...". Words are borrowed.
struct words {
    VEC(const char *) list;
};
void words_add(struct words *w, const char *word);
void words_done(struct words *w);
const char *const *words_all(struct words *w);
void words_join(const struct words *w, struct strbuf *out); // "a, b, c"
#define cleanup_words __attribute__((cleanup(words_done)))
