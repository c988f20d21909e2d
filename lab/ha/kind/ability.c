// SPDX-License-Identifier: PostgreSQL
#include "lab/ha/kind/ability.h"

#include "lab/base/str.h"

static const struct {
    const char *word, *about;
} abilities[ABILITY_COUNT] = {
#define X(bit, word, about) {word, about},
    ABILITIES(X)
#undef X
};

const char *ability_word(unsigned number) {
    return abilities[number].word;
}

const char *ability_about(unsigned number) {
    return abilities[number].about;
}

unsigned ability_find(const char *word) {
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (str_eq(abilities[i].word, word))
            return 1U << i;
    return 0;
}
