// SPDX-License-Identifier: PostgreSQL
#pragma once
// Complaints about a file, each at its place. Never only the first: the reader goes on and collects them all.
#include "lab/base/vec.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };
struct diag {
    enum diag_level level;
    int line, col; // from 1; 0 = the file as a whole
    char *file;
    char *text; // "unknown key 'tarrget' (did you mean 'target'?)"
};
struct diags {
    VEC(struct diag) list;
    size_t errors;
};
void diag_add(struct diags *d, enum diag_level level, const char *file, int line, int col, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
// "file:line:col: error: text\n" for each, in the order of their places. Appends to out.
void diags_to_text(const struct diags *d, struct strbuf *out);
void diags_to_json(const struct diags *d, struct strbuf *out); // a JSON array, for `bascule check --json`
void diags_done(struct diags *d);
