// SPDX-License-Identifier: PostgreSQL
#include "lab/base/str.h"

#include <stdint.h>

static void *no_memory(void) {
    static const char msg[] = "bascule: out of memory\n";
    (void)!write(STDERR_FILENO, msg, sizeof msg - 1);
    abort();
}

void *xmalloc(size_t n) {
    void *p = malloc(n ? n : 1);
    return p ? p : no_memory();
}

void *xcalloc(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size ? size : 1);
    return p ? p : no_memory();
}

void *xrealloc(void *old, size_t n) {
    void *p = realloc(old, n ? n : 1);
    return p ? p : no_memory();
}

char *xstrdup(const char *s) {
    char *p = strdup(s);
    return p ? p : no_memory();
}

char *xstrndup(const char *s, size_t n) {
    char *p = strndup(s, n);
    return p ? p : no_memory();
}

char *xasprintf(const char *fmt, ...) {
    char *p = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&p, fmt, ap);
    va_end(ap);
    return n >= 0 ? p : no_memory();
}

bool str_starts(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix) {
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_list_has(const char *list, const char *word) {
    size_t len = strlen(word);
    for (const char *p = list; *p;) {
        p += strspn(p, ", \t");
        size_t n = strcspn(p, ", \t");
        if (n == len && n > 0 && memcmp(p, word, n) == 0)
            return true;
        p += n;
    }
    return false;
}

bool str_copy(char *dst, size_t size, const char *src) {
    size_t n = strlen(src);
    bool fits = n < size;
    if (!fits)
        n = size - 1;
    memmove(dst, src, n); // memmove: callers copy fields of one struct into each other
    dst[n] = '\0';
    return fits;
}

enum { NEAREST_MAX = 63 }; // longer words are not worth a suggestion, and the row stays on the stack

static size_t edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), row[NEAREST_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}

const char *str_nearest(const char *typed, const char *const *words) {
    size_t n = strlen(typed);
    if (n == 0 || n > NEAREST_MAX)
        return NULL;
    const char *best = NULL;
    size_t limit = n < 6 ? 2 : n / 3, best_distance = limit + 1;
    for (; *words; words++) {
        if (strlen(*words) > NEAREST_MAX)
            continue;
        size_t d = edit_distance(typed, *words);
        if (d < best_distance && d < n) {
            best_distance = d;
            best = *words;
        }
    }
    return best;
}

static void strbuf_reserve(struct strbuf *b, size_t more) {
    if (more > SIZE_MAX / 2 - b->len)
        no_memory();
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
}

void strbuf_addn(struct strbuf *b, const char *s, size_t n) {
    strbuf_reserve(b, n);
    memcpy(b->data + b->len, s, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *s) {
    strbuf_addn(b, s, strlen(s));
}

void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return;
    strbuf_reserve(b, (size_t)n);
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(b, fmt, ap);
    va_end(ap);
}

void strbuf_clear(struct strbuf *b) {
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

void strbuf_done(struct strbuf *b) {
    free(b->data);
    *b = (struct strbuf){0};
}

const char *strbuf_str(const struct strbuf *b) {
    return b->data ? b->data : "";
}
