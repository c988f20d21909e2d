// SPDX-License-Identifier: PostgreSQL
// Events to tree:
//   check bytes -> parse event by event -> hang each value on the innermost open list or mapping -> report double keys.
// Bad bytes and a broken syntax end the reading (nobody can know what the author meant after them); a double key, an
// alias or a key that is no text is reported and left out. Nothing here recurses deeper than YAML_DEPTH_MAX.
#include "lab/scenario/yaml/tree.h"

#include <stdint.h>
#include <yaml.h>

struct builder {
    yaml_parser_t parser;
    const struct yaml_sink *sink;
    const char *input; // borrowed
    size_t len;
    struct ynode *root;
    struct ynode *open[YAML_DEPTH_MAX]; // innermost last; owned by their parents
    char *keys[YAML_DEPTH_MAX];         // key that waits for its value, in a mapping
    struct mark key_marks[YAML_DEPTH_MAX];
    bool doubled[YAML_DEPTH_MAX]; // that key was there already: its value is read and thrown away
    size_t depth, nodes;
    bool whole;
};

void ynode_free(struct ynode *n) {
    if (!n)
        return;
    for (size_t i = 0; i < n->items.n; i++)
        ynode_free(n->items.items[i]);
    VEC_DONE(&n->items);
    free(n->key);
    free(n->text);
    free(n);
}

const struct ynode *ynode_get(const struct ynode *map, const char *key) {
    for (size_t i = 0; i < map->items.n; i++)
        if (map->kind == YNODE_MAP && str_eq(map->items.items[i]->key, key))
            return map->items.items[i];
    return NULL;
}

const char *ynode_kind_name(enum ynode_kind kind) {
    switch (kind) {
    case YNODE_NOTHING:
        return "nothing";
    case YNODE_TEXT:
        return "text";
    case YNODE_LIST:
        return "a list";
    case YNODE_MAP:
        return "a mapping";
    }
    return "?";
}

PRINTF_LIKE(3, 4) static void complain(const struct builder *b, struct mark at, const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    b->sink->complain(b->sink->arg, at, strbuf_str(&text));
}

static struct mark mark_of(const yaml_mark_t *m) {
    return (struct mark){.line = (int)m->line + 1, .col = (int)m->column + 1};
}

// Columns count characters, as libyaml's do: continuation bytes of UTF-8 don't.
static struct mark mark_of_offset(const char *text, size_t offset) {
    struct mark at = {1, 1};
    for (size_t i = 0; i < offset; i++)
        if (text[i] == '\n')
            at = (struct mark){at.line + 1, 1};
        else if (((unsigned char)text[i] & 0xc0) != 0x80)
            at.col++;
    return at;
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

// Length of the UTF-8 character at p, or 0 when it is not one that YAML allows (overlong, surrogate, control
// character).
static size_t character_length(const unsigned char *p, size_t left) {
    if (*p < 0x80)
        return (*p >= 0x20 && *p != 0x7f) || *p == '\t' || *p == '\n' || *p == '\r';
    size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    if (*p < 0xc2 || *p > 0xf4 || left < n)
        return 0;
    uint32_t c = *p & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fU);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool control = c < 0xa0 && c != 0x85;
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) && c != 0xfffe && c != 0xffff && !control ? n
                                                                                                                  : 0;
}

static bool bytes_are_text(const struct builder *b) {
    if (b->len > YAML_BYTES_MAX) {
        complain(b, (struct mark){0, 0}, "the file has %zu bytes; at most %d are read", b->len, YAML_BYTES_MAX);
        return false;
    }
    for (size_t i = 0; i < b->len;) {
        size_t n = character_length((const unsigned char *)b->input + i, b->len - i);
        if (n == 0) {
            complain(b, mark_of_offset(b->input, i), "byte 0x%02x is not allowed here: expected plain UTF-8 text%s",
                     (unsigned char)b->input[i], b->input[i] == '\0' ? " (is this a binary or UTF-16 file?)" : "");
            return false;
        }
        i += n;
    }
    return true;
}

// ---- nodes ----------------------------------------------------------------------------------------------------------

static struct ynode *parent_of(const struct builder *b) {
    return b->depth ? b->open[b->depth - 1] : NULL;
}

