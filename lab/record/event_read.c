// SPDX-License-Identifier: PostgreSQL
// One line to one event. A scanner for one JSON object, written by hand: cJSON builds a tree of some fifteen
// allocations per line, which is four times slower, and a long run has a million lines. Values of keys we know are
// scalars; a nested value under a key we don't know (a newer program's) is skipped. Works on a span, never looks beyond
// its end, never recurses.
//
//   pass 1: find "ev"                 -> kind, and with it the table of fields; a kind by an old name is that of today
//   pass 2: every key of the object   -> the field's value; the whole line is checked by the way
//   pass 3: of an old name            -> what such a line left unsaid, or said in another form (event_old.h)
#include <float.h>
#include <locale.h>
#include <stdio.h>

#include "lab/base/utf8.h"
#include "lab/record/event_fields.h"
#include "lab/record/event_old.h"

struct cursor {
    const char *p, *end;
};

struct text { // a JSON string between its quotes, still escaped
    const char *p;
    size_t n;
    bool escaped;
};

static void skip_space(struct cursor *c) {
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

static bool take(struct cursor *c, char want) {
    skip_space(c);
    if (c->p == c->end || *c->p != want)
        return false;
    c->p++;
    return true;
}

static bool take_string(struct cursor *c, struct text *ret) {
    if (!take(c, '"'))
        return false;
    ret->p = c->p;
    ret->escaped = false;
    for (; c->p < c->end && *c->p != '"'; c->p++) {
        if ((unsigned char)*c->p < 0x20)
            return false;
        if (*c->p == '\\') {
            ret->escaped = true;
            if (++c->p == c->end)
                return false;
        }
    }
    if (c->p == c->end)
        return false;
    ret->n = (size_t)(c->p++ - ret->p);
    return true;
}

// Everything up to the next structural character: a number, true, false or null. Checked by whoever uses it.
static bool take_word(struct cursor *c, struct text *ret) {
    skip_space(c);
    ret->p = c->p;
    while (c->p < c->end && !strchr(",}] \t\r\n", *c->p) && *c->p != '"' && *c->p != '{' && *c->p != '[')
        c->p++;
    ret->n = (size_t)(c->p - ret->p);
    return ret->n > 0;
}

// Skips an array or object of a key we don't know: brackets are counted, strings respected, the inside is not judged.
static bool skip_nested(struct cursor *c) {
    int depth = 0;
    struct text ignored;
    while (c->p < c->end) {
        if (*c->p == '"') {
            if (!take_string(c, &ignored))
                return false;
            continue;
        }
        if (*c->p == '{' || *c->p == '[')
            depth++;
        else if ((*c->p == '}' || *c->p == ']') && --depth == 0) {
            c->p++;
            return true;
        }
        c->p++;
    }
    return false;
}

struct value {
    enum { VALUE_STRING, VALUE_WORD, VALUE_NESTED } form;
    struct text text;
};

static bool take_value(struct cursor *c, struct value *ret) {
    skip_space(c);
    if (c->p == c->end)
        return false;
    if (*c->p == '"') {
        ret->form = VALUE_STRING;
        return take_string(c, &ret->text);
    }
    if (*c->p == '{' || *c->p == '[') {
        ret->form = VALUE_NESTED;
        return skip_nested(c);
    }
    ret->form = VALUE_WORD;
    return take_word(c, &ret->text);
}

static int hex4(const char *p, unsigned *ret) {
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        char ch = p[i];
        unsigned d;
        if (ch >= '0' && ch <= '9')
            d = (unsigned)(ch - '0');
        else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
            d = (unsigned)((ch | 0x20) - 'a' + 10);
        else
            return -EINVAL;
        *ret = *ret * 16 + d;
    }
    return 0;
}

// Puts one code point into dst as UTF-8 when it fits whole. Returns its length, 0 when it doesn't fit.
static size_t put_utf8(char *dst, size_t room, unsigned cp) {
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    if (n > room)
        return 0;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; cp >>= 6)
        dst[i] = (char)(0x80 | (cp & 0x3F));
    dst[0] = (char)(lead[n] | cp);
    return n;
}

// \uXXXX, with a pair of surrogates joined. A lone surrogate or NUL, which C text can't hold, becomes U+FFFD.
static int unescape_unicode(const char **p, const char *end, unsigned *ret) {
    unsigned hi, lo;
    if (end - *p < 4 || hex4(*p, &hi) < 0)
        return -EINVAL;
    *p += 4;
    if (hi >= 0xD800 && hi <= 0xDBFF && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' && hex4(*p + 2, &lo) == 0 &&
        lo >= 0xDC00 && lo <= 0xDFFF) {
        *p += 6;
        *ret = 0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00);
        return 0;
    }
    *ret = hi == 0 || (hi >= 0xD800 && hi <= 0xDFFF) ? 0xFFFD : hi;
    return 0;
}

