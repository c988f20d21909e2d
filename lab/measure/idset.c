// SPDX-License-Identifier: PostgreSQL
#include "lab/measure/idset.h"

#include <ctype.h>

#include "lab/base/str.h"

static void grow(struct idset *s, size_t n_words) {
    if (n_words <= s->n_words)
        return;
    if (n_words < s->n_words * 2)
        n_words = s->n_words * 2 < IDSET_MAX / 64 + 1 ? s->n_words * 2 : IDSET_MAX / 64 + 1;
    s->words = xrealloc(s->words, n_words * sizeof *s->words);
    memset(s->words + s->n_words, 0, (n_words - s->n_words) * sizeof *s->words);
    s->n_words = n_words;
}

bool idset_add(struct idset *s, uint64_t id) {
    if (id == 0 || id > IDSET_MAX)
        return false;
    grow(s, id / 64 + 1);
    s->words[id / 64] |= UINT64_C(1) << (id % 64);
    return true;
}

bool idset_has(const struct idset *s, uint64_t id) {
    return id / 64 < s->n_words && s->words[id / 64] >> (id % 64) & 1;
}

bool idset_has_all(const struct idset *s, uint64_t first, uint64_t last) {
    for (uint64_t id = first; id <= last; id++)
        if (!idset_has(s, id))
            return false;
    return true;
}

void idset_remove(struct idset *s, uint64_t id) {
    if (id / 64 < s->n_words)
        s->words[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

static uint64_t word(const struct idset *s, size_t i) {
    return i < s->n_words ? s->words[i] : 0;
}

void idset_add_all(struct idset *s, const struct idset *more) {
    grow(s, more->n_words);
    for (size_t i = 0; i < more->n_words; i++)
        s->words[i] |= more->words[i];
}

int64_t idset_count(const struct idset *s) {
    int64_t n = 0;
    for (size_t i = 0; i < s->n_words; i++)
        n += __builtin_popcountll(s->words[i]);
    return n;
}

int64_t idset_count_minus(const struct idset *a, const struct idset *b) {
    int64_t n = 0;
    for (size_t i = 0; i < a->n_words; i++)
        n += __builtin_popcountll(a->words[i] & ~word(b, i));
    return n;
}

int64_t idset_count_both(const struct idset *a, const struct idset *b) {
    int64_t n = 0;
    for (size_t i = 0; i < a->n_words; i++)
        n += __builtin_popcountll(a->words[i] & word(b, i));
    return n;
}

static const char *read_id(const char *p, uint64_t *ret) {
    if (!isdigit((unsigned char)*p))
        return NULL;
    for (*ret = 0; isdigit((unsigned char)*p); p++)
        if ((*ret = *ret * 10 + (uint64_t)(*p - '0')) > IDSET_MAX)
            return NULL;
    return *ret ? p : NULL;
}

// Adds from..to, both within 1..IDSET_MAX, a word of 64 ids at a time. Returns how many were there.
static int64_t add_range(struct idset *s, uint64_t from, uint64_t to) {
    int64_t twice = 0;
    grow(s, to / 64 + 1);
    for (size_t i = from / 64; i <= to / 64; i++) {
        uint64_t mask = UINT64_MAX;
        mask &= i == from / 64 ? UINT64_MAX << (from % 64) : UINT64_MAX;
        mask &= i == to / 64 ? UINT64_MAX >> (63 - to % 64) : UINT64_MAX;
        twice += __builtin_popcountll(s->words[i] & mask);
        s->words[i] |= mask;
    }
    return twice;
}

int64_t idset_add_ranges(struct idset *s, const char *ranges) {
    int64_t twice = 0;
    uint64_t all = 0; // ids of the whole text: one that names more than there are is no list, and would take its time
    const char *p = ranges;
    while (*p) {
        uint64_t from, to;
        if (!(p = read_id(p, &from)))
            return -1;
        to = from;
        if (*p == '-' && !(p = read_id(p + 1, &to)))
            return -1;
        if (to < from || (*p && *p++ != ',') || (all += to - from + 1) > IDSET_MAX)
            return -1;
        twice += add_range(s, from, to);
    }
    return twice;
}

void idset_done(struct idset *s) {
    free(s->words);
    *s = (struct idset){0};
}