static bool key_is_double(const struct builder *b, const struct ynode *map, const char *key, struct mark at) {
    const struct ynode *first = ynode_get(map, key);
    if (first)
        complain(b, at, "key '%.60s' is here twice (first in line %d): only one of them can count", key,
                 first->key_mark.line);
    return first != NULL;
}

// Hangs n where the parser stands. A list or mapping in key position is refused before this.
static void hang(struct builder *b, struct ynode *n) {
    struct ynode *parent = parent_of(b);
    if (!parent) {
        b->root = n;
        return;
    }
    if (parent->kind == YNODE_MAP) {
        size_t top = b->depth - 1;
        n->key = STEAL(b->keys[top]);
        n->key_mark = b->key_marks[top];
        if (b->doubled[top])
            n->key[0] = '\0'; // stays in the tree, so that ownership is simple, under a name that nobody asks for
    }
    VEC_PUSH(&parent->items, n);
}

static bool wants_key(const struct builder *b) {
    const struct ynode *parent = parent_of(b);
    return parent && parent->kind == YNODE_MAP && !b->keys[b->depth - 1];
}

static void take_key(struct builder *b, const char *text, struct mark at) {
    size_t top = b->depth - 1;
    b->doubled[top] = key_is_double(b, b->open[top], text, at);
    if (!*text)
        complain(b, at, "a key is missing in front of ':'");
    b->keys[top] = xstrdup(text);
    b->key_marks[top] = at;
}

static struct ynode *node_new(struct builder *b, enum ynode_kind kind, struct mark at) {
    struct ynode *n = xcalloc(1, sizeof *n);
    n->kind = kind;
    n->mark = at;
    b->nodes++;
    return n;
}