static int unescape_one(const char **p, const char *end, unsigned *ret) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char ch = *(*p)++;
    if (ch == 'u')
        return unescape_unicode(p, end, ret);
    const char *at = ch ? strchr(from, ch) : NULL;
    if (!at)
        return -EINVAL;
    *ret = (unsigned char)to[at - from];
    return 0;
}

// Cuts a trailing piece of a UTF-8 sequence, so that a text cut to its field's size stays valid.
static size_t whole_utf8(const char *s, size_t n) {
    size_t back = 0;
    while (back < n && back < 3 && ((unsigned char)s[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back == n)
        return n;
    unsigned char lead = (unsigned char)s[n - 1 - back];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return want > back + 1 ? n - back - 1 : n;
}

static void copy_plain(const struct text *t, char *dst, size_t size) {
    size_t n = t->n < size - 1 ? t->n : size - 1;
    memcpy(dst, t->p, n);
    if (n < t->n)
        n = whole_utf8(dst, n);
    memset(dst + n, 0, size - n);
}

static int copy_escaped(const struct text *t, char *dst, size_t size) {
    size_t n = 0;
    bool full = false;
    memset(dst, 0, size);
    for (const char *p = t->p, *end = t->p + t->n; p < end;) {
        char raw = *p++;
        if (raw != '\\') {
            full = full || n + 1 >= size;
            if (!full)
                dst[n++] = raw;
            continue;
        }
        unsigned cp;
        if (unescape_one(&p, end, &cp) < 0)
            return -EINVAL;
        size_t put = full ? 0 : put_utf8(dst + n, size - 1 - n, cp);
        full = full || put == 0; // once something did not fit, nothing later may follow it
        n += put;
    }
    if (full) {
        size_t keep = whole_utf8(dst, n);
        memset(dst + keep, 0, n - keep);
    }
    return 0;
}

static int read_text(const struct value *v, char *dst, size_t size) {
    if (v->form != VALUE_STRING)
        return -EINVAL;
    int r = 0;
    if (v->text.escaped)
        r = copy_escaped(&v->text, dst, size);
    else
        copy_plain(&v->text, dst, size);
    utf8_repair(dst, size);
    return r;
}

static int read_double(const struct text *t, double max, double *ret) {
    static locale_t c_locale; // strtod(3) follows setlocale: with a decimal comma it would stop at "1"
    char text[64], *end;
    if (t->n == 0 || t->n >= sizeof text || (*t->p != '-' && (*t->p < '0' || *t->p > '9')))
        return -EINVAL;
    memcpy(text, t->p, t->n);
    text[t->n] = '\0';
    if (strspn(text, "+-.0123456789eE") != t->n) // no hex, inf or nan
        return -EINVAL;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double v = strtod_l(text, &end, c_locale);
    if (*end || !(v >= -max && v <= max))
        return -EINVAL;
    *ret = v;
    return 0;
}

// Digits only; a number such as 1e3 or 2.0 comes from a tool that re-wrote the log and is taken when it is a whole
// number.
static int read_magnitude(const char *p, size_t n, uint64_t *ret) {
    uint64_t v = 0;
    size_t i = 0;
    for (; i < n && p[i] >= '0' && p[i] <= '9'; i++)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(p[i] - '0'), &v))
            return -EINVAL;
    if (i == n && n > 0) {
        *ret = v;
        return 0;
    }
    double d;
    if (read_double(&(struct text){p, n, false}, (double)EVENT_COUNT_MAX, &d) < 0 || d < 0)
        return -EINVAL;
    v = (uint64_t)d;
    if ((double)v < d)
        return -EINVAL;
    *ret = v;
    return 0;
}

static int read_time(const struct value *v, usec_t max, usec_t *ret) {
    usec_t u;
    if (v->form == VALUE_NESTED || read_magnitude(v->text.p, v->text.n, &u) < 0 || u > max)
        return -EINVAL;
    *ret = u;
    return 0;
}

static int read_int(const struct value *v, int64_t min, int64_t max, int64_t *ret) {
    uint64_t u;
    bool minus = v->form != VALUE_NESTED && v->text.n > 0 && *v->text.p == '-';
    if (v->form == VALUE_NESTED || read_magnitude(v->text.p + minus, v->text.n - minus, &u) < 0)
        return -EINVAL;
    if (minus ? u > 0 - (uint64_t)min : u > (uint64_t)max)
        return -EINVAL;
    *ret = minus ? (int64_t)(0 - u) : (int64_t)u;
    return 0;
}

