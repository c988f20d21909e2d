// SPDX-License-Identifier: PostgreSQL
#pragma once
// What is in a tree: one line for each file, and the content id that follows from it. Two trees with the same files have the same
// id wherever and whenever they were unpacked: owners and times are no part of it.
#include <inttypes.h>
#include <stdbool.h>

#include "lab/base/err.h"
#include "lab/base/vec.h"

enum { MANIFEST_ID_MAX = 72 }; // "sha256:" and 64 digits

struct manifest_entry {
    char *path; // below the root, without a slash in front
    char *what; // "f 0755 1234 HASH", "d 0755", "l TARGET", "p 0644": type, mode, size and content
};
struct manifest {
    VEC(struct manifest_entry) entries; // sorted by path, bytewise
    uint64_t bytes;                     // of the plain files
    uint64_t files;                     // their number
};
void manifest_done(struct manifest *m);

// Reads the whole tree. `stop` is looked at between files (set by a signal handler): -ECANCELED.
int manifest_of_tree(const char *root, const volatile bool *stop, struct manifest *ret, struct err *err);
// "WHAT <tab> PATH" a line; backslash, tab and newline as \\ \t \n.
void manifest_text(const struct manifest *m, struct strbuf *out);
int manifest_parse(const char *text, struct manifest *ret, struct err *err);
void manifest_id(const char *text, size_t len, char ret[static MANIFEST_ID_MAX]);

enum manifest_change { MANIFEST_DIFFERS, MANIFEST_MISSING, MANIFEST_NEW };
typedef void manifest_change_fn(void *arg, enum manifest_change change, const char *path, const char *was,
                                const char *is);
// Calls fn for each path that is not the same in both; was or is is NULL where there is none. Returns how many.
size_t manifest_compare(const struct manifest *was, const struct manifest *is, manifest_change_fn *fn, void *arg);