// The text of a plain or quoted scalar stands in the file as it is when nothing was folded or escaped: as many
// characters between the marks as in the value.
static void find_verbatim(struct ynode *n, const yaml_event_t *ev) {
    size_t span = ev->end_mark.index - ev->start_mark.index, quotes = 0, chars = 0;
    if (ev->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
        ev->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        quotes = 1;
    else if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return;
    for (const char *p = n->text; *p; p++)
        chars += ((unsigned char)*p & 0xc0) != 0x80;
    n->verbatim = ev->start_mark.line == ev->end_mark.line && span == chars + 2 * quotes;
    n->text_col = n->mark.col + (int)quotes;
}

static bool is_null(const yaml_event_t *ev, const char *text) {
    if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    return !*text || str_eq(text, "~") || str_eq(text, "null") || str_eq(text, "Null") || str_eq(text, "NULL");
}

static void on_scalar(struct builder *b, const yaml_event_t *ev) {
    struct mark at = mark_of(&ev->start_mark);
    const char *text = (const char *)ev->data.scalar.value;
    if (strlen(text) != ev->data.scalar.length)
        complain(b, at, "this text contains a NUL character (\\0), which no setting can hold");
    if (wants_key(b)) {
        take_key(b, text, at);
        return;
    }
    struct ynode *n = node_new(b, is_null(ev, text) ? YNODE_NOTHING : YNODE_TEXT, at);
    n->text = xstrdup(n->kind == YNODE_TEXT ? text : "");
    find_verbatim(n, ev);
    hang(b, n);
}

static void on_alias(struct builder *b, const yaml_event_t *ev) {
    struct mark at = mark_of(&ev->start_mark);
    complain(b, at, "aliases are not read here ('*%.40s'): write the value again", (const char *)ev->data.alias.anchor);
    if (wants_key(b))
        take_key(b, "*", at);
    else
        hang(b, node_new(b, YNODE_NOTHING, at));
}

// Returns false when the reading must end.
static bool on_open(struct builder *b, const yaml_event_t *ev, enum ynode_kind kind) {
    struct mark at = mark_of(&ev->start_mark);
    if (wants_key(b)) {
        complain(b, at, "a key must be text, not %s (is a quote missing around '%c...'?)", ynode_kind_name(kind),
                 kind == YNODE_LIST ? '[' : '{');
        return false;
    }
    if (b->depth == YAML_DEPTH_MAX) {
        complain(b, at, "more than %d levels deep: no scenario needs that", YAML_DEPTH_MAX);
        return false;
    }
    struct ynode *n = node_new(b, kind, at);
    hang(b, n);
    b->keys[b->depth] = NULL;
    b->open[b->depth++] = n;
    return true;
}

// ---- events ---------------------------------------------------------------------------------------------------------

// What stands behind the spaces that begin a line (counted from 0).
static const char *after_indent(const struct builder *b, size_t line) {
    const char *p = b->input, *end = b->input + b->len;
    for (; line > 0 && p < end; p++)
        line -= *p == '\n';
    while (p < end && *p == ' ')
        p++;
    return p;
}

static bool tab_indents(const struct builder *b, size_t line) {
    const char *p = after_indent(b, line);
    return p < b->input + b->len && *p == '\t';
}

// A no-break space (U+00A0, as word processors and web pages put it) looks like a space and is a letter to YAML: "  - inject"
// becomes a key of its own. It has no use outside a text, so one in an indentation is a slip, told at its place.
static bool no_break_space(const struct builder *b) {
    static const char nbsp[] = "\xc2\xa0";
    const char *end = b->input + b->len;
    for (const char *line = b->input; line < end;) {
        const char *p = line;
        while (p < end && *p == ' ')
            p++;
        if (end - p >= 2 && memcmp(p, nbsp, 2) == 0) {
            complain(b, mark_of_offset(b->input, (size_t)(p - b->input)),
                     "a no-break space (U+00A0) indents this line: replace it by a space");
            return true;
        }
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    return false;
}

static void syntax_error(struct builder *b) {
    const yaml_parser_t *p = &b->parser;
    struct mark at = mark_of(&p->problem_mark);
    b->whole = false;
    if (tab_indents(b, p->problem_mark.line)) {
        complain(b, at, "a tab indents this line: YAML wants spaces");
        return;
    }
    if (p->context && strstr(p->context, "block scalar")) {
        complain(b, at, "this is not YAML: text that begins with '>' or '|' needs quotes, as in '>= 90%%'");
        return;
    }
    const char *problem = p->problem ? p->problem : "it cannot be read";
    if (p->context && p->context_mark.line + 1 > 0 && p->context_mark.line != p->problem_mark.line)
        complain(b, at, "this is not YAML: %s %s (begun in line %zu)", problem, p->context, p->context_mark.line + 1);
    else
        complain(b, at, "this is not YAML: %s%s%s", problem, p->context ? " " : "", p->context ? p->context : "");
}

// One event. Returns false at the end of what is read.
static bool on_event(struct builder *b, const yaml_event_t *ev) {
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(b, ev);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, ev);
        break;
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, ev, YNODE_LIST) || (b->whole = false);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, ev, YNODE_MAP) || (b->whole = false);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (!b->root)
            break;
        complain(b, mark_of(&ev->start_mark), "a second document begins here: a file holds one");
        return false;
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    if (b->nodes <= YAML_NODES_MAX)
        return true;
    complain(b, mark_of(&ev->start_mark), "more than %d values: no scenario needs that", YAML_NODES_MAX);
    b->whole = false;
    return false;
}

static void read_events(struct builder *b) {
    for (bool more = true; more;) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&b->parser, &ev)) {
            syntax_error(b);
            break;
        }
        more = on_event(b, &ev);
        yaml_event_delete(&ev);
    }
    for (size_t i = 0; i < b->depth; i++)
        free(b->keys[i]);
}

struct ynode *yaml_tree_read(const char *text, size_t len, const struct yaml_sink *sink, bool *ret_whole) {
    static const char byte_order_mark[] = "\xef\xbb\xbf"; // some editors put it in front of UTF-8
    if (len >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        text += 3, len -= 3;
    struct builder b = {.sink = sink, .input = text, .len = len, .whole = true};
    *ret_whole = false;
    if (!bytes_are_text(&b) || no_break_space(&b))
        return NULL;
    if (!yaml_parser_initialize(&b.parser)) {
        complain(&b, (struct mark){0, 0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.input, b.len);
    read_events(&b);
    yaml_parser_delete(&b.parser);
    *ret_whole = b.whole;
    if (!b.root && b.whole)
        complain(&b, (struct mark){0, 0}, "the file is empty");
    return b.root;
}
