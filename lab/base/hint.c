// SPDX-License-Identifier: PostgreSQL
#include "lab/base/hint.h"

#include <stdio.h>

const char *shown(char buf[static SHOWN_MAX], const char *text) {
    size_t n = strlen(text);
    if (n <= 60) {
        memcpy(buf, text, n + 1);
        return buf;
    }
    for (n = 60; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
        continue;
    memcpy(buf, text, n);
    memcpy(buf + n, "...", 4);
    return buf;
}

const char *hint(char buf[static HINT_MAX], const char *typed, const char *const *words) {
    const char *near = str_nearest(typed, words);
    if (near)
        (void)snprintf(buf, HINT_MAX, " (did you mean '%.60s'?)", near);
    else
        buf[0] = '\0';
    return buf;
}

void words_add(struct words *w, const char *word) {
    VEC_PUSH(&w->list, word);
}

void words_done(struct words *w) {
    VEC_DONE(&w->list);
}

const char *const *words_all(struct words *w) {
    VEC_PUSH(&w->list, NULL);
    w->list.n--; // the NULL stays behind the end
    return w->list.items;
}

void words_join(const struct words *w, struct strbuf *out) {
    for (size_t i = 0; i < w->list.n; i++)
        strbuf_addf(out, i ? ", %s" : "%s", w->list.items[i]);
}
