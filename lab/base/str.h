// SPDX-License-Identifier: PostgreSQL
#pragma once
// Strings and memory. Out of memory aborts: this is a program, not a library.
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lab/base/cleanup.h"

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

static inline bool str_eq(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}
static inline bool str_empty(const char *s) {
    return !s || !*s;
}
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

// Is `word` in "n1,n3" or "n1, n3"? An empty word is in no list.
bool str_list_has(const char *list, const char *word);

// Copies src into dst, cut to fit, always terminated. Returns false when it was cut.
bool str_copy(char *dst, size_t size, const char *src);
#define STR_COPY(array, src) str_copy((array), sizeof(array), (src)) // array must be a char array, not a pointer

// The word of `words` (NULL-terminated) nearest to `typed` (edit distance at most a third of its length, at least 1), or
// NULL: for "did you mean". Borrowed from words.
const char *str_nearest(const char *typed, const char *const *words);

// A growing string. Zero-initialised is empty; the owner frees with strbuf_done. data is always terminated once written to.
struct strbuf {
    char *data; // NULL until the first append
    size_t len, cap;
};
void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const char *s, size_t n);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap);
void strbuf_clear(struct strbuf *b);
void strbuf_done(struct strbuf *b);
const char *strbuf_str(const struct strbuf *b); // "" when empty
#define cleanup_strbuf __attribute__((cleanup(strbuf_done)))
