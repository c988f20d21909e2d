// SPDX-License-Identifier: PostgreSQL
#include "lab/record/words.h"

#include "lab/base/cleanup.h"
#include "lab/base/str.h"

unsigned word_set_find(const struct word_set *set, const char *word) {
    unsigned i = 0;
    while (i < set->n - 1 && !str_eq(set->words[i], word))
        i++;
    return i;
}

const char *word_set_name(const struct word_set *set, unsigned value) {
    return set->words[value < set->n ? value : set->n - 1];
}

// The JSON reader and writer, which know the set and not the enum, take a field of one as an unsigned number.
#define TEXT(value, word) [value] = (word),
// clang-format off
#define X(set, PREFIX)                                                                                                 \
    static const char *const set##_texts[] = {[PREFIX##_NONE] = "", PREFIX##_WORDS(TEXT) [PREFIX##_UNKNOWN] = "?"};    \
    const struct word_set set##_words = {#set, set##_texts, PREFIX##_UNKNOWN + 1};                                     \
    _Static_assert(sizeof(enum set) == sizeof(unsigned), "an enum is an unsigned number");                             \
    const char *set##_name(enum set value) { return word_set_name(&set##_words, value); }                              \
    enum set set##_from(const char *word) { return (enum set)word_set_find(&set##_words, word); }
// clang-format on
WORD_SETS(X)
#undef X