static int read_lsn(const struct value *v, lsn_t *ret) {
    char text[LSN_TEXT_MAX + 1];
    lsn_t lsn;
    if (read_text(v, text, sizeof text) < 0 || v->text.n >= sizeof text || !lsn_parse(text, &lsn) ||
        lsn > EVENT_LSN_MAX)
        return -EINVAL;
    *ret = lsn;
    return 0;
}

static bool is_word(const struct value *v, const char *word) {
    return v->form == VALUE_WORD && v->text.n == strlen(word) && memcmp(v->text.p, word, v->text.n) == 0;
}

// The words of a line that their sets lack.
struct unknown_words {
    int n;
    const struct event_field *field; // of the first
    char word[EVENT_NAME_MAX];
};

// One of a closed set. What the set lacks is kept as the value that says so, and noted.
static int read_one_of(const struct event_field *f, const struct value *v, unsigned *ret,
                       struct unknown_words *unknown) {
    char word[EVENT_NAME_MAX];
    if (read_text(v, word, sizeof word) < 0)
        return -EINVAL;
    *ret = word_set_find(f->words, word);
    if (*ret == f->words->n - 1 && unknown->n++ == 0) {
        unknown->field = f;
        STR_COPY(unknown->word, word);
    }
    return 0;
}

static int read_field(const struct event_field *f, const struct value *v, void *at, struct unknown_words *unknown) {
    if (is_word(v, "null"))
        return 0;
    switch (f->type) {
    case EVENT_FIELD_N:
        return read_text(v, at, EVENT_NAME_MAX);
    case EVENT_FIELD_S:
        return read_text(v, at, EVENT_TEXT_MAX);
    case EVENT_FIELD_I:
        return read_int(v, -EVENT_COUNT_MAX, EVENT_COUNT_MAX, at);
    case EVENT_FIELD_C:
        return read_int(v, 0, EVENT_COUNT_MAX, at);
    case EVENT_FIELD_R:
        return read_int(v, INT64_MIN, INT64_MAX, at);
    case EVENT_FIELD_U:
        return read_time(v, EVENT_TIME_MAX, at);
    case EVENT_FIELD_W:
        return read_time(v, EVENT_WALL_MAX, at);
    case EVENT_FIELD_B:
        *(bool *)at = is_word(v, "true");
        return *(bool *)at || is_word(v, "false") ? 0 : -EINVAL;
    case EVENT_FIELD_D:
        return v->form == VALUE_WORD ? read_double(&v->text, (double)EVENT_COUNT_MAX, at) : -EINVAL;
    case EVENT_FIELD_L:
        return read_lsn(v, at);
    case EVENT_FIELD_E:
        return read_one_of(f, v, at, unknown);
    }
    return -EINVAL;
}

static bool text_is(const struct text *t, const char *word, size_t n) {
    return t->n == n && memcmp(t->p, word, n) == 0;
}

// A word that no field took must still be JSON: a number, true, false or null.
static bool valid_word(const struct value *v) {
    double ignored;
    return v->form != VALUE_WORD || is_word(v, "true") || is_word(v, "false") || is_word(v, "null") ||
           read_double(&v->text, DBL_MAX, &ignored) == 0;
}

static bool next_pair(struct cursor *c, bool first, struct text *key, struct value *v) {
    return (first || take(c, ',')) && take_string(c, key) && take(c, ':') && take_value(c, v);
}

static void kind_of(const struct text *name, enum event_kind *ret, const struct old_kind **ret_old) {
    *ret = EVENT_TICK;
    for (int k = EVENT_TICK + 1; k < EVENT_KIND_COUNT; k++)
        if (text_is(name, event_kind_name((enum event_kind)k), strlen(event_kind_name((enum event_kind)k))))
            *ret = (enum event_kind)k;
    *ret_old = event_old_kind(name->p, name->n);
    if (*ret_old)
        *ret = (*ret_old)->kind;
}

// Pass 1. Our own writer puts "ev" second, so this looks at two keys; other tools may put it anywhere.
static int find_kind(struct cursor c, enum event_kind *ret, const struct old_kind **ret_old) {
    struct text key;
    struct value v;
    if (!take(&c, '{'))
        return -EINVAL;
    for (bool first = true; next_pair(&c, first, &key, &v); first = false) {
        if (!text_is(&key, "ev", 2))
            continue;
        if (v.form != VALUE_STRING)
            return -EINVAL;
        kind_of(&v.text, ret, ret_old);
        return 0;
    }
    return -EINVAL;
}

// What a line may hold: the fields of its kind, and the names that they had.
struct shape {
    const struct event_field *fields;
    size_t n, at;               // at: where the last one was found
    const struct old_kind *old; // NULL: an old name would mean nothing
};

