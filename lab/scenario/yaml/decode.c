// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/yaml/decode.h"

#include "lab/scenario/yaml/scalar.h"

// ---- complaints -----------------------------------------------------------------------------------------------------

static void add(struct reader *r, enum diag_level level, struct mark at, const char *fmt, va_list ap) {
    if (r->d->list.n > COMPLAINTS_MAX)
        return;
    if (r->d->list.n == COMPLAINTS_MAX) {
        diag_add(r->d, DIAG_ERROR, r->file, at.line, at.col, "more than %d complaints: the rest is not shown",
                 COMPLAINTS_MAX);
        return;
    }
    cleanup_strbuf struct strbuf text = {0};
    strbuf_vaddf(&text, fmt, ap);
    diag_add(r->d, level, r->file, at.line, at.col, "%s", strbuf_str(&text));
}

void complain(struct reader *r, struct mark at, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    add(r, DIAG_ERROR, at, fmt, ap);
    va_end(ap);
}

void warn(struct reader *r, struct mark at, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    add(r, DIAG_WARNING, at, fmt, ap);
    va_end(ap);
}

void complain_kind(struct reader *r, const struct ynode *n, const char *expected) {
    complain(r, n->mark, "expected %s, found %s", expected, ynode_kind_name(n->kind));
}

// ---- fields ---------------------------------------------------------------------------------------------------------

static const struct field *field_find(const struct field *fields, const char *key) {
    for (; fields->key; fields++)
        if (str_eq(fields->key, key))
            return fields;
    return NULL;
}

static void complain_unknown_keys(struct reader *r, const struct ynode *map, const char *what,
                                  const struct field *fields) {
    cleanup_words struct words allowed = {0};
    for (const struct field *f = fields; f->key; f++)
        words_add(&allowed, f->key);
    cleanup_strbuf struct strbuf all = {0};
    words_join(&allowed, &all);
    for (size_t i = 0; i < map->items.n; i++) {
        const struct ynode *value = map->items.items[i];
        if (*value->key && !field_find(fields, value->key)) // "" was complained about by the tree
            complain(r, value->key_mark, "unknown key '%s' in %s%s; allowed: %s", SHOWN(value->key), what,
                     HINT(value->key, words_all(&allowed)), strbuf_str(&all));
    }
}

// A mistyped key was complained about with a hint: that it is missing as well is no news.
static bool was_mistyped(const struct ynode *map, const struct field *fields, const char *key) {
    for (size_t i = 0; i < map->items.n; i++)
        if (!field_find(fields, map->items.items[i]->key) &&
            str_nearest(map->items.items[i]->key, (const char *const[]){key, NULL}))
            return true;
    return false;
}

void decode_fields(struct reader *r, const struct ynode *map, const char *what, const struct field *fields,
                   void *base) {
    if (map->kind != YNODE_MAP) {
        cleanup_free char *expected = xasprintf("a mapping (key: value) for %s", what);
        complain_kind(r, map, expected);
        return;
    }
    complain_unknown_keys(r, map, what, fields);
    for (const struct field *f = fields; f->key; f++) {
        const struct ynode *value = ynode_get(map, f->key);
        if (value)
            f->read(r, value, (char *)base + f->offset);
        else if (f->required && r->whole && !was_mistyped(map, fields, f->key))
            complain(r, map->mark, "key '%s' is missing in %s", f->key, what);
    }
}

const char *text_of(struct reader *r, const struct ynode *n, const char *expected) {
    if (n->kind == YNODE_TEXT)
        return n->text;
    complain_kind(r, n, expected);
    return NULL;
}

void read_text(struct reader *r, const struct ynode *n, void *dst) {
    const char *text = text_of(r, n, "text");
    if (!text)
        return;
    char **p = dst;
    free(*p);
    *p = xstrdup(text);
}

void read_node(struct reader *r, const struct ynode *n, void *dst) {
    (void)r;
    *(const struct ynode **)dst = n;
}

void read_duration(struct reader *r, const struct ynode *n, void *dst) {
    const char *text = text_of(r, n, "a duration such as 10s or 250ms");
    char why[WHY_MAX];
    if (text && !scalar_duration(text, dst, why))
        complain(r, n->mark, "%s", why);
}

struct mark mark_inside(const struct ynode *n, size_t byte) {
    if (!n->verbatim)
        return n->mark;
    struct mark at = {n->mark.line, n->text_col};
    for (size_t i = 0; i < byte && n->text[i]; i++)
        at.col += ((unsigned char)n->text[i] & 0xc0) != 0x80;
    return at;
}
