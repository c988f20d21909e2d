// SPDX-License-Identifier: PostgreSQL
#pragma once
// A set of write ids as a bitmap: ids are dense from 1, so a million writes are 125 kB.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDSET_MAX = 1 << 28 }; // 268 million ids = 32 MB: a run at 1000 writes a second for three days. Beyond: refused

struct idset {
    uint64_t *words;
    size_t n_words;
};
bool idset_add(struct idset *s, uint64_t id); // false when id is 0 or above IDSET_MAX
bool idset_has(const struct idset *s, uint64_t id);
bool idset_has_all(const struct idset *s, uint64_t first, uint64_t last); // every id from first to last
void idset_add_all(struct idset *s, const struct idset *more);            // s becomes s ∪ more
void idset_remove(struct idset *s, uint64_t id);
int64_t idset_count(const struct idset *s);
int64_t idset_count_minus(const struct idset *a, const struct idset *b); // |a \ b|
int64_t idset_count_both(const struct idset *a, const struct idset *b);  // |a ∩ b|
// Adds "1-2345,2350-9000". Returns how many ids were there already (duplicates), or -1 for text that is no such list.
int64_t idset_add_ranges(struct idset *s, const char *ranges);
void idset_done(struct idset *s);