// The reader meets fields in the writer's order, so the search goes on from where the last one was found.
static const struct event_field *find_field(struct shape *s, const char *name, size_t len) {
    for (size_t tried = 0; tried < s->n; tried++, s->at = (s->at + 1) % s->n)
        if (s->fields[s->at].name_len == len && memcmp(s->fields[s->at].name, name, len) == 0)
            return &s->fields[s->at];
    return NULL;
}

// What was a whole number of seconds, below zero too, is a time of today.
static int read_seconds(const struct value *v, usec_t *ret) {
    int64_t s = 0;
    int r = is_word(v, "null") ? 0 : read_int(v, -EVENT_COUNT_MAX, EVENT_COUNT_MAX, &s);
    if (r == 0 && s > 0)
        *ret = (usec_t)s < EVENT_TIME_MAX / SEC ? (usec_t)s * SEC : EVENT_TIME_MAX;
    return r;
}

// What was true of one word is today a list of those that are.
static int read_flag(const struct value *v, const char *adds, char *list) {
    size_t n = strlen(list);
    bool yes = is_word(v, "true");
    if (!yes && !is_word(v, "false") && !is_word(v, "null"))
        return -EINVAL;
    if (yes && !str_list_has(list, adds) && n + 1 + strlen(adds) < EVENT_NAME_MAX)
        (void)snprintf(list + n, EVENT_NAME_MAX - n, "%s%s", n ? "," : "", adds);
    return 0;
}

// The old name goes first: `leader` of then may be another field today.
static int read_value(struct shape *s, const struct text *key, const struct value *v, struct event *ev,
                      struct unknown_words *unknown) {
    const struct old_field *old = s->old ? event_old_field(s->old, key->p, key->n) : NULL;
    const struct event_field *f = old ? find_field(s, old->now, strlen(old->now)) : find_field(s, key->p, key->n);
    if (!f)
        return valid_word(v) ? 0 : -EINVAL;
    void *at = (char *)ev + f->offset;
    if (old && old->adds)
        return read_flag(v, old->adds, at);
    return old && old->seconds ? read_seconds(v, at) : read_field(f, v, at, unknown);
}

// Pass 2.
static int read_fields(struct cursor c, const struct old_kind *old, struct event *ev, struct unknown_words *unknown) {
    struct shape s = {.old = old};
    s.fields = event_fields(ev->kind, &s.n);
    bool has_t = false;
    struct text key;
    struct value v;
    (void)take(&c, '{');
    for (bool first = true; !take(&c, '}'); first = false) {
        if (!next_pair(&c, first, &key, &v))
            return -EINVAL;
        int r;
        if (text_is(&key, "t", 1)) {
            has_t = true;
            r = read_time(&v, EVENT_TIME_MAX, &ev->t);
        } else if (text_is(&key, "repeats", 7)) {
            r = read_int(&v, 0, EVENT_COUNT_MAX, &ev->repeats);
        } else if (text_is(&key, "pause", 5)) {
            r = read_time(&v, EVENT_TIME_MAX, &ev->pause);
        } else {
            r = read_value(&s, &key, &v, ev, unknown);
        }
        if (r < 0)
            return r;
    }
    skip_space(&c);
    ev->pause = ev->repeats ? ev->pause : 0;
    return has_t && c.p == c.end ? 0 : -EINVAL;
}

static int read_line(const char *line, size_t len, struct event *ev, struct unknown_words *unknown) {
    struct cursor c = {line, line + len};
    const struct old_kind *old = NULL;
    memset(ev, 0, sizeof *ev);
    int r = find_kind(c, &ev->kind, &old);
    if (r == 0)
        r = read_fields(c, old, ev, unknown);
    if (r == 0 && old && old->complete)
        old->complete(ev);
    return r;
}

int event_from_json(const char *line, size_t len, struct event *ret, struct err *err) {
    struct event ev;
    struct unknown_words unknown = {0};
    if (read_line(line, len, &ev, &unknown) < 0)
        return err_set(err, EINVAL, "not an event: %.*s", (int)(len < 60 ? len : 60), line);
    if (ev.kind == EVENT_TICK)
        return err_set(err, ENOENT, "an event of a kind this program does not know: %.*s", (int)(len < 60 ? len : 60),
                       line);
    *ret = ev;
    return unknown.n;
}

void event_unknown_word(const char *line, size_t len, struct event_unknown *ret) {
    struct event ev;
    struct unknown_words unknown = {0};
    (void)read_line(line, len, &ev, &unknown);
    *ret = (struct event_unknown){.kind = ev.kind, .field = unknown.field ? unknown.field->name : ""};
    STR_COPY(ret->word, unknown.word);
}
